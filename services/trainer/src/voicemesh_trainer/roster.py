"""Which model answers: the server's own by name, and those that tenants trained."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.models import TunedModel
from voicemesh_trainer.errors import (
    DatabaseUnavailableError,
    ModelNotFoundError,
    ModelUnusableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from voicemesh_trainer.domain.conversations import ModelInfo
    from voicemesh_trainer.domain.tenants import TenantState
    from voicemesh_trainer.ports.language_models import LanguageModel
    from voicemesh_trainer.ports.models import ModelRows, TunedModels

__all__ = ("ModelRoster",)

_logger = get_logger(__name__)

_MOST_KNOWN = 10_000


class ModelRoster:
    """Knows which models a tenant may use, and lends the one that a request means.

    Args:
        models: the server's own, at least one; not yet opened. The first is the default one.
        rows: what tenants trained and chose; None where nothing is kept.
        tuned: what brings such models to life, by backend.
        wait_s: longest wait of an answer for the rows, in seconds; then the tenant's active model
            is what it was last.
    """

    def __init__(
        self,
        models: Sequence[LanguageModel],
        rows: ModelRows | None = None,
        tuned: Mapping[str, TunedModels] | None = None,
        *,
        wait_s: float = 1.0,
    ) -> None:
        self._default = models[0]
        self._models = {model.info.name: model for model in models}
        self._rows = rows
        self._tuned = tuned or {}
        self._wait_s = wait_s
        self._known: OrderedDict[str, ModelInfo | TunedModel] = OrderedDict()

    @property
    def default(self) -> ModelInfo:
        """The model that answers tenants that have chosen none."""
        return self._default.info

    def models(self) -> tuple[ModelInfo, ...]:
        """All models that every tenant may use, the default one first."""
        return tuple(model.info for model in self._models.values())

    async def find(self, tenant: str, name: str, *, field: str = "model") -> ModelInfo | TunedModel:
        """The model that a tenant calls `name`; its active one if `name` is empty.

        Asked of the database each time, so that a promotion counts for the next answer of every
        replica.

        Raises:
            ModelNotFoundError: naming `field`, if the tenant has no such model.
            ModelUnusableError: if the tenant's active model is no more.
            DatabaseUnavailableError: if it cannot be told.
        """
        if not name:
            return await self._required(tenant, await self._chosen(tenant))
        model = await self._look_up(tenant, name)
        if model is None:
            msg = "there is no model of this name; ListModels tells which there are"
            raise ModelNotFoundError(msg, field=field, metadata={"model": name})
        return model

    @asynccontextmanager
    async def lease(
        self, tenant: str, name: str, state: TenantState | None = None
    ) -> AsyncIterator[LanguageModel]:
        """The model that a tenant calls `name`, ready to answer, until the block ends.

        Args:
            tenant: who asks.
            name: of the model; empty means the tenant's active one.
            state: tells which that is; None asks the database.

        Raises:
            ServiceError: what `find` raises for a model that is named, and `TunedModels.lease`.
        """
        model = await (self.find(tenant, name) if name else self._active(tenant, state))
        if not isinstance(model, TunedModel):
            yield self._models[model.name]
            return
        source = self._tuned.get(model.backend)
        if source is None:
            msg = (
                f"model {model.name} needs the {model.backend} backend, which this server has "
                "not; promote another model or set the backend up"
            )
            raise ModelUnusableError(msg, metadata={"model": model.name})
        async with source.lease(model) as ready:
            yield ready

    async def open(self) -> None:
        """Makes the server's own models ready. Raises `StartupError` if one cannot be used."""
        for model in self._models.values():
            await model.open()

    async def aclose(self) -> None:
        """Frees the server's own models."""
        for model in self._models.values():
            await model.aclose()

    async def _active(self, tenant: str, state: TenantState | None) -> ModelInfo | TunedModel:
        """The tenant's active model; what it was last, while the database cannot be asked."""
        try:
            async with asyncio.timeout(self._wait_s):
                if state is None:
                    model = await self.find(tenant, "")
                else:
                    chosen = state.active_model or self._default.info.name
                    model = await self._required(tenant, chosen)
        except (TimeoutError, DatabaseUnavailableError) as error:
            # People would rather have an answer; nothing can be promoted meanwhile.
            _logger.warning("the active model is taken for unchanged", cause=type(error).__name__)
            return self._known.get(tenant, self._default.info)
        self._known[tenant] = model
        self._known.move_to_end(tenant)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return model

    async def _required(self, tenant: str, name: str) -> ModelInfo | TunedModel:
        model = await self._look_up(tenant, name)
        if model is None:
            msg = f"the tenant's active model {name} is no more; roll back or promote another"
            raise ModelUnusableError(msg, metadata={"model": name})
        return model

    async def _look_up(self, tenant: str, name: str) -> ModelInfo | TunedModel | None:
        if (own := self._models.get(name)) is not None:
            return own.info
        return None if self._rows is None else await self._rows.find(tenant, name)

    async def _chosen(self, tenant: str) -> str:
        chosen = None if self._rows is None else await self._rows.chosen(tenant)
        return self._default.info.name if chosen is None else chosen
