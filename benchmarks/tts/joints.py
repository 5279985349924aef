"""Whether one hears where the sound was put together.

Clauses of a stream are joined, and so are the pieces within a clause. The first joints are known to
the caller: there the sound may neither jump nor pause for longer than where Piper joins sentences.
The others are not, but with the variation set to 0 a clause must be, sample by sample, what Piper
makes of it in one go.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.callers import percentiles
from benchmarks.report import Check, print_table
from benchmarks.services import serving
from benchmarks.tts.systems import PCM, RATE_HERTZ, InProcess
from benchmarks.tts.texts import Writer, at_once, sentences
from voicemesh_client import AudioEncoding, AudioFormat, SynthesisOptions
from voicemesh_client.speech import SpeechAudio
from voicemesh_client.tts import TextToSpeech

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from benchmarks.report import Report

    Samples = npt.NDArray[np.float32]

__all__ = ("is_click", "joint_pause_s", "measure_joints")

_PARAGRAPH = 5
_FLOATS = AudioFormat(AudioEncoding.PCM_F32LE, RATE_HERTZ, 1)
_EXACT_TEXTS = 12
_EXACT_WORDS = 25
_MOST_DIFFERENCE_DB = -60.0
_LOUDEST = 0.5
"""Above this, the service may bend what would clip; there samples are not compared."""
_EDGE_S = 0.01
"""Clauses are faded at their edges."""
_MOST_PAUSE_RATIO = 1.25
_ORDER = 20
_AUDIBLE = 0.003
_MOST_CLICKS_PERCENT = 1.0


@dataclass
class Joints:
    """What was found where sounds meet."""

    clicks: int = 0
    """Joints at which the sound jumps."""
    count: int = 0
    """Joints."""
    pauses_s: list[float] = field(default_factory=list)
    """Silence around each joint between sentences."""
    inner_pauses_s: list[float] = field(default_factory=list)
    """Silence around each joint within a sentence."""


@dataclass(frozen=True, eq=False)
class _Told:
    samples: Samples
    joints: Sequence[tuple[int, int]]
    """Where a clause begins, but for the first: in samples, and in characters of the text."""
    holes: int
    """Messages that do not begin where the one before ends."""


async def measure_joints(report: Report, tts: TextToSpeech, piper: InProcess) -> None:
    """Clicks and pauses of paragraphs of five sentences, and differences from the whole run."""
    said = sentences()
    paragraphs = [" ".join(said[at : at + _PARAGRAPH]) for at in range(0, len(said), _PARAGRAPH)]
    ours, theirs, holes = Joints(), Joints(), 0
    for text in paragraphs:
        told = await _streamed(tts, text)
        holes += told.holes
        for place, character in told.joints:
            _look(ours, told.samples, place, within=_is_within(text, character))
        sounds = await asyncio.to_thread(piper.sentences, text)
        whole = np.concatenate(sounds)
        for place in np.cumsum([len(sound) for sound in sounds])[:-1]:
            _look(theirs, whole, int(place), within=False)
    exact = await _differences_db(piper)
    _report(report, ours, theirs, holes, exact)


def joint_pause_s(sound: Samples, place: int) -> float:
    """How long the sound around a sample is as good as silent: 35 dB below speech."""
    step = RATE_HERTZ // 200
    frames = sound[: len(sound) // step * step].reshape(-1, step)
    level = np.sqrt(np.mean(frames**2, axis=1))
    quiet = level < np.percentile(level, 95) * 10 ** (-35 / 20)
    first = last = min(place // step, len(quiet) - 1)
    while first > 0 and quiet[first - 1]:
        first -= 1
    while last < len(quiet) and quiet[last]:
        last += 1
    return (last - first) / 200


def is_click(sound: Samples, place: int) -> bool:
    """Whether the sound breaks off at a sample: it is far from what the sound before leads to.

    Linear prediction, fitted to the 40 ms on either side, foretells each sample; within 1 ms of
    the place it must not err four times as much as it does in 99 of 100 samples around. Of speech
    cut at random it says so of 1 place in 400; of a step of 2 % of full scale, of 4 in 5.
    """
    reach, near = RATE_HERTZ // 25, RATE_HERTZ // 1000
    first = max(0, place - reach)
    window = sound[first : place + reach].astype(np.float64)
    if len(window) < 4 * _ORDER:
        return False
    rows = np.lib.stride_tricks.sliding_window_view(window, _ORDER + 1)
    before, next_one = rows[:, :_ORDER], rows[:, _ORDER]
    distance = np.abs(np.arange(_ORDER, len(window)) - (place - first))
    around = distance > near + _ORDER
    known = before[around]
    weights = np.linalg.solve(known.T @ known + 1e-8 * np.eye(_ORDER), known.T @ next_one[around])
    errors = np.abs(next_one - before @ weights)
    usual = float(np.percentile(errors[around], 99))
    return float(errors[distance <= near].max()) > max(4 * usual, _AUDIBLE)


async def _streamed(tts: TextToSpeech, text: str) -> _Told:
    parts: list[bytes] = []
    joints: list[tuple[int, int]] = []
    clause, sample, holes = 0, 0, 0
    events = tts.speak(at_once(text), options=SynthesisOptions(format=PCM))
    async with aclosing(events):
        async for event in events:
            if not isinstance(event, SpeechAudio):
                continue
            holes += round(event.start_s * RATE_HERTZ) != sample
            if event.clause_index != clause:
                joints.append((sample, event.span.start))
                clause = event.clause_index
            parts.append(event.audio)
            sample += len(event.audio) // 2
    samples = np.frombuffer(b"".join(parts), "<i2").astype(np.float32) / np.float32(32768)
    return _Told(samples, joints, holes)


def _is_within(text: str, character: int) -> bool:
    """Whether a sentence goes on at this character."""
    return not text[:character].rstrip(" \"'”)").endswith((".", "!", "?"))


def _look(found: Joints, sound: Samples, place: int, *, within: bool) -> None:
    found.count += 1
    found.clicks += is_click(sound, place)
    pauses = found.inner_pauses_s if within else found.pauses_s
    pauses.append(joint_pause_s(sound, place))


async def _differences_db(piper: InProcess) -> list[float]:
    """Largest differences from Piper's run in one go, against its peak; one for each text."""
    writer = Writer(7)
    found = []
    async with (
        # Piper's run is in float32, so ours is; bfloat16 has an error of its own.
        serving(
            "tts",
            piper__noise_scale="0",
            piper__noise_w_scale="0",
            piper__precision="float32",
        ) as service,
        TextToSpeech(service.connection) as tts,
    ):
        for _ in range(_EXACT_TEXTS):
            text = writer.sentence(_EXACT_WORDS)
            spoken = await tts.synthesize(text, options=SynthesisOptions(format=_FLOATS))
            ours = np.frombuffer(spoken.audio, "<f4")
            (theirs,) = await asyncio.to_thread(piper.sentences, text, steady=True)
            found.append(_difference_db(ours, theirs))
    return found


def _difference_db(ours: Samples, theirs: Samples) -> float:
    ours, theirs = _aligned(ours, theirs)
    edge = round(_EDGE_S * RATE_HERTZ)
    ours, theirs = ours[edge:-edge], theirs[edge:-edge]
    linear = np.abs(ours) < _LOUDEST
    gain = float(ours[linear] @ theirs[linear] / (theirs[linear] @ theirs[linear]))
    difference = float(np.abs(ours[linear] - gain * theirs[linear]).max())
    return 20 * float(np.log10(max(difference, 1e-9) / (gain * float(np.abs(theirs).max()))))


def _aligned(ours: Samples, theirs: Samples) -> tuple[Samples, Samples]:
    """What both have: the service leaves out most of the silence before the first sound."""
    size = len(ours) + len(theirs)
    likeness = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size)), size)
    best = int(np.argmax(likeness))
    late = best if best < size // 2 else best - size  # by how many samples theirs comes earlier
    ours, theirs = ours[max(0, late) :], theirs[max(0, -late) :]
    common = min(len(ours), len(theirs))
    return ours[:common], theirs[:common]


def _report(
    report: Report, ours: Joints, theirs: Joints, holes: int, differences_db: Iterable[float]
) -> None:
    largest_db = max(differences_db)
    figures: dict[str, Any] = {
        "voicemesh": _figures(ours),
        "piper": _figures(theirs),
        "holes": holes,
        "largest_difference_db": round(largest_db, 1),
    }
    report.measurements["joints"] = figures
    pauses = [figures[name]["pause_s"]["p95"] for name in ("voicemesh", "piper")]
    inner = percentiles(ours.inner_pauses_s)["p95"] if ours.inner_pauses_s else 0.0
    report.checks += (
        Check.at_most(
            "clicks at joints, percent", 100 * ours.clicks / ours.count, _MOST_CLICKS_PERCENT
        ),
        Check.at_most("holes between messages", holes, 0),
        Check.at_most("pieces against the whole run, dB", largest_db, _MOST_DIFFERENCE_DB),
        Check.at_most(
            "pause between sentences, p95 against Piper", pauses[0] / pauses[1], _MOST_PAUSE_RATIO
        ),
        Check.at_most(
            "pause within a sentence, p95 against Piper's between sentences",
            inner / pauses[1],
            _MOST_PAUSE_RATIO,
        ),
    )
    rows = [
        (name, found.count, found.clicks, *_cells(found.pauses_s), *_cells(found.inner_pauses_s))
        for name, found in (("voicemesh", ours), ("piper", theirs))
    ]
    head = ("joints of", "joints", "clicks", "pause p50", "p95", "inner pause p50", "p95")
    print_table(head, rows)
    print(f"largest difference from the whole run: {largest_db:.1f} dB")


def _figures(found: Joints) -> dict[str, Any]:
    figures = {
        "joints": found.count,
        "clicks": found.clicks,
        "pause_s": percentiles(found.pauses_s),
    }
    if found.inner_pauses_s:  # Piper has none
        figures["inner_pause_s"] = percentiles(found.inner_pauses_s)
    return figures


def _cells(pauses_s: Sequence[float]) -> tuple[str, str]:
    if not pauses_s:
        return "", ""
    p50, p95 = percentiles(pauses_s).values()
    return f"{p50:.2f} s", f"{p95:.2f} s"
