"""Answers as the tenant's people taught: from memory, or by a model that is shown what they said.

Memory stands before the models, not in them: what was taught a moment ago counts at once, and for
every model alike.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.conversations import (
    Delta,
    Finished,
    FinishReason,
    Started,
    TokenUsage,
)
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.lessons import Recalled, Response
from voicemesh_trainer.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_trainer.memory.avoidance import AvoidanceGuard

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from voicemesh_trainer.domain.conversations import Conversation, GenerationEvent, Sampling
    from voicemesh_trainer.generation import Generation
    from voicemesh_trainer.memory.recall import Recall
    from voicemesh_trainer.ports.memory import LessonStore, RecallMeter

__all__ = ("MEMORY", "AnswerSettings", "TaughtAnswers")

_logger = get_logger(__name__)

MEMORY = "memory"
"""What answers that come from memory name in place of a model."""

_SECOND_TRY_TEMPERATURE = 0.9
_MOST_KEEPING = 64


@dataclass(frozen=True)
class AnswerSettings:
    """How memory takes part."""

    recall_s: float
    """Longest wait for memory before a model is asked without it, in seconds."""
    at_a_loss: str
    """Said where the model knows only answers that people called wrong."""
    keeps_responses: bool
    """Whether answers are kept, so that they can be corrected by their id."""


@dataclass
class _Told:
    """What was told of one answer so far."""

    response_id: str = ""
    model: str = ""
    text: str = ""
    kept: bool = False


class TaughtAnswers:
    """Answers conversations, from memory where it can."""

    def __init__(
        self,
        generation: Generation,
        recall: Recall,
        store: LessonStore,
        settings: AnswerSettings,
        meter: RecallMeter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Takes the parts.

        Args:
            generation: answers by a model.
            recall: looks up what was taught.
            store: where answers are kept for correction.
            settings: how memory takes part.
            meter: counts what memory does.
            clock: seconds, for durations.
        """
        self._generation = generation
        self._recall = recall
        self._store = store
        self._settings = settings
        self._meter = meter
        self._clock = clock
        self._keeping: set[asyncio.Task[None]] = set()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """Yields one `Started`, then `Delta`s, then one `Finished`. Raises as `Generation.answer`.

        The answer is kept for correction before `Finished`; one that is broken off, soon after.
        """
        began_s = self._clock()
        recalled = await self._recalled(conversation)
        told = _Told()
        events = (
            self._from_memory(recalled, began_s)
            if recalled.answer
            else self._from_model(conversation, recalled)
        )
        try:
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, Started):
                        told.response_id, told.model = event.response_id, event.model
                    elif isinstance(event, Delta):
                        told.text += event.text
                    else:
                        await self._keep(conversation, told)
                    yield event
        finally:
            if told.text and not told.kept and len(self._keeping) < _MOST_KEEPING:
                task = asyncio.create_task(self._keep(conversation, told), name="keep an answer")
                self._keeping.add(task)
                task.add_done_callback(self._keeping.discard)

    async def aclose(self) -> None:
        """Waits until the answers that were broken off are kept."""
        await asyncio.gather(*self._keeping)

    async def _recalled(self, conversation: Conversation) -> Recalled:
        if conversation.memory_disabled:
            return Recalled()
        question = conversation.history[-1].text
        state = conversation.tenant_state
        began_s = self._clock()
        try:
            async with asyncio.timeout(self._settings.recall_s):
                recalled = await self._recall.recall(
                    conversation.tenant,
                    question,
                    in_context=len(conversation.history) > 1,
                    last_change=None if state is None else state.last_change,
                )
        except (TimeoutError, DatabaseUnavailableError) as error:
            # People would rather have an answer without memory than none.
            self._meter.missed()
            _logger.warning("memory not asked", cause=type(error).__name__)
            return Recalled()
        self._meter.recalled(recalled, self._clock() - began_s)
        return recalled

    async def _from_memory(
        self, recalled: Recalled, began_s: float
    ) -> AsyncGenerator[GenerationEvent, None]:
        yield Started(new_id(), MEMORY, 0)
        first_s = self._clock() - began_s
        yield Delta(recalled.answer)
        total_s = self._clock() - began_s
        yield Finished(FinishReason.CORRECTION, TokenUsage(), first_s, total_s, recalled.used)

    async def _from_model(
        self, conversation: Conversation, recalled: Recalled
    ) -> AsyncGenerator[GenerationEvent, None]:
        taught = replace(conversation, examples=recalled.examples)
        guard = AvoidanceGuard(recalled.avoided)
        started: Started | None = None
        for sampling in self._samplings(conversation):
            answer = self._generation.answer(replace(taught, sampling=sampling))
            async with aclosing(answer) as events:
                async for event in events:
                    if isinstance(event, Started):
                        # A second try goes on under the name of the first.
                        if started is None:
                            started = event
                            yield event
                    elif isinstance(event, Delta):
                        if words := guard.feed(event.text):
                            yield Delta(words)
                    else:
                        finished = event
            if not guard.is_avoided:
                if words := guard.finish():
                    yield Delta(words)
                yield replace(finished, examples=recalled.used)
                return
            guard = AvoidanceGuard(recalled.avoided)
        yield Delta(self._settings.at_a_loss)
        yield replace(finished, reason=FinishReason.STOP, examples=recalled.used)

    def _samplings(self, conversation: Conversation) -> tuple[Sampling, ...]:
        first = conversation.sampling
        seed = None if first.seed is None else first.seed + 1
        return first, replace(first, temperature=_SECOND_TRY_TEMPERATURE, seed=seed)

    async def _keep(self, conversation: Conversation, told: _Told) -> None:
        told.kept = True
        if not (self._settings.keeps_responses and told.response_id):
            return
        question = conversation.history[-1].text
        response = Response(told.response_id, conversation.tenant, question, told.text, told.model)
        try:
            await self._store.keep_response(response)
        except (DatabaseUnavailableError, StorageFullError):
            self._meter.missed()
            _logger.warning("an answer is not kept; it cannot be corrected by its id")
