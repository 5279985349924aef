"""What cannot be done is refused with a status that says why."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message_factory import GetMessageClass

from voicemesh.trainer.v1 import (
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    trainer_service_pb2_grpc,
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


@pytest.mark.parametrize("field", ["author_id", "request_id"])
async def test_an_id_that_cannot_be_printed_is_refused(
    stub: TrainerServiceAsyncStub, refusal: Refusal, field: str
) -> None:
    wish = pb.RecordCorrectionRequest(tenant="t", question="Who?", corrected_text="Me.")
    setattr(wish, field, "a\x00b")

    error = await failure(stub.RecordCorrection(wish))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error)[1] == field


@pytest.mark.parametrize("field", ["question", "corrected_text"])
async def test_a_correction_of_control_characters_alone_is_blank(
    stub: TrainerServiceAsyncStub, refusal: Refusal, field: str
) -> None:
    wish = pb.RecordCorrectionRequest(tenant="t", question="Who?", corrected_text="Me.")
    setattr(wish, field, " \x00\x1b\n")

    error = await failure(stub.RecordCorrection(wish))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == f"{field} is blank"
    assert refusal(error)[1] == field


@pytest.mark.parametrize("field", ["dataset_id", "archive_id", "job_id"])
async def test_no_call_takes_an_id_with_a_nul(
    trainer: RunningService, refusal: Refusal, field: str
) -> None:
    names = []
    for name, call in every_call(trainer.channel(), tenant="t", **{field: "a\x00b"}).items():
        error = await failure(call)
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (name, error.details())
        assert refusal(error)[1] == field, name
        names.append(name)
    assert len(names) >= 3


@pytest.mark.parametrize("field", ["dataset_id", "author_id", "request_id"])
async def test_an_import_takes_no_id_with_a_nul(
    trainer: RunningService, refusal: Refusal, field: str
) -> None:
    stub: Any = dataset_service_pb2_grpc.DatasetServiceStub(trainer.channel())
    positive = dataset_service_pb2.POLARITY_POSITIVE
    config = dataset_service_pb2.ImportDatasetConfig(
        tenant="t", dataset_id="01ARZ3NDEKTSV4RRFFQ69G5FAV", polarity=positive
    )
    setattr(config, field, "a\x00b")
    first = dataset_service_pb2.ImportDatasetRequest(config=config)

    error = await failure(stub.ImportDataset(iter([first])))

    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(error)[1] == f"config.{field}"


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


def every_call(channel: grpc.aio.Channel, **fields: str) -> dict[str, Any]:
    """A call of each rpc whose message has these fields, with nothing else in it."""
    stubs = {
        pb.DESCRIPTOR: trainer_service_pb2_grpc.TrainerServiceStub,
        dataset_service_pb2.DESCRIPTOR: dataset_service_pb2_grpc.DatasetServiceStub,
        model_service_pb2.DESCRIPTOR: model_service_pb2_grpc.ModelServiceStub,
        training_job_service_pb2.DESCRIPTOR: training_job_service_pb2_grpc.TrainingJobServiceStub,
    }
    calls = {}
    for file, stub_class in stubs.items():
        stub = stub_class(channel)
        (service,) = file.services_by_name.values()
        for method in service.methods:
            if not fields.keys() <= set(method.input_type.fields_by_name):
                continue
            message = GetMessageClass(method.input_type)(**fields)
            request = iter([message]) if method.client_streaming else message
            calls[method.name] = getattr(stub, method.name)(request)
    return calls


async def test_every_call_of_the_contract_is_served_and_names_what_is_missing(
    trainer: RunningService, refusal: Refusal
) -> None:
    fields = {}
    for name, call in every_call(trainer.channel()).items():
        error = await failure(call)
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, (name, error.details())
        fields[name] = refusal(error)[1]
    assert len(fields) > 30
    assert (fields["ImportDataset"], fields["CreateTrainingJob"]) == ("config", "tenant")
    assert all(fields.values())


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
