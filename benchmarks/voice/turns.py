"""A hundred questions to the bot in a voice channel: voice to voice, and where the time goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.report import Check, print_table
from benchmarks.voice.questions import FRAME_S, load_questions
from benchmarks.voice.services import room
from benchmarks.voice.stages import delays, milestones
from discordsim import NotSeenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.voice.questions import Question
    from benchmarks.voice.services import Room

__all__ = ("Turn", "ask", "measure_turns")

_MOST_MEDIAN_S = 0.6
_MOST_P95_S = 0.9
_PATIENCE_S = 8.0
_QUIET_S = 1.0
_SILENCE_FRAMES = 5


@dataclass(frozen=True)
class Turn:
    """A question, and what came of it; times are those of `time.monotonic`."""

    question: Question
    """What was asked."""
    began_s: float
    """When the first packet was sent."""
    end_s: float
    """When the last packet with voice was sent."""
    heard_s: float | None
    """When the first packet with sound came after that."""
    heard_before: bool
    """Whether the bot spoke into the question."""


async def measure_turns(report: Report, limit: int = 0) -> None:
    """Voice to voice of the bot."""
    questions = load_questions(limit)
    async with room() as made:
        await ask(made, questions[0])  # The first of all runs is slower, with all systems.
        turns = [await ask(made, question) for question in questions]
        await asyncio.sleep(0.5)
        events = made.events()
    _tell(report, turns, events)


async def ask(made: Room, question: Question) -> Turn:
    """Asks a question, and listens to the answer until it is over."""
    person, bot_id = made.person, made.bot_id
    began_s = asyncio.get_running_loop().time()
    said = await person.speak(question.parts[0])
    for part in question.parts[1:]:
        # What follows the last packet of speech: packets of silence, and then nothing.
        await asyncio.sleep(max(0.0, question.pause_s - _SILENCE_FRAMES * FRAME_S))
        said = await person.speak(part)
    end_s = said.last_voiced_time
    heard_s = None
    try:
        sound = await person.wait_for_sound(bot_id, since=end_s, timeout_s=_PATIENCE_S)
        heard_s = sound.time
        await person.wait_for_quiet(bot_id, for_s=_QUIET_S)
    except NotSeenError:
        pass
    before = person.heard(bot_id, since=began_s).audible()
    spoke = any(frame.time <= end_s for frame in before)
    return Turn(question, began_s, end_s, heard_s, spoke)


def _tell(report: Report, turns: Sequence[Turn], events: Sequence[Mapping[str, Any]]) -> None:
    marks = [milestones(turn, events) for turn in turns]
    cuts = [_is_cut(turn, events) for turn in turns]
    # An answer to half a question is no answer to it, however soon it comes.
    whole = [
        None if turn.heard_s is None or cut or turn.heard_before else turn.heard_s - turn.end_s
        for turn, cut in zip(turns, cuts, strict=True)
    ]
    stages: dict[str, list[float]] = {}
    for each in marks:
        for name, at_s in each.items():
            stages.setdefault(name, []).append(at_s)
    paused = [turn.question.gap > 0 for turn in turns]
    found: dict[str, Any] = {
        "turns": len(turns),
        "voice_to_voice_s": delays([each for each in whole if each is not None]),
        "paused": sum(paused),
        "cut": sum(cut for cut, has in zip(cuts, paused, strict=True) if has),
        "cut_without_pause": sum(cut for cut, has in zip(cuts, paused, strict=True) if not has),
        "heard_too_early": sum(turn.heard_before for turn in turns),
        "unanswered": sum(turn.heard_s is None for turn in turns),
        "stages_s": {name: delays(values) for name, values in stages.items()},
        "delays_s": [each and round(each, 3) for each in whole],
        "marks_s": [{name: round(at_s, 3) for name, at_s in each.items()} for each in marks],
    }
    report.measurements["turns"] = found
    rows = [
        (name, f"{stage['median'] * 1e3:.0f} ms", f"{stage['p95'] * 1e3:.0f} ms")
        for name, stage in found["stages_s"].items()
    ]
    print_table(("after the last sound", "median", "p95"), rows)
    print(
        f"\n{found['cut']} of {found['paused']} cut in a pause, {found['cut_without_pause']} "
        f"elsewhere; {found['heard_too_early']} spoken into, {found['unanswered']} unanswered"
    )
    delay = found["voice_to_voice_s"]
    report.checks += [
        Check.at_most("voice to voice, median s", delay["median"], _MOST_MEDIAN_S),
        Check.at_most("voice to voice, p95 s", delay["p95"], _MOST_P95_S),
        Check.at_most("turns without an answer", found["unanswered"], 0),
    ]


def _is_cut(turn: Turn, events: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the turn was taken to be over before it was."""
    return any(
        event["kind"] == "final" and turn.began_s < event["t_s"] <= turn.end_s for event in events
    )
