"""Puts the servicers on a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import (
    dataset_service_pb2_grpc,
    model_service_pb2_grpc,
    trainer_service_pb2_grpc,
    training_job_service_pb2_grpc,
)
from voicemesh_chassis.service import Api

if TYPE_CHECKING:
    from voicemesh_trainer.rpc.datasets import DatasetServicer
    from voicemesh_trainer.rpc.jobs import TrainingJobServicer
    from voicemesh_trainer.rpc.models import ModelServicer
    from voicemesh_trainer.rpc.trainer import TrainerServicer

__all__ = ("apis",)

_PACKAGE = "voicemesh.trainer.v1"


def apis(
    trainer: TrainerServicer,
    models: ModelServicer,
    datasets: DatasetServicer,
    jobs: TrainingJobServicer,
) -> tuple[Api, ...]:
    """The four services of the contract, ready to be put on a server."""
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
