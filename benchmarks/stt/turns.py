"""What Smart Turn and the words bring: false cuts inside pauses against delay at the end.

Sentences of the project's own voice and recorded ones get a pause of 0.3 to 2 s at the word gap
nearest their middle. Each rule then listens to them in virtual time, by the service's own turn
machine: a verdict counts only after the time that making it takes. A sentence is cut if a turn is
over inside the pause; the delay is the silence from the end of the voice to the end of the turn.

    .venv/bin/python benchmarks/stt/turns.py [sentences]
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_models.silero import SileroModel
from voicemesh_stt.domain import TurnDetection
from voicemesh_stt.engines.smart_turn import SmartTurnModel
from voicemesh_stt.live.end_of_turn import judge, judge_sound, judge_words
from voicemesh_stt.live.turns import SoftStopped, TurnMachine, TurnOver, Verdict
from voicemesh_stt.ports import FRAME_S, FRAME_SAMPLES

Samples = npt.NDArray[np.float32]
Rule = Callable[[float | None, str | None], Verdict | None]

ROOT = Path(__file__).parents[2]
RATE = 16_000
PAUSES_S = (0.3, 0.5, 0.8, 1.2, 2.0)
LEAD_S, TAIL_S = 0.5, 3.0
SOUND_S, WORDS_S = 0.064, 0.16
"""When a verdict arrives after its soft stop: by the sound, and by the words."""
_LEAST_WORDS = 7

RULES: dict[str, tuple[Rule, float | None]] = {
    "fixed 500": (lambda _p, _text: None, 0.5),
    "fixed 700": (lambda _p, _text: None, 0.7),
    "words": (lambda _p, text: None if text is None else judge_words(text), None),
    "Smart Turn": (lambda p, _text: None if p is None else judge_sound(p), None),
    "both": (judge, None),
}
"""Rules by name, with the silence that ends a turn if they never say anything."""


@dataclass(frozen=True)
class Sentence:
    """One sentence with a gap where a pause can be put."""

    audio: Samples
    """float32 [samples] at 16 kHz, silence at both ends cut off."""
    gap: int
    """The sample in the middle of the gap."""

    def with_pause(self, pause_s: float) -> tuple[Samples, int]:
        """The sentence, and the sample at which its second half begins."""
        lead, pause, tail = (silence(s) for s in (LEAD_S, pause_s, TAIL_S))
        first, second = self.audio[: self.gap], self.audio[self.gap :]
        audio = np.concatenate([lead, first, pause, second, tail])
        return audio, len(lead) + len(first) + len(pause)


@dataclass(frozen=True)
class Outcome:
    """How a rule did on one sentence with one pause."""

    cut: bool
    delay_s: float


class _ShortWhisper(WhisperModel):  # type: ignore[misc] # the library is not typed
    """Whisper that looks at 15 s, which is enough for sentences this short."""

    def encode(self, features: Any) -> Any:
        return super().encode(np.ascontiguousarray(features[..., :1500]))


class Ears:
    """Voice activity, Smart Turn and words, each asked once about the same sound."""

    def __init__(self) -> None:
        store = ModelStore(default_models_dir(), load_catalogue())
        self._voices = SileroModel(store.require("silero-vad") / "silero_vad_16k_op15.onnx")
        smart_turn = store.require("smart-turn-v3.2") / "smart-turn-v3.2-cpu.onnx"
        self._smart_turn = SmartTurnModel(smart_turn)
        whisper = str(store.require("whisper-tiny.en"))
        self._whisper: Any = _ShortWhisper(whisper, device="cpu", compute_type="int8")
        self._told: dict[tuple[str, bytes], Any] = {}

    def voices(self, audio: Samples) -> list[float]:
        """The voice probability of each frame."""
        whole = audio[: len(audio) - len(audio) % FRAME_SAMPLES]
        found: list[float] = self._once("voices", whole, self._voices.detector().probabilities)
        return found

    def sound(self, audio: Samples) -> float:
        """Smart Turn's probability."""
        return float(self._once("sound", audio, self._smart_turn.probability))

    def words(self, audio: Samples) -> str:
        """What the recogniser hears."""
        return str(self._once("words", audio, self._hear))

    def gaps(self, audio: Samples) -> list[int]:
        """The samples at which words begin, after the first."""
        segments, _ = self._whisper.transcribe(audio, language="en", word_timestamps=True)
        words = [word for segment in segments for word in segment.words]
        return [round(word.start * RATE) for word in words[1:]]

    def _hear(self, audio: Samples) -> str:
        segments, _ = self._whisper.transcribe(audio, language="en", beam_size=1, temperature=0)
        return "".join(segment.text for segment in segments).strip()

    def _once(self, kind: str, audio: Samples, ask: Callable[[Samples], Any]) -> Any:
        key = (kind, audio.tobytes())
        if key not in self._told:
            self._told[key] = ask(audio)
        return self._told[key]


def silence(seconds: float) -> Samples:
    """So much of nothing, but for the least of noise."""
    count = round(seconds * RATE)
    return np.random.default_rng(7).normal(0, 1e-4, count).astype(np.float32)


def spoken(ears: Ears, limit: int) -> Iterator[Sentence]:
    """Up to `limit` sentences of the project's voice, and the recorded ones."""
    lines = (Path(__file__).parent / "sentences.txt").read_text(encoding="utf-8").splitlines()
    long_enough = [line for line in lines if len(line.split()) >= _LEAST_WORDS]
    voice = _piper()
    for line in long_enough[:: max(1, len(long_enough) // limit)][:limit]:
        sound = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(line))
        audio = np.frombuffer(sound, dtype="<i2").astype(np.float32) / 32768
        rate = voice.config.sample_rate
        yield _sentence(ears, soxr.resample(audio, rate, RATE))
    speech = ROOT / "tests" / "data" / "speech"
    for file in sorted(file for file in speech.iterdir() if file.suffix in {".wav", ".flac"}):
        yield _sentence(ears, decode_audio(str(file), sampling_rate=RATE))


def _piper() -> Any:
    from piper import PiperVoice

    store = ModelStore(default_models_dir(), load_catalogue())
    (model,) = store.require("piper-en_US-joe-medium").glob("*.onnx")
    return PiperVoice.load(str(model))


def _sentence(ears: Ears, audio: Samples) -> Sentence:
    """The sentence without silence at its ends, and the word gap nearest its middle."""
    hop = RATE // 100
    frames = audio[: len(audio) // hop * hop].reshape(-1, hop)
    energy = np.log10(np.mean(frames**2, axis=1) + 1e-9)
    loud = np.flatnonzero(energy > energy.max() - 4.0)
    audio = audio[loud[0] * hop : (loud[-1] + 1) * hop]
    energy = energy[loud[0] : loud[-1] + 1]
    middle = len(audio) // 2
    gap = min(ears.gaps(audio), key=lambda at: abs(at - middle), default=middle) // hop
    # The recogniser's times are rough: the gap is where there is the least sound near it.
    first = max(0, gap - 8)
    quietest = first + int(np.argmin(energy[first : gap + 9]))
    return Sentence(audio, quietest * hop + hop // 2)


def listen(
    ears: Ears, audio: Samples, resumes: int, rule: Rule, detection: TurnDetection
) -> Outcome:
    """How the rule does on one recording whose second half begins at sample `resumes`."""
    machine = TurnMachine(detection)
    due: list[tuple[int, int, int, float | None, str | None]] = []
    ends: list[tuple[float, float]] = []
    for index, probability in enumerate(ears.voices(audio)):
        for _, turn_id, revision, p, text in [entry for entry in due if entry[0] == index]:
            verdict = rule(p, text)
            if verdict is not None:
                machine.judge(turn_id, revision, verdict)
        for decision in machine.frame(probability):
            match decision:
                case SoftStopped():
                    first, end = decision.first_frame, decision.end_frame
                    turn = audio[first * FRAME_SAMPLES : end * FRAME_SAMPLES]
                    due += _verdicts(ears, rule, turn, decision)
                case TurnOver():
                    ends.append((machine.now * FRAME_S, decision.voice_end_frame * FRAME_S))
    over_s, voice_end_s = ends[-1]
    return Outcome(any(at_s <= resumes / RATE for at_s, _ in ends), over_s - voice_end_s)


def _verdicts(
    ears: Ears, rule: Rule, turn: Samples, stop: SoftStopped
) -> list[tuple[int, int, int, float | None, str | None]]:
    """What will be known of a soft stop, and at which frame."""
    sound = ears.sound(turn) if rule(0.0, None) is not None else None
    text = ears.words(turn) if rule(0.0, "") is not rule(0.0, "?") or rule(None, "?") else None
    told: list[tuple[int, int, int, float | None, str | None]] = []
    for after_s, p, words in ((SOUND_S, sound, None), (WORDS_S, sound, text)):
        at = stop.end_frame + round(after_s / FRAME_S)
        told.append((at, stop.turn_id, stop.revision, p, words))
    return told


def measure(limit: int = 40) -> dict[str, Any]:
    """Share of sentences cut and delay in ms, by rule; over all pauses, and cuts by each."""
    ears = Ears()
    sentences = list(spoken(ears, limit))
    rows = {}
    for name, (rule, fixed_s) in RULES.items():
        detection = TurnDetection(soft_stop_s=0.096)
        if fixed_s is not None:
            detection = replace(
                detection,
                complete_silence_s=fixed_s,
                unsure_silence_s=fixed_s,
                incomplete_silence_s=fixed_s,
            )
        found = {
            pause_s: [
                listen(ears, *sentence.with_pause(pause_s), rule, detection)
                for sentence in sentences
            ]
            for pause_s in PAUSES_S
        }
        every = [outcome for outcomes in found.values() for outcome in outcomes]
        delays = [outcome.delay_s for outcome in every]
        rows[name] = {
            "cut": _share(every),
            "cut_by_pause_s": {str(pause_s): _share(found[pause_s]) for pause_s in PAUSES_S},
            "delay_median_ms": round(1000 * median(delays)),
            "delay_p95_ms": round(1000 * float(np.percentile(delays, 95))),
        }
    return {"sentences": len(sentences), "pauses_s": list(PAUSES_S), "rules": rows}


def _share(outcomes: list[Outcome]) -> float:
    return round(sum(outcome.cut for outcome in outcomes) / len(outcomes), 3)


def table(found: dict[str, Any]) -> str:
    """The figures as a table for people."""
    pauses = "".join(f"{pause_s:>7} s" for pause_s in found["pauses_s"])
    lines = [
        f"{found['sentences']} sentences, each with each pause: share cut inside the pause, and ms",
        f"{'rule':<12}{'cut':>7}{pauses}{'median':>9}{'p95':>7}",
    ]
    for name, row in found["rules"].items():
        cuts = "".join(f"{share:>9.0%}" for share in row["cut_by_pause_s"].values())
        delays = f"{row['delay_median_ms']:>9}{row['delay_p95_ms']:>7}"
        lines.append(f"{name:<12}{row['cut']:>7.0%}{cuts}{delays}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 40)))
