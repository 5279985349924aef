"""The log says how the backends fare: once for each change, without words or keys."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.domain import (
    Backend,
    HistoryTurn,
    ModelEvent,
    ModelStarted,
    ModelText,
    Role,
    VoiceAudio,
)
from voicemesh_bot.journal import BackendJournal, journalled
from voicemesh_bot.ports import Backends
from voicemesh_chassis.errors import ServiceError, UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.unit

SECRET_WORDS = "the bearer abcdefgh said: my birthday is in May"


class Scripted:
    """All three backends; each call fails with the next error, or works where it is None."""

    def __init__(self, *outcomes: ServiceError | None) -> None:
        self.outcomes = list(outcomes)

    async def generate(self, *_: object, **__: object) -> AsyncGenerator[ModelEvent, None]:
        yield ModelStarted("response", "remote")
        self._next()
        yield ModelText("Hi.")

    async def speak(self, *_: object, **__: object) -> AsyncGenerator[VoiceAudio, None]:
        self._next()
        yield VoiceAudio(b"\0\0", 24_000, 0.1, (0, 1))

    listen = speak

    def _next(self) -> None:
        error = self.outcomes.pop(0)
        if error is not None:
            raise error


class Log:
    """The backends behind a journal, and the lines that it has written."""

    def __init__(self, caplog: pytest.LogCaptureFixture, *outcomes: ServiceError | None) -> None:
        self.journal = BackendJournal()
        self.calls = len(outcomes)
        scripted = Scripted(*outcomes)
        ports = Backends(scripted, scripted, scripted)  # type: ignore[arg-type]
        self.backends = journalled(ports, self.journal)
        self._caplog = caplog

    async def ask(self) -> None:
        history = [HistoryTurn(Role.USER, "my birthday is in May")]
        for _ in range(self.calls):
            with suppress(ServiceError):
                async with aclosing(self.backends.model.generate(history, tenant="t")) as answer:
                    async for _ in answer:
                        pass

    @property
    def lines(self) -> list[str]:
        assert {record.levelname for record in self._caplog.records} <= {"WARNING"}
        return [str(record.msg) for record in self._caplog.records]


async def test_a_refused_token_is_one_warning_and_its_end_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused = [UnauthenticatedError(SECRET_WORDS) for _ in range(3)]
    log = Log(caplog, *refused, None, None)
    await log.ask()

    fails, back = log.lines
    assert "UNAUTHENTICATED" in fails
    assert "trainer" in fails
    assert "back" in back
    assert "birthday" not in caplog.text
    assert "abcdefgh" not in caplog.text


async def test_another_failure_is_another_state(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog, UnavailableError("x"), UnauthenticatedError("x"), UnavailableError("x"))
    await log.ask()

    assert ["UNAUTHENTICATED" in line for line in log.lines] == [False, True, False]


async def test_what_health_and_calls_say_of_one_outage_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = Log(caplog, UnavailableError("x"))
    await log.ask()
    log.journal.note_ready(Backend.TRAINER, ready=False)
    log.journal.note_ready(Backend.TRAINER, ready=True)

    assert ["UNAVAILABLE" in line for line in log.lines] == [True, False]


def test_a_backend_that_is_well_from_the_start_is_not_mentioned(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = Log(caplog)
    log.journal.note_ready(Backend.STT, ready=True)

    assert log.lines == []


async def test_ears_and_voice_are_noted_too(caplog: pytest.LogCaptureFixture) -> None:
    log = Log(caplog, UnauthenticatedError("x"), UnavailableError("x"))

    async def nothing() -> AsyncGenerator[str, None]:
        yield ""

    hearing = log.backends.stt.listen(nothing(), sample_rate_hertz=16_000)  # type: ignore[arg-type]
    with pytest.raises(UnauthenticatedError):
        await anext(hearing)
    with pytest.raises(UnavailableError):
        await anext(log.backends.tts.speak(nothing()))

    assert ["stt" in line for line in log.lines] == [True, False]
