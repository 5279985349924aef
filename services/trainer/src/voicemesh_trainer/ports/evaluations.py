"""What tests of models need: answers, models by name, and somebody who counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_trainer.domain.conversations import Conversation, GenerationEvent, ModelInfo
    from voicemesh_trainer.domain.models import TunedModel

__all__ = ("Answers", "EvaluationMeter", "ModelFinder")


class Answers(Protocol):
    """Gives answers."""

    def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """One `Started`, then `Delta`s, then one `Finished`; closing it stops the model.

        Raises:
            ServiceError: if there is no answer, or it breaks off.
        """


class ModelFinder(Protocol):
    """Knows the models of tenants."""

    async def find(self, tenant: str, name: str, *, field: str = "model") -> ModelInfo | TunedModel:
        """The model that a tenant calls `name`; its active one if `name` is empty.

        Raises:
            ModelNotFoundError: naming `field`, if there is none.
        """


class EvaluationMeter(Protocol):
    """Counts tests."""

    def evaluated(self, outcome: str) -> None:
        """A test is over: `finished`, `cancelled` or `failed`."""
