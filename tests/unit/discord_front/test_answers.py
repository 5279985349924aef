"""Answers of one channel come in order, are bounded, and leave a truthful history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest

from voicemesh_bot.discord_front.answers import ChannelBusyError, Question, WrittenAnswers
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.domain import HistoryTurn, ModelEvent, ModelText
from voicemesh_chassis.errors import UnavailableError

pytestmark = pytest.mark.unit


class Model:
    """Answers with the question, when the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.running = 0
        self.most_running = 0
        self.error: Exception | None = None

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.gate.wait()
            if self.error is not None:
                raise self.error
            yield ModelText(f"{tenant} {history[-1].text}")
        finally:
            self.running -= 1


class Wall:
    """A canvas that keeps what it shows."""

    def __init__(self) -> None:
        self.pages: tuple[str, ...] = ()

    async def show(self, pages: Sequence[str]) -> None:
        self.pages = tuple(pages)


def answering_by(model: Model, waiting_per_channel: int = 4) -> WrittenAnswers:
    histories = Histories(turns_per_channel=8, channels=8)
    return WrittenAnswers(model, histories, lambda: 0.0, waiting_per_channel=waiting_per_channel)


def question(text: str, channel: int = 1) -> Question:
    return Question(tenant="t", channel_id=channel, speaker="ann", text=text)


async def test_a_channel_takes_one_question_at_a_time_and_a_few_in_waiting() -> None:
    model = Model()
    answering = answering_by(model, waiting_per_channel=2)
    walls = [Wall(), Wall()]
    waiting = [
        asyncio.create_task(answering.answer(question(str(number)), wall))
        for number, wall in enumerate(walls)
    ]
    await asyncio.sleep(0)

    with pytest.raises(ChannelBusyError):
        await answering.answer(question("one too many"), Wall())
    model.gate.set()
    await asyncio.gather(*waiting)

    assert [wall.pages for wall in walls] == [("t 0",), ("t 1",)]
    assert model.most_running == 1


async def test_channels_do_not_wait_for_each_other() -> None:
    model = Model()
    answering = answering_by(model)
    tasks = [
        asyncio.create_task(answering.answer(question("x", channel), Wall())) for channel in (1, 2)
    ]
    while model.running < 2:
        await asyncio.sleep(0)

    model.gate.set()
    await asyncio.gather(*tasks)

    assert model.most_running == 2


async def test_a_failed_answer_is_not_remembered() -> None:
    model = Model()
    model.gate.set()
    model.error = UnavailableError("gone")
    answering = answering_by(model)

    with pytest.raises(UnavailableError):
        await answering.answer(question("x"), Wall())

    assert answering.histories.turns(1) == ()


async def test_a_cancelled_answer_stops_the_model_and_frees_the_channel() -> None:
    model = Model()
    answering = answering_by(model, waiting_per_channel=1)
    task = asyncio.create_task(answering.answer(question("x"), Wall()))
    while not model.running:
        await asyncio.sleep(0)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    model.gate.set()
    wall = Wall()
    await answering.answer(question("again"), wall)

    assert model.running == 0
    assert wall.pages == ("t again",)
