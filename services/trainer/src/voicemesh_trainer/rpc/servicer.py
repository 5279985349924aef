"""Answers the calls of TrainerService and ModelService; translation only."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voicemesh.trainer.v1 import (
    dataset_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    trainer_service_pb2_grpc,
    training_job_service_pb2_grpc,
)
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_chassis.service import Api
from voicemesh_trainer.rpc.checks import check_tenant
from voicemesh_trainer.rpc.convert import conversation_from, model_message, response_of
from voicemesh_trainer.rpc.unserved import UnservedServicer, refuse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh.trainer.v1 import trainer_service_pb2
    from voicemesh_trainer.generation import Generation
    from voicemesh_trainer.roster import ModelRoster

__all__ = ("ModelServicer", "TrainerServicer", "apis")

_PACKAGE = "voicemesh.trainer.v1"
_PAGES = PageLimits(default=50, largest=500)


class TrainerServicer(trainer_service_pb2_grpc.TrainerServiceServicer):
    """Answers conversations."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    async def Generate(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.GenerateRequest, context: Any
    ) -> AsyncIterator[trainer_service_pb2.GenerateResponse]:
        """Answers a conversation, token by token."""
        async with aclosing(self._generation.answer(conversation_from(request))) as events:
            async for event in events:
                yield response_of(event)

    async def RecordFeedback(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.RecordFeedbackRequest, context: Any
    ) -> trainer_service_pb2.RecordFeedbackResponse:
        """Refuses: there is no memory yet."""
        refuse("feedback arrives")

    async def RecordCorrection(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.RecordCorrectionRequest, context: Any
    ) -> trainer_service_pb2.RecordCorrectionResponse:
        """Refuses: there is no memory yet."""
        refuse("corrections arrive")


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):
    """Lists the server's models."""

    def __init__(self, roster: ModelRoster) -> None:
        self._roster = roster

    async def ListModels(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.ListModelsRequest, context: Any
    ) -> model_service_pb2.ListModelsResponse:
        """Lists the models that the tenant may use."""
        check_tenant(request.tenant)
        page = page_of(
            self._roster.models(),
            lambda info: info.name,
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        return model_service_pb2.ListModelsResponse(
            models=[
                model_message(info, active=self._roster.is_default(info)) for info in page.entries
            ],
            next_page_token=page.next_token,
        )

    async def PromoteModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.PromoteModelRequest, context: Any
    ) -> model_service_pb2.PromoteModelResponse:
        """Refuses: there are no models of a tenant's own yet."""
        refuse("promoting models arrives")

    async def RollBackModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.RollBackModelRequest, context: Any
    ) -> model_service_pb2.RollBackModelResponse:
        """Refuses: there are no models of a tenant's own yet."""
        refuse("rolling back models arrives")

    def EvaluateModel(  # noqa: N802 - named by the contract
        self, request: model_service_pb2.EvaluateModelRequest, context: Any
    ) -> AsyncIterator[model_service_pb2.EvaluateModelResponse]:
        """Refuses: there is no evaluation yet."""
        refuse("evaluating models arrives")


def apis(generation: Generation, roster: ModelRoster) -> tuple[Api, ...]:
    """The four services of the contract, ready to be put on a server."""
    trainer, models = TrainerServicer(generation), ModelServicer(roster)
    datasets: Any = UnservedServicer("datasets arrive")
    jobs: Any = UnservedServicer("training jobs arrive")
    return (
        Api(
            f"{_PACKAGE}.TrainerService",
            lambda server: trainer_service_pb2_grpc.add_TrainerServiceServicer_to_server(
                trainer, server
            ),
        ),
        Api(
            f"{_PACKAGE}.ModelService",
            lambda server: model_service_pb2_grpc.add_ModelServiceServicer_to_server(
                models, server
            ),
        ),
        Api(
            f"{_PACKAGE}.DatasetService",
            lambda server: dataset_service_pb2_grpc.add_DatasetServiceServicer_to_server(
                datasets, server
            ),
        ),
        Api(
            f"{_PACKAGE}.TrainingJobService",
            lambda server: training_job_service_pb2_grpc.add_TrainingJobServiceServicer_to_server(
                jobs, server
            ),
        ),
    )
