"""The work behind one answer: a task that asks the language model and one that speaks."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.events import (
    ReplyFailed,
    ReplyProgress,
    VoiceFailed,
    VoiceFinished,
    VoiceProgress,
)
from voicemesh_bot.domain import Backend, ModelFinished
from voicemesh_bot.feeds import TextFeed
from voicemesh_bot.problems import problem_from
from voicemesh_chassis.errors import ServiceError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import HistoryTurn, VoiceChoice
    from voicemesh_bot.ports import Backends

__all__ = ("Answering",)


class Answering:
    """Runs the model and the voice for one answer and posts what comes of it."""

    def __init__(
        self,
        reply_id: int,
        backends: Backends,
        post: Callable[[Event], Awaitable[None]],
        tasks: asyncio.TaskGroup,
        *,
        tenant: str,
        voice: VoiceChoice,
    ) -> None:
        self._reply_id = reply_id
        self._backends = backends
        self._post = post
        self._tasks = tasks
        self._tenant = tenant
        self._choice = voice
        self._text = TextFeed()
        self._model: asyncio.Task[None] | None = None
        self._voice: asyncio.Task[None] | None = None

    def begin(self, history: tuple[HistoryTurn, ...]) -> None:
        """Asks the language model."""
        name = f"model for reply {self._reply_id}"
        self._model = self._tasks.create_task(self._generate(history), name=name)

    def speak(self, text: str) -> None:
        """Hands text to the voice; the first text opens it."""
        if self._voice is None:
            name = f"voice for reply {self._reply_id}"
            self._voice = self._tasks.create_task(self._speak(), name=name)
        self._text.put(text)

    def end_speech(self) -> None:
        """Says that the voice has all text."""
        self._text.end()

    def stop_model(self) -> None:
        """Ends the model's work."""
        if self._model is not None:
            self._model.cancel()

    def stop_voice(self) -> None:
        """Ends the voice's work."""
        if self._voice is not None:
            self._voice.cancel()

    async def _generate(self, history: tuple[HistoryTurn, ...]) -> None:
        try:
            answer = self._backends.model.generate(history, tenant=self._tenant)
            async with aclosing(answer) as events:
                async for event in events:
                    await self._post(ReplyProgress(self._reply_id, event))
            # Once more where the model has said so; else its answer would never end.
            await self._post(ReplyProgress(self._reply_id, ModelFinished()))
        except ServiceError as error:
            problem = problem_from(Backend.TRAINER, error)
            await self._post(ReplyFailed(self._reply_id, problem))

    async def _speak(self) -> None:
        try:
            speech = self._backends.tts.speak(
                self._text.pieces(),
                tenant=self._tenant,
                voice=self._choice.voice,
                language_code=self._choice.language_code,
            )
            async with aclosing(speech) as sounds:
                async for audio in sounds:
                    await self._post(VoiceProgress(self._reply_id, audio))
        except ServiceError as error:
            await self._post(VoiceFailed(self._reply_id, problem_from(Backend.TTS, error)))
        else:
            await self._post(VoiceFinished(self._reply_id))
