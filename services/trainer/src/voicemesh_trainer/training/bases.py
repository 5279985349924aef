"""Which models can be trained from, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.domain.jobs import BackendName
from voicemesh_trainer.errors import ModelNotFoundError, ModelUnusableError
from voicemesh_trainer.ports.training import BaseModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain.conversations import ModelInfo
    from voicemesh_trainer.domain.models import TunedModel
    from voicemesh_trainer.ports.models import ModelRows

__all__ = ("TrainableModels",)


class TrainableModels:
    """A `BaseModels` of the server's own models and those that tenants trained.

    Args:
        own: the server's own, the default one first.
        rows: those of tenants.
    """

    def __init__(self, own: Sequence[ModelInfo], rows: ModelRows) -> None:
        self._own = {info.name: info for info in own}
        self._rows = rows

    async def find(self, tenant: str, name: str, backend: BackendName | None) -> BaseModel:
        """See `BaseModels.find`."""
        wanted = name or await self._rows.chosen(tenant) or next(iter(self._own))
        found = await self._named(tenant, wanted)
        if found is not None and backend in (None, found.backend):
            return found
        if not name and backend is not None:
            # The active model is of another kind: the server's own of this kind is meant.
            return self._own_of(backend)
        if found is None:
            msg = "there is no model of this name; ListModels tells which there are"
            raise ModelNotFoundError(msg, field="base_model", metadata={"model": wanted})
        msg = f"model {wanted} is a model of {found.backend}, and cannot be trained by {backend}"
        raise ModelUnusableError(msg, metadata={"model": wanted})

    async def _named(self, tenant: str, name: str) -> BaseModel | None:
        if (info := self._own.get(name)) is not None:
            return _own_base(info)
        tuned = await self._rows.find(tenant, name)
        return None if tuned is None else _tuned_base(tuned)

    def _own_of(self, backend: BackendName) -> BaseModel:
        for info in self._own.values():
            if info.backend == backend:
                return _own_base(info)
        msg = f"this server has no model of {backend} to train from"
        raise ModelUnusableError(msg, metadata={"backend": backend})


def _own_base(info: ModelInfo) -> BaseModel:
    return BaseModel(
        name=info.name,
        backend=BackendName(info.backend),
        root=info.name,
        provider_model=info.name if info.backend == BackendName.OPENAI else "",
        license=info.license,
    )


def _tuned_base(model: TunedModel) -> BaseModel:
    return BaseModel(
        name=model.name,
        backend=BackendName(model.backend),
        root=model.base_model,
        adapter_file=model.adapter_file or "",
        provider_model=model.provider_model or "",
        license=model.license,
    )
