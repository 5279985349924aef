"""The models of this server, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.errors import ModelNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain import ModelInfo
    from voicemesh_trainer.ports import LanguageModel

__all__ = ("ModelRoster",)


class ModelRoster:
    """Knows which models a tenant may use; the first is the default one.

    Args:
        models: at least one; not yet opened.
    """

    def __init__(self, models: Sequence[LanguageModel]) -> None:
        self._default = models[0]
        self._models = {model.info.name: model for model in models}

    def find(self, tenant: str, name: str) -> LanguageModel:
        """The model that a tenant calls `name`; the default one if `name` is empty.

        Raises:
            ModelNotFoundError: if the tenant has no such model.
        """
        # Models of a tenant's own come with training; until then all tenants have the server's.
        model = self._models.get(name) if name else self._default
        if model is None:
            msg = "there is no model of this name; ListModels tells which there are"
            raise ModelNotFoundError(msg, field="model", metadata={"model": name})
        return model

    def models(self) -> tuple[ModelInfo, ...]:
        """All models that every tenant may use, the default one first."""
        return tuple(model.info for model in self._models.values())

    def is_default(self, info: ModelInfo) -> bool:
        """Whether this is the model that answers if a request names none."""
        return info.name == self._default.info.name

    async def open(self) -> None:
        """Makes all models ready. Raises `StartupError` if one cannot be used."""
        for model in self._models.values():
            await model.open()

    async def aclose(self) -> None:
        """Frees all models."""
        for model in self._models.values():
            await model.aclose()
