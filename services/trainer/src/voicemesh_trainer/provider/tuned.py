"""Models that tenants trained at a provider."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import ModelInfo
from voicemesh_trainer.errors import ModelUnusableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from voicemesh_trainer.domain.models import TunedModel
    from voicemesh_trainer.ports.language_models import LanguageModel

__all__ = ("ProviderModels",)


class ProviderModels:
    """A `TunedModels` for a provider, where models are always in memory.

    Args:
        make: gives a model of the provider by its name here and its name there.
    """

    def __init__(self, make: Callable[[ModelInfo, str], LanguageModel]) -> None:
        self._make = make

    @asynccontextmanager
    async def lease(self, model: TunedModel) -> AsyncIterator[LanguageModel]:
        """See `TunedModels.lease`."""
        if model.provider_model is None:
            msg = f"it is not recorded what the provider calls model {model.name}; promote another"
            raise ModelUnusableError(msg, metadata={"model": model.name})
        info = ModelInfo(model.name, model.backend, model.license, tuned=True)
        yield self._make(info, model.provider_model)
