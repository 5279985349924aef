"""What cannot be done is refused with a status that says why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh.trainer.v1 import (
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    training_job_service_pb2,
    training_job_service_pb2_grpc,
)
from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh_chassis.testing import RunningService

if TYPE_CHECKING:
    from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceAsyncStub

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

Ask = Callable[..., pb.GenerateRequest]
Refusal = Callable[[grpc.aio.AioRpcError], tuple[str, str]]


async def failure(call: Any) -> grpc.aio.AioRpcError:
    async def finish() -> None:
        if hasattr(call, "__aiter__"):
            async for _message in call:
                pass
        else:
            await call

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await finish()
    return caught.value


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tenant": ""}, "tenant"),
        ({"history": []}, "history"),
        ({"history": [pb.Turn(role=pb.ROLE_ASSISTANT, text="Hi")]}, "history[0].role"),
        ({"sampling": pb.Sampling(temperature=3)}, "sampling.temperature"),
        ({"system_prompt": "x" * 16_000}, "history"),
    ],
)
async def test_a_bad_field_is_named(
    stub: TrainerServiceAsyncStub,
    ask: Ask,
    refusal: Refusal,
    fields: dict[str, Any],
    field: str,
) -> None:
    error = await failure(stub.Generate(ask(**fields)))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error)[1] == field


async def test_a_hundred_thousand_characters_are_too_many(
    stub: TrainerServiceAsyncStub, ask: Ask, refusal: Refusal
) -> None:
    error = await failure(stub.Generate(ask("word " * 20_000)))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error)[1] == "history[0].text"
    assert "100000 characters" in (error.details() or "")


async def test_a_turn_longer_than_the_context_is_refused(
    stub: TrainerServiceAsyncStub, ask: Ask, refusal: Refusal
) -> None:
    error = await failure(stub.Generate(ask("1 2 " * 4000)))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error) == ("CONVERSATION_TOO_LONG", "history")


async def test_an_unknown_model_is_not_found(
    stub: TrainerServiceAsyncStub, ask: Ask, refusal: Refusal
) -> None:
    error = await failure(stub.Generate(ask(model="gpt-99")))

    assert error.code() == grpc.StatusCode.NOT_FOUND
    assert refusal(error)[0] == "MODEL_NOT_FOUND"


def unserved(channel: grpc.aio.Channel) -> list[Any]:
    datasets: Any = dataset_service_pb2_grpc.DatasetServiceStub(channel)
    jobs: Any = training_job_service_pb2_grpc.TrainingJobServiceStub(channel)
    models: Any = model_service_pb2_grpc.ModelServiceStub(channel)
    upload = dataset_service_pb2.ImportDatasetRequest(content=b"x")
    return [
        datasets.CreateDataset(dataset_service_pb2.CreateDatasetRequest(tenant="t", name="n")),
        datasets.ImportDataset(iter([upload])),
        datasets.ExportDataset(dataset_service_pb2.ExportDatasetRequest(tenant="t")),
        jobs.CreateTrainingJob(training_job_service_pb2.CreateTrainingJobRequest(tenant="t")),
        jobs.WatchTrainingJob(training_job_service_pb2.WatchTrainingJobRequest(tenant="t")),
        models.PromoteModel(model_service_pb2.PromoteModelRequest(tenant="t")),
        models.RollBackModel(model_service_pb2.RollBackModelRequest(tenant="t")),
        models.EvaluateModel(model_service_pb2.EvaluateModelRequest(tenant="t")),
    ]


async def test_what_is_not_stored_is_not_acknowledged(
    trainer: RunningService, stub: Any, refusal: Refusal
) -> None:
    calls = [
        stub.RecordFeedback(pb.RecordFeedbackRequest(tenant="t", comment="good")),
        stub.RecordCorrection(pb.RecordCorrectionRequest(tenant="t", corrected_text="x")),
        *unserved(trainer.channel()),
    ]

    for call in calls:
        error = await failure(call)

        assert error.code() == grpc.StatusCode.UNIMPLEMENTED
        assert refusal(error)[0] == "NOT_SERVED_YET"
        assert "nothing was changed or recorded" in (error.details() or "")


async def test_models_are_listed_in_pages(trainer: RunningService) -> None:
    models: Any = model_service_pb2_grpc.ModelServiceStub(trainer.channel())
    request = model_service_pb2.ListModelsRequest

    page = await models.ListModels(request(tenant="t", page_size=1))
    past_all = base64.urlsafe_b64encode(b"zzz").decode()
    after = await models.ListModels(request(tenant="t", page_token=past_all))
    error = await failure(models.ListModels(request()))

    (model,) = page.models
    assert (model.name, model.backend) == ("gemma-3-270m", "local")
    assert "Gemma" in model.license
    assert model.state == model_service_pb2.MODEL_STATE_ACTIVE
    assert page.next_page_token == ""
    assert not after.models
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
