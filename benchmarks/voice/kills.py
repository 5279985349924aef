"""stt, tts and the trainer killed in the middle of a turn: what people are told, and what is lost.

Each is killed when it has work: stt while the person speaks, the trainer right after, tts while the
answer is heard. People must be told in a sentence, written or said. The service is then started
again; once the bot has said that it is back, questions are asked, and all must be answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.report import Check, print_table
from benchmarks.voice.questions import load_questions
from benchmarks.voice.services import BACKENDS, room
from benchmarks.voice.turns import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.report import Report
    from benchmarks.voice.questions import Question
    from benchmarks.voice.services import Room

__all__ = ("measure_kills",)

_TOLD_S = 15.0
_BACK_S = 60.0
_AFTERWARDS = 3
_PATIENCE_S = 10.0
_INTO_SPEECH_S = 0.8
_INTO_ANSWER_S = 0.3
_QUIET_S = 1.0
_MOST_BACK_S = 10.0


@dataclass(frozen=True)
class _Kill:
    """What became of one."""

    backend: str
    """Which service was killed."""
    sentences: Sequence[str]
    """What people were told until it was back."""
    told_s: float
    """From the kill until they were first told something."""
    back_s: float
    """From when the service served again until people were told that it is back."""
    answered: int
    """How many of the questions asked afterwards were answered."""


async def measure_kills(report: Report, asked: int = _AFTERWARDS) -> None:
    """Kills each service once."""
    questions = [each for each in load_questions() if not each.gap]
    found = []
    async with room() as made:
        await ask(made, questions[0])
        for number, name in enumerate(BACKENDS):
            own = questions[1 + number * (asked + 1) :][: asked + 1]
            found.append(await _kill(made, name, own))
    _tell(report, found, asked)


async def _kill(made: Room, name: str, questions: Sequence[Question]) -> _Kill:
    loop = asyncio.get_running_loop()
    backend, news = made.backends[name], _News(made)
    speaking = asyncio.create_task(made.person.speak(questions[0].parts[0]))
    if name == "stt":
        await asyncio.sleep(_INTO_SPEECH_S)
    else:
        said = await speaking
    if name == "tts":
        await made.person.wait_for_sound(
            made.bot_id, since=said.last_voiced_time, timeout_s=_PATIENCE_S
        )
        await asyncio.sleep(_INTO_ANSWER_S)
    await backend.kill()
    killed_s = loop.time()
    await speaking
    told_s = await news.next(_TOLD_S) - killed_s
    await made.person.wait_for_quiet(made.bot_id, for_s=_QUIET_S)
    await backend.start()
    started_s = loop.time()
    back_s = await news.next(_BACK_S, _is_good) - started_s
    await made.person.wait_for_quiet(made.bot_id, for_s=_QUIET_S)
    answered = 0
    for question in questions[1:]:
        answered += (await ask(made, question)).heard_s is not None
    return _Kill(name, news.sentences, told_s, back_s, answered)


def _is_good(sentence: str) -> bool:
    """Whether it says that a service is back, and not what to do once it is."""
    return sentence.endswith(" is back.") and "cannot" not in sentence


class _News:
    """What the bot writes from now on."""

    def __init__(self, made: Room) -> None:
        self._made = made
        self._since = len(self._messages())
        self.sentences: list[str] = []

    async def next(self, timeout_s: float, wanted: Callable[[str], bool] = lambda _: True) -> float:
        """When the next sentence of a kind came, in `time.monotonic`; infinite if none did."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + timeout_s
        while loop.time() < end_s:
            new = self._messages()[self._since + len(self.sentences) :]
            self.sentences += new
            if any(map(wanted, new)):
                return loop.time()
            await asyncio.sleep(0.02)
        return float("inf")

    def _messages(self) -> list[str]:
        made = self._made
        return [
            message.content
            for channel in (made.chat, made.bench)
            for message in made.sim.world.messages.history(channel.id)
            if message.author_id == made.bot_id
        ]


def _tell(report: Report, found: Sequence[_Kill], asked: int) -> None:
    report.measurements["kills"] = {
        kill.backend: {
            "sentences": list(kill.sentences),
            "told_s": round(kill.told_s, 3),
            "back_s": round(kill.back_s, 3),
            "answered_afterwards": kill.answered,
            "asked_afterwards": asked,
        }
        for kill in found
    }
    print_table(
        ("killed", "told after", "back after", "answered", "what people read"),
        [
            (
                kill.backend,
                f"{kill.told_s:.2f} s",
                f"{kill.back_s:.2f} s",
                f"{kill.answered} of {asked}",
                " / ".join(kill.sentences),
            )
            for kill in found
        ],
    )
    untold = sum(kill.told_s == float("inf") for kill in found)
    lost = sum(asked - kill.answered for kill in found)
    report.checks += [
        Check.at_most("kills without a sentence", untold, 0),
        Check.at_most(
            "back after the service, slowest s", max(k.back_s for k in found), _MOST_BACK_S
        ),
        Check.at_most("later turns lost to kills", lost, 0),
    ]
