"""A model, and another one that stands in for it where it cannot answer."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.conversations import Accepted
from voicemesh_trainer.errors import (
    ModelNotFoundError,
    ProviderOverloadedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_trainer.domain.conversations import Conversation, ModelEvent, ModelInfo
    from voicemesh_trainer.ports.language_models import LanguageModel, ProviderMeter

__all__ = ("FallbackModel",)

_logger = get_logger(__name__)

_FAILURES = (
    ModelNotFoundError,
    ProviderOverloadedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)


class FallbackModel:
    """A `LanguageModel` that answers by another one where the first has nothing to say.

    An answer that has begun is not begun again: its first words may have been spoken.

    Args:
        model: of a provider; opened and closed by this one.
        substitute: what stands in for it; whoever owns it opens and closes it.
        meter: told when that happens.
    """

    def __init__(
        self, model: LanguageModel, substitute: LanguageModel, meter: ProviderMeter
    ) -> None:
        self._model = model
        self._substitute = substitute
        self._meter = meter

    @property
    def info(self) -> ModelInfo:
        """Name and kind of the first model."""
        return self._model.info

    async def open(self) -> None:
        """Makes the first model ready."""
        await self._model.open()

    async def aclose(self) -> None:
        """Frees the first model."""
        await self._model.aclose()

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """See `LanguageModel.reply`; `Accepted` says who answers, and so comes late."""
        accepted: Accepted | None = None
        begun = False
        try:
            async with aclosing(self._model.reply(conversation)) as events:
                async for event in events:
                    if isinstance(event, Accepted):
                        accepted = event  # held back until it is sure
                        continue
                    if not begun and accepted is not None:
                        yield accepted
                    begun = True
                    yield event
        except _FAILURES as error:
            if begun:
                raise
            _logger.warning("another model stands in for the provider's", reason=error.reason)
            self._meter.fell_back(error.reason)
        else:
            return
        async with aclosing(self._substitute.reply(conversation)) as events:
            async for event in events:
                if isinstance(event, Accepted):
                    yield replace(event, answering=self._substitute.info)
                else:
                    yield event
