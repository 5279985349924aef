"""A model behind a circuit: refused at once while its provider is known to fail."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import Piece
from voicemesh_trainer.errors import (
    ModelNotFoundError,
    ProviderOverloadedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from voicemesh_trainer.provider.circuit import Refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from voicemesh_trainer.domain.conversations import Conversation, ModelEvent, ModelInfo
    from voicemesh_trainer.ports.language_models import LanguageModel, ProviderMeter
    from voicemesh_trainer.provider.circuit import Allowed, Circuit

__all__ = ("GuardedModel",)

_SPOKEN = (ModelNotFoundError, ProviderOverloadedError, ProviderRefusedError)
"""Refusals by the provider itself: it is there. Others may come from before it was asked."""


class GuardedModel:
    """A `LanguageModel` that asks another one only while the circuit lets it.

    Args:
        model: of a provider; opened and closed by this one.
        circuit: of that provider; shared by all of its models.
        meter: told what the circuit does.
        first_words_s: longest wait for the first words, in seconds; None leaves that to the model.
        clock: the time in seconds.
    """

    def __init__(
        self,
        model: LanguageModel,
        circuit: Circuit,
        meter: ProviderMeter,
        *,
        first_words_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._circuit = circuit
        self._meter = meter
        self._first_words_s = first_words_s
        self._clock = clock

    @property
    def info(self) -> ModelInfo:
        """Name and kind of the model."""
        return self._model.info

    async def open(self) -> None:
        """Makes the model ready."""
        self._meter.circuit(self._circuit.state)
        await self._model.open()

    async def aclose(self) -> None:
        """Frees the model."""
        await self._model.aclose()

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """See `LanguageModel.reply`; unavailable while the circuit is open."""
        permission = self._circuit.ask(self._clock())
        self._meter.circuit(self._circuit.state)
        if isinstance(permission, Refused):
            msg = "the model provider has failed several times and is left alone for a while"
            raise ProviderUnavailableError(msg, retry_after_s=permission.retry_after_s)
        try:
            async with aclosing(self._events(conversation, permission)) as events:
                async for event in events:
                    yield event
        finally:
            self._meter.circuit(self._circuit.state)

    async def _events(
        self, conversation: Conversation, allowed: Allowed
    ) -> AsyncGenerator[ModelEvent, None]:
        answered = False
        try:
            async with aclosing(self._model.reply(conversation)) as events:
                due_s = None if self._first_words_s is None else self._clock() + self._first_words_s
                while (event := await self._next(events, due_s)) is not None:
                    if isinstance(event, Piece):
                        answered, due_s = True, None
                    yield event
        except ProviderUnavailableError:
            self._circuit.failed(allowed, self._clock())
            raise
        except _SPOKEN:
            self._circuit.succeeded(allowed)
            raise
        except BaseException:
            if answered:
                self._circuit.succeeded(allowed)
            else:
                self._circuit.abandoned(allowed, self._clock())
            raise
        self._circuit.succeeded(allowed)

    async def _next(
        self, events: AsyncGenerator[ModelEvent, None], due_s: float | None
    ) -> ModelEvent | None:
        left_s = None if due_s is None else max(0.0, due_s - self._clock())
        try:
            async with asyncio.timeout(left_s) as deadline:
                return await anext(events, None)
        except TimeoutError:
            if not deadline.expired():
                raise
            msg = f"the model provider had no words after {self._first_words_s:g} s"
            raise ProviderUnavailableError(msg) from None
