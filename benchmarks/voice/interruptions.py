"""Interrupted at random points of its answers: how soon the bot is silent, and what it remembers.

The person asks for something long, listens for a while, and asks something else. What the bot then
believes to have said, by its event log, must be what the person heard: the stt service writes the
recording down, and the words are compared. The last word may be cut, and differ.
"""

from __future__ import annotations

import asyncio
import io
import random
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Check, print_table
from benchmarks.voice.questions import RATE_HERTZ, spoken, spoken_by
from benchmarks.voice.services import room
from benchmarks.voice.stages import delays
from benchmarks.words import plain_words
from discordsim import NotSeenError, Speech
from voicemesh_client.stt import SpeechToText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.voice.services import Room
    from discordsim.people.ears import Heard

__all__ = ("measure_interruptions",)

_POINTS = 20
_SEED = 12
_MOST_SILENT_S = 0.12
_MOST_ERRORS = 0.1
_TRIES = 3
_AFTER_S = (0.3, 1.5)
_PATIENCE_S = 8.0
_QUIET_S = 1.2
_LONG = (
    "Tell me a long story about a king and his dog.",
    "Tell me everything about horses and cows.",
    "Explain to me how people make bread and cheese.",
    "Describe the sea and the mountains to me.",
    "Tell me what I should see when I visit Paris.",
)
_INSTEAD = (
    "No, tell me what is the capital of Spain?",
    "Wait, how many legs does a spider have?",
    "Stop, I want to know who painted the Mona Lisa.",
    "Let me ask you something else, what do cows drink?",
)


@dataclass(frozen=True)
class _Interruption:
    """One of them."""

    silent_s: float
    """From the decision to the last packet with sound; 0 if none came after it."""
    noticed_s: float
    """From the first packet of the interruption to the last packet with sound."""
    believed: str
    """What the bot believes to have said."""
    recorded: str
    """What was heard, as stt writes it down."""
    goes_on: bool
    """Whether the interruption was answered."""

    @property
    def errors(self) -> float:
        """Share of the words that differ, the last one of each aside."""
        believed, recorded = plain_words(self.believed), plain_words(self.recorded)
        ends = ((b, r) for b in (0, 1) for r in (0, 1))
        found = min(_distance(_cut(believed, b), _cut(recorded, r)) for b, r in ends)
        return found / max(1, len(believed) - 1)


async def measure_interruptions(report: Report, points: int = _POINTS) -> None:
    """Silence, memory and what follows, at so many points."""
    chance = random.Random(_SEED)  # noqa: S311 - repeatable, no secret
    voice = spoken_by()
    long, instead = (
        [Speech.from_samples(spoken(voice, text), RATE_HERTZ) for text in texts]
        for texts in (_LONG, _INSTEAD)
    )
    found: list[_Interruption] = []
    settings = {"record__event_log_words": "true", "conversation__max_output_tokens": "128"}
    async with room(**settings) as made, SpeechToText(made.backends["stt"].target) as stt:
        for number in range(points * _TRIES):
            if len(found) == points:
                break
            after_s = chance.uniform(*_AFTER_S)
            question = long[number % len(long)]
            one = await _interrupt(made, stt, question, instead[number % len(instead)], after_s)
            if one is not None:
                found.append(one)
    _tell(report, found, points)


async def _interrupt(
    made: Room, stt: SpeechToText, question: Speech, instead: Speech, after_s: float
) -> _Interruption | None:
    """Asks, and asks something else; None if the answer was over before."""
    person, bot_id = made.person, made.bot_id
    asked = await person.speak(question)
    try:
        sound = await person.wait_for_sound(
            bot_id, since=asked.last_voiced_time, timeout_s=_PATIENCE_S
        )
    except NotSeenError:
        return None
    await asyncio.sleep(after_s)
    said = await person.speak(instead)
    goes_on = True
    try:
        await person.wait_for_sound(
            bot_id, since=said.last_voiced_time + 0.1, timeout_s=_PATIENCE_S
        )
    except NotSeenError:
        goes_on = False
    await person.wait_for_quiet(bot_id, for_s=_QUIET_S)
    await asyncio.sleep(0.3)
    events = [e for e in made.events() if e["t_s"] > sound.time - 1.0]
    ended = next((e for e in events if e["kind"] == "reply_ended" and e["t_s"] > sound.time), None)
    if ended is None or ended["outcome"] != "interrupted" or ended["t_s"] < said.started_time:
        return None
    own = [e for e in events if e.get("reply") == ended["reply"]]
    decided_s = _decided(own)
    heard = person.heard(bot_id, since=sound.time)
    until_s = _next_sound(events, ended)
    audible = [frame.time for frame in heard.audible() if frame.time < until_s]
    return _Interruption(
        max(0.0, audible[-1] - decided_s),
        audible[-1] - said.started_time,
        ended["text"],
        (await stt.transcribe(_wav(heard, audible[-1]))).text,
        goes_on,
    )


def _decided(own: Sequence[Mapping[str, Any]]) -> float:
    """When it was decided that the answer is silent: the last such decision that was kept."""
    since_s: float | None = None
    for event in own:
        if event["kind"] == "resumed":
            since_s = None
        elif event["kind"] in {"paused", "stopped"} and since_s is None:
            since_s = event["t_s"]
    return float(own[-1]["t_s"]) if since_s is None else float(since_s)


def _next_sound(events: Sequence[Mapping[str, Any]], ended: Mapping[str, Any]) -> float:
    """When another answer was first played."""
    others = (
        e["t_s"]
        for e in events
        if e["kind"] == "played" and e["reply"] != ended["reply"] and e["t_s"] > ended["t_s"]
    )
    return min(others, default=float("inf")) - 0.03


def _wav(heard: Heard, until_s: float) -> bytes:
    """What was heard until then, and a little silence, as a file."""
    kept = type(heard)(tuple(frame for frame in heard.frames if frame.time <= until_s))
    samples = np.pad(kept.samples(), (0, RATE_HERTZ // 4))
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HERTZ)
        writer.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def _cut(words: Sequence[str], count: int) -> Sequence[str]:
    return words[: len(words) - count] if count else words


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Words to be put in, taken out or changed."""
    row = list(range(len(other) + 1))
    for count, word in enumerate(one, start=1):
        above, row = row, [count]
        for place, against in enumerate(other):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (word != against)))
    return row[-1]


def _tell(report: Report, found: Sequence[_Interruption], points: int) -> None:
    wrong = [one for one in found if one.errors > 0]
    words = sum(len(plain_words(one.believed)) for one in found)
    errors = sum(one.errors * max(1, len(plain_words(one.believed)) - 1) for one in found)
    silent = delays([one.silent_s for one in found])
    slowest_s = max((one.silent_s for one in found), default=0.0)
    report.measurements["interruptions"] = {
        "points": len(found),
        "silent_after_decision_s": silent | {"slowest": round(slowest_s, 4)},
        "silent_after_first_word_s": delays([one.noticed_s for one in found]),
        "words": words,
        "differing_share": round(errors / max(1, words), 4),
        "differing": [{"believed": one.believed, "recorded": one.recorded} for one in wrong],
        "went_on": sum(one.goes_on for one in found),
    }
    print_table(
        ("believed to have said", "heard, as stt writes it down"),
        [(one.believed, one.recorded) for one in wrong] or [("(no difference)", "")],
    )
    report.checks += [
        Check.at_least("answers interrupted", len(found), points),
        Check.at_most("silent after the decision, slowest s", slowest_s, _MOST_SILENT_S),
        Check.at_most("words that differ from the recording", errors / max(1, words), _MOST_ERRORS),
        Check.at_most("interruptions not answered", sum(not one.goes_on for one in found), 0),
    ]
