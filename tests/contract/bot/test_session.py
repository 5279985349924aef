"""A conversation in motion, with fakes behind it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

from voicemesh_bot.conversation.commands import (
    EndAudio,
    Outcome,
    PlayAudio,
    ShowMessage,
    ShowNotice,
    ShowPartial,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
    ShowTrouble,
    StopAudio,
)
from voicemesh_bot.conversation.events import BackendChanged, Played, StopPressed, Typed
from voicemesh_bot.domain import Backend, ModelEvent, ModelText
from voicemesh_bot.errors import AudienceGoneError
from voicemesh_bot.listening import ListeningOptions
from voicemesh_bot.session import Session, SessionOptions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.contract.bot.conftest import FakeBackends
    from voicemesh_bot.conversation.commands import FrontCommand

pytestmark = [pytest.mark.contract, pytest.mark.timeout(20)]

C = TypeVar("C")
OPTIONS = SessionOptions(tenant="test", listening=ListeningOptions(idle_s=0.05, retry_s=0.001))
LOUD, QUIET = b"\1\1" * 160, b"\0\0" * 160


class Witness:
    """An audience that remembers everything, plays at once, and can be waited for."""

    def __init__(self) -> None:
        self.seen: list[FrontCommand] = []
        self.session: Session | None = None
        self.plays = True
        self.gone = False
        self._news = asyncio.Event()

    async def deliver(self, command: FrontCommand) -> None:
        if self.gone:
            raise AudienceGoneError
        self.seen.append(command)
        self._news.set()
        if isinstance(command, EndAudio) and self.plays and self.session is not None:
            await self.session.post(Played(command.reply_id, command.duration_s))

    def all(self, kind: type[C]) -> list[C]:
        return [command for command in self.seen if isinstance(command, kind)]

    async def wait_for(self, kind: type[C], count: int = 1) -> C:
        while len(self.all(kind)) < count:
            self._news.clear()
            await self._news.wait()
        return self.all(kind)[count - 1]


@asynccontextmanager
async def _conversing(fakes: FakeBackends) -> AsyncIterator[tuple[Session, Witness]]:
    before = asyncio.all_tasks()
    witness = Witness()
    session = witness.session = Session(fakes.backends, witness, OPTIONS)
    running = asyncio.create_task(session.run())
    await asyncio.sleep(0)
    try:
        yield session, witness
    finally:
        running.cancel()
        await asyncio.wait({running})
    assert asyncio.all_tasks() - before == set()


async def test_a_written_message_is_answered_aloud(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        await session.post(Typed("ann", "What is the time?"))
        end = await witness.wait_for(ShowReplyEnd)

        assert end.outcome is Outcome.COMPLETE
        assert end.response_id == "response-1"
        assert "".join(c.text for c in witness.all(ShowReplyText)) == fakes.answer
        assert sum(c.audio.duration_s for c in witness.all(PlayAudio)) > 0.3
        assert [turn.text for turn in session.history] == ["What is the time?", fakes.answer]


async def test_a_model_that_ends_without_saying_so_does_not_hold_the_conversation(
    fakes: FakeBackends, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks_off(*_: object, **__: object) -> AsyncGenerator[ModelEvent, None]:
        yield ModelText("It is noon.")

    monkeypatch.setattr(fakes.model, "generate", breaks_off)
    async with _conversing(fakes) as (session, witness):
        await session.post(Typed("ann", "What is the time?"))

        assert (await witness.wait_for(ShowReplyEnd)).heard_text == "It is noon."


async def test_a_spoken_turn_is_answered_and_asked_only_once(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        await session.open_ear("ann", 16_000)
        session.hear("ann", LOUD)
        session.finish_turn("ann")
        await witness.wait_for(ShowReplyEnd)

        assert witness.all(ShowPartial)[0].stable == "What is"
        assert witness.all(ShowMessage)[0].spoken
        assert fakes.model.asked == [("what is the time",)]


async def test_turns_go_on_over_streams_that_idled_out(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        for number in (1, 2):
            await session.open_ear("ann", 16_000)
            session.hear("ann", LOUD)
            session.hear("ann", QUIET)
            await witness.wait_for(ShowReplyEnd, number)
            await asyncio.sleep(0.1)

        assert [c.text for c in witness.all(ShowMessage)] == [fakes.words, fakes.words]


async def test_another_sample_rate_opens_another_ear(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        for number, rate in ((1, 16_000), (2, 48_000)):
            await session.open_ear("ann", rate)
            session.hear("ann", LOUD)
            session.finish_turn("ann")
            await witness.wait_for(ShowReplyEnd, number)


async def test_a_speaker_who_comes_back_is_heard_again(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        for number in (1, 2):
            await session.open_ear("ann", 16_000)
            session.hear("ann", LOUD)
            session.finish_turn("ann")
            await witness.wait_for(ShowReplyEnd, number)
            await session.close_ear("ann")

        assert [c.turn_id for c in witness.all(ShowMessage)] == [1, 2]


async def test_stop_ends_the_model_and_the_sound(fakes: FakeBackends) -> None:
    fakes.model.hold = asyncio.Event()
    async with _conversing(fakes) as (session, witness):
        await session.post(Typed("ann", "Talk."))
        await witness.wait_for(ShowReplyText)
        await session.post(StopPressed())

        assert (await witness.wait_for(ShowReplyEnd)).outcome is Outcome.STOPPED
        assert not witness.all(PlayAudio)


async def test_a_new_message_cuts_the_sound_of_the_last_answer(fakes: FakeBackends) -> None:
    async with _conversing(fakes) as (session, witness):
        witness.plays = False
        await session.post(Typed("ann", "One?"))
        await witness.wait_for(EndAudio)
        await session.post(Played(1, 0.3))  # The first sentence lasts 0.22 s.
        await session.post(Typed("ann", "Two?"))
        await witness.wait_for(StopAudio)

        assert witness.all(ShowReplyEnd)[0].heard_text == "It is noon."


@pytest.mark.parametrize("backend", list(Backend))
async def test_the_conversation_outlives_each_backend(
    fakes: FakeBackends, backend: Backend
) -> None:
    async with _conversing(fakes) as (session, witness):
        fakes.set_down(backend, down=True)
        await session.open_ear("ann", 16_000)
        session.hear("ann", LOUD)
        session.finish_turn("ann")
        await witness.wait_for(ShowTrouble)
        await session.post(Typed("ann", "Still there?"))
        await witness.wait_for(ShowReplyEnd)
        # The model's failure is said where the answer should be, the others' above.
        assert len(witness.all(ShowNotice)) == (0 if backend is Backend.TRAINER else 1)

        fakes.set_down(backend, down=False)
        await session.post(BackendChanged(backend, ready=True))
        await witness.wait_for(ShowTrouble, 2)
        before = len(witness.all(ShowReplyStart))
        session.hear("ann", LOUD)
        session.finish_turn("ann")
        await witness.wait_for(ShowReplyStart, before + 1)
        await witness.wait_for(ShowReplyEnd, before + 1)
        assert witness.all(ShowReplyEnd)[-1].outcome is Outcome.COMPLETE


async def test_a_session_ends_when_its_audience_has_gone(fakes: FakeBackends) -> None:
    before = asyncio.all_tasks()
    witness = Witness()
    session = Session(fakes.backends, witness, OPTIONS)
    running = asyncio.create_task(session.run())
    witness.gone = True
    await session.post(Typed("ann", "Anybody?"))
    await running

    assert asyncio.all_tasks() - before == set()
