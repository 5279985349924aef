"""What the trainer needs from where models are recorded, and from what brings them to life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from voicemesh_trainer.domain.evaluations import EvaluationScores
    from voicemesh_trainer.domain.models import (
        ModelChange,
        NewModel,
        Promotion,
        TunedModel,
    )
    from voicemesh_trainer.ports.language_models import LanguageModel

__all__ = ("EvaluationStore", "ModelRegistry", "ModelRows", "TunedModels")


class ModelRegistry(Protocol):
    """Takes what training made."""

    async def register(self, model: NewModel) -> TunedModel:
        """Records a model as a candidate; a second time for the same job it does nothing.

        Durable when it returns. A job's success and its model belong into one transaction: for
        that, stores use `stores.models.insert_model` with their own connection.

        Returns:
            The model as it is recorded. If another job's has the name already, it got a longer one.
        """


class ModelRows(Protocol):
    """Where the models of tenants are recorded; what is acknowledged is durable.

    All raise `DatabaseUnavailableError` where the database cannot be reached.
    """

    async def chosen(self, tenant: str) -> str | None:
        """Name of the model that the tenant chose; None if it chose none."""

    async def find(self, tenant: str, name: str) -> TunedModel | None:
        """The tenant's own model of that name."""

    async def models(self, tenant: str) -> tuple[TunedModel, ...]:
        """The tenant's own models, newest first."""

    async def changes(self, tenant: str) -> tuple[ModelChange, ...]:
        """What was done with them, newest first; a few for every job, so not very many."""

    async def change_active(self, promotion: Promotion) -> None:
        """Makes another model the active one and records who did it, at once.

        Raises:
            ModelsChangedError: if another promotion, roll-back or deletion was quicker.
        """

    async def delete(self, tenant: str, name: str, author_id: str) -> None:
        """Deletes a model and its scores, and records who did it. Its files stay.

        Raises:
            ModelNotFoundError: if the tenant has no such model.
            ModelInUseError: if it is the active one.
        """


class EvaluationStore(Protocol):
    """Where scores are kept."""

    async def add(self, tenant: str, scores: EvaluationScores) -> None:
        """Keeps scores; durable when it returns."""

    async def of_model(self, tenant: str, model: str) -> tuple[EvaluationScores, ...]:
        """The last scores of a model on each set of cases, newest first."""

    async def latest(self, tenant: str) -> dict[str, EvaluationScores]:
        """The last scores of each model of a tenant, by name."""


class TunedModels(Protocol):
    """Brings models that tenants trained into memory, and lends them."""

    def lease(self, model: TunedModel) -> AbstractAsyncContextManager[LanguageModel]:
        """The model, ready to answer, until the block ends.

        Raises:
            ModelUnusableError: if it cannot be used as it is; the message says why.
            OverloadedError: if as many models as may be in memory are in use.
            UnavailableError: if it could not be loaded in time.
        """
