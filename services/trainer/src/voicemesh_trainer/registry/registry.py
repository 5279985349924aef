"""Lists the models of a tenant, promotes them, rolls back and deletes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.models import ModelAction, ModelState, Promotion, TunedModel
from voicemesh_trainer.errors import ModelUnusableError, PromotionRefusedError
from voicemesh_trainer.registry.rules import check_promotion, earlier_model

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import ModelInfo
    from voicemesh_trainer.domain.evaluations import EvaluationScores
    from voicemesh_trainer.domain.models import ModelChange
    from voicemesh_trainer.ports.models import EvaluationStore, ModelRows
    from voicemesh_trainer.roster import ModelRoster

__all__ = ("ListedModel", "Registry")


@dataclass(frozen=True)
class ListedModel:
    """A model as a tenant sees it."""

    model: ModelInfo | TunedModel
    """The server's own, or one that the tenant trained."""
    state: ModelState
    """Where it is in its life; of the server's own, whether it is active."""
    scores: EvaluationScores | None
    """Its last evaluation in this tenant, if there was one."""


class Registry:
    """What tenants can do with their models; holds nothing between two calls.

    Args:
        roster: which models there are.
        rows: what is recorded of them.
        evaluations: their scores.
    """

    def __init__(self, roster: ModelRoster, rows: ModelRows, evaluations: EvaluationStore) -> None:
        self._roster = roster
        self._rows = rows
        self._evaluations = evaluations

    async def models(self, tenant: str) -> tuple[ListedModel, ...]:
        """The tenant's own models, newest first, and then the server's.

        Raises:
            DatabaseUnavailableError: if it cannot be told.
        """
        active = await self._active(tenant)
        scores = await self._evaluations.latest(tenant)
        own = tuple(
            ListedModel(model, model.state, scores.get(model.name))
            for model in await self._rows.models(tenant)
        )
        return (
            *own,
            *(
                ListedModel(
                    info,
                    ModelState.ACTIVE if info.name == active else ModelState.CANDIDATE,
                    scores.get(info.name),
                )
                for info in self._roster.models()
            ),
        )

    async def promote(self, tenant: str, name: str, *, force: bool, author_id: str) -> ListedModel:
        """Makes a model the tenant's active one; the next answer is its own.

        Raises:
            ModelNotFoundError: if there is no such model.
            ModelUnusableError: if it cannot answer as things are, forced or not.
            PromotionRefusedError: if it is active already; or, unless forced, if its evaluation
                is missing or worse than the active model's.
            ModelsChangedError: if somebody else was quicker.
        """
        chosen = await self._rows.chosen(tenant)
        active = self._named(chosen)
        model = await self._roster.find(tenant, name)
        if model.name == active:
            msg = f"model {model.name} is the active one already"
            raise PromotionRefusedError(msg, metadata={"model": model.name})
        if not force:
            check_promotion(
                model.name,
                active,
                await self._evaluations.of_model(tenant, model.name),
                await self._evaluations.of_model(tenant, active),
            )
        async with self._roster.lease(tenant, model.name):
            pass  # it can answer, and is warm for the first who asks
        await self._change(tenant, ModelAction.PROMOTED, chosen, model, forced=force, by=author_id)
        return await self._listed(tenant, model.name)

    async def roll_back(self, tenant: str, *, author_id: str) -> ListedModel:
        """Returns to the model that was active before; a second time to the one before that.

        Raises:
            NothingToRollBackError: if there was none.
            ModelsChangedError: if somebody else was quicker.
        """
        chosen = await self._rows.chosen(tenant)
        present = {model.name for model in await self._rows.models(tenant)}
        present |= {info.name for info in self._roster.models()}
        present -= {self._named(chosen)}
        changes = await self._rows.changes(tenant)
        name = earlier_model(reversed(changes), present, self._roster.default.name)
        model = await self._roster.find(tenant, name)
        action = ModelAction.ROLLED_BACK
        await self._change(tenant, action, chosen, model, forced=False, by=author_id)
        return await self._listed(tenant, name)

    async def delete(self, tenant: str, name: str, *, author_id: str) -> None:
        """Deletes a model of the tenant's own and its scores. Answers it is writing are finished.

        Raises:
            ModelNotFoundError: if the tenant trained no such model.
            ModelInUseError: if it is the active one.
        """
        await self._rows.delete(tenant, name, author_id)

    async def changes(self, tenant: str) -> tuple[ModelChange, ...]:
        """What was done with the tenant's models, newest first."""
        return await self._rows.changes(tenant)

    async def _active(self, tenant: str) -> str:
        return self._named(await self._rows.chosen(tenant))

    def _named(self, chosen: str | None) -> str:
        return self._roster.default.name if chosen is None else chosen

    async def _change(
        self,
        tenant: str,
        action: ModelAction,
        chosen: str | None,
        model: ModelInfo | TunedModel,
        *,
        forced: bool,
        by: str,
    ) -> None:
        is_default = model.name == self._roster.default.name
        await self._rows.change_active(
            Promotion(
                tenant=tenant,
                action=action,
                expected=chosen,
                # Who returns to the server's default follows it when an operator changes it.
                chosen=None if is_default else model.name,
                chosen_own=isinstance(model, TunedModel),
                model=model.name,
                previous_model=self._named(chosen),
                forced=forced,
                author_id=by,
            )
        )

    async def _listed(self, tenant: str, name: str) -> ListedModel:
        for listed in await self.models(tenant):
            if listed.model.name == name:
                return listed
        msg = f"model {name} was deleted meanwhile"
        raise ModelUnusableError(msg, metadata={"model": name})
