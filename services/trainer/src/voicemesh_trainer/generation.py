"""Runs one answer: finds the model, keeps time, and turns what it writes into events."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ulid import ULID

from voicemesh_trainer.answer import AnswerText
from voicemesh_trainer.domain.conversations import (
    Accepted,
    Delta,
    Ended,
    Finished,
    FinishReason,
    Piece,
    Started,
    TokenUsage,
)
from voicemesh_trainer.errors import GenerationTimeoutError, ModelFailedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from voicemesh_trainer.domain.conversations import Conversation, GenerationEvent, ModelEvent
    from voicemesh_trainer.ports.language_models import AnswerMeters
    from voicemesh_trainer.roster import ModelRoster

__all__ = ("Generation", "GenerationLimits")


@dataclass(frozen=True)
class GenerationLimits:
    """How long an answer may take."""

    total_s: float
    """The whole answer, in seconds."""
    silence_s: float
    """Between two signs of life of the model, in seconds."""


@dataclass
class _Answer:
    """One answer as it grows."""

    text: AnswerText
    began_s: float
    first_s: float | None = None
    pieces: int = 0
    ended: Ended | None = None

    def usage(self) -> TokenUsage:
        """What the model says it cost, or what was seen if it was stopped before it could say."""
        return self.ended.usage if self.ended else TokenUsage(output_tokens=self.pieces)


class Generation:
    """Answers conversations with the models of a roster; holds nothing between two answers."""

    def __init__(
        self,
        roster: ModelRoster,
        limits: GenerationLimits,
        meters: AnswerMeters,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roster = roster
        self._limits = limits
        self._meters = meters
        self._clock = clock

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """Yields one `Started`, then `Delta`s, then one `Finished`.

        Closing the generator, or cancelling the task that drives it, stops the model.

        Raises:
            ServiceError: what `ModelRoster.lease` raises, if the model cannot be had.
            GenerationTimeoutError: if it takes too long.
            ServiceError: what the model raises, see `LanguageModel.reply`.
        """
        began_s = self._clock()
        answer = _Answer(AnswerText(conversation.sampling.stop_sequences), began_s)
        lent = self._roster.lease(
            conversation.tenant, conversation.model, conversation.tenant_state
        )
        async with lent as model:
            with self._meters.measure(model.info) as meter:
                async with aclosing(model.reply(conversation)) as events:
                    while answer.ended is None and not answer.text.stopped:
                        event = await self._next(events, answer)
                        meter.read(event)
                        if isinstance(event, Accepted):
                            answering = event.answering or model.info
                            yield Started(str(ULID()), answering.name, event.omitted_turns)
                        elif words := self._words(event, answer):
                            yield Delta(words)
                finished = self._finished(answer)
                meter.finish(finished.reason)
        yield finished

    async def _next(self, events: AsyncGenerator[ModelEvent, None], answer: _Answer) -> ModelEvent:
        left_s = self._limits.total_s - (self._clock() - answer.began_s)
        try:
            async with asyncio.timeout(max(0.0, min(left_s, self._limits.silence_s))):
                return await anext(events)
        except TimeoutError:
            if left_s <= self._limits.silence_s:
                msg = f"the answer was not complete after {self._limits.total_s:g} s"
            else:
                msg = f"the model was silent for {self._limits.silence_s:g} s"
            raise GenerationTimeoutError(msg) from None
        except StopAsyncIteration:
            msg = "the model ended its answer without saying why"
            raise ModelFailedError(msg) from None

    def _words(self, event: Piece | Ended, answer: _Answer) -> str:
        if isinstance(event, Ended):
            answer.ended = event
            words = answer.text.finish()
        else:
            answer.pieces += 1
            words = answer.text.feed(event.text)
        if words and answer.first_s is None:
            answer.first_s = self._clock() - answer.began_s
        return words

    def _finished(self, answer: _Answer) -> Finished:
        stopped = answer.ended is None or answer.text.stopped
        reason = FinishReason.STOP if stopped or not answer.ended else answer.ended.reason
        total_s = self._clock() - answer.began_s
        return Finished(reason, answer.usage(), answer.first_s, total_s)
