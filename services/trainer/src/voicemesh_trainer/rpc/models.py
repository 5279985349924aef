"""Answers the calls of ModelService; translation only."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voicemesh.trainer.v1 import model_service_pb2, model_service_pb2_grpc
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_trainer.domain.models import TunedModel
from voicemesh_trainer.rpc.checks import check_tenant
from voicemesh_trainer.rpc.model_messages import (
    author_from,
    change_message,
    evaluation_from,
    event_message,
    model_from,
    model_message,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_trainer.evaluation.evaluator import Evaluator
    from voicemesh_trainer.registry.registry import ListedModel, Registry

__all__ = ("ModelServicer",)

_PAGES = PageLimits(default=50, largest=500)
_LAST_TIME_US = 10**17
"""Later than any time to come, in microseconds since 1970."""
_LAST_NUMBER = 2**63


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """Lists, promotes, tests and deletes models."""

    def __init__(self, registry: Registry, evaluator: Evaluator) -> None:
        self._registry = registry
        self._evaluator = evaluator

    async def ListModels(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.ListModelsRequest, context: Any
    ) -> model_service_pb2.ListModelsResponse:
        """Lists the models that the tenant may use."""
        models = await self._registry.models(check_tenant(request.tenant))
        page = page_of(
            models, _place, size=request.page_size, token=request.page_token, limits=_PAGES
        )
        return model_service_pb2.ListModelsResponse(
            models=[model_message(listed) for listed in page.entries],
            next_page_token=page.next_token,
        )

    async def PromoteModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.PromoteModelRequest, context: Any
    ) -> model_service_pb2.PromoteModelResponse:
        """Makes a model the tenant's active one."""
        promoted = await self._registry.promote(
            check_tenant(request.tenant),
            model_from(request.model),
            force=request.force,
            author_id=author_from(request.author_id),
        )
        return model_service_pb2.PromoteModelResponse(model=model_message(promoted))

    async def RollBackModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.RollBackModelRequest, context: Any
    ) -> model_service_pb2.RollBackModelResponse:
        """Returns to the model that was active before."""
        active = await self._registry.roll_back(
            check_tenant(request.tenant), author_id=author_from(request.author_id)
        )
        return model_service_pb2.RollBackModelResponse(model=model_message(active))

    async def EvaluateModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.EvaluateModelRequest, context: Any
    ) -> AsyncIterator[model_service_pb2.EvaluateModelResponse]:
        """Tests a model, case by case."""
        async with aclosing(self._evaluator.run(evaluation_from(request))) as events:
            async for event in events:
                yield event_message(event)

    async def DeleteModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.DeleteModelRequest, context: Any
    ) -> model_service_pb2.DeleteModelResponse:
        """Deletes a model that the tenant trained."""
        await self._registry.delete(
            check_tenant(request.tenant),
            model_from(request.model),
            author_id=author_from(request.author_id),
        )
        return model_service_pb2.DeleteModelResponse()

    async def ListModelChanges(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.ListModelChangesRequest, context: Any
    ) -> model_service_pb2.ListModelChangesResponse:
        """Lists what was done with the tenant's models."""
        changes = await self._registry.changes(check_tenant(request.tenant))
        page = page_of(
            changes,
            lambda change: f"{_LAST_NUMBER - change.number:019d}",
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        return model_service_pb2.ListModelChangesResponse(
            changes=[change_message(change) for change in page.entries],
            next_page_token=page.next_token,
        )


def _place(listed: ListedModel) -> str:
    """A key that puts the tenant's own models first, the newest before the others."""
    model = listed.model
    if isinstance(model, TunedModel):
        return f"0/{_LAST_TIME_US - round(model.create_time * 1e6):017d}/{model.name}"
    return f"1/{model.name}"
