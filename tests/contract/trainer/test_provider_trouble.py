"""A provider in trouble: it is left alone for a while, and the machine's own model stands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from pydantic import SecretStr

from voicemesh.trainer.v1 import model_service_pb2
from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1.model_service_pb2_grpc import ModelServiceStub
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.models import NewModel
from voicemesh_trainer.settings import (
    LocalSettings,
    OpenAISettings,
    StorageSettings,
    TrainerSettings,
)
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.models import ModelTable

pytestmark = pytest.mark.contract

CHAT = "POST completions"
Ask = Callable[..., pb.GenerateRequest]
NewOpenAI = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def trainer_on(
    fake: Any, fakes: Any, directory: Path, **options: Any
) -> AsyncIterator[tuple[RunningService, Any]]:
    """A trainer whose model is the fake's, and a client of it."""
    settings = TrainerSettings(
        openai_api_key=SecretStr(fakes.KEY),
        openai_base_url=fake.url,
        openai=OpenAISettings(**{"model": "gpt-4.1-mini", "attempts": 1, **options}),
        local=LocalSettings(context_tokens=1024, slots=1),
        storage=StorageSettings(data_dir=directory),
    )
    async with running(build(settings), settings) as service:
        yield service, TrainerServiceStub(service.channel())


async def answered(stub: Any, request: pb.GenerateRequest) -> tuple[str, str]:
    """The model that answered, and its answer."""
    events = [event async for event in stub.Generate(request)]
    return events[0].started.model, "".join(event.delta.text for event in events)


async def refused(stub: Any, request: pb.GenerateRequest) -> tuple[grpc.StatusCode, str, float]:
    """Code and reason of the refusal, and when to return, in seconds; 0 if it does not say."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await answered(stub, request)
    status: Any = rpc_status.from_call(caught.value)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(retry)
    return caught.value.code(), info.reason, retry.retry_delay.ToMilliseconds() / 1000


async def metrics(service: RunningService) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{service.http_url}/metrics") as response,
    ):
        return await response.text()


async def test_a_provider_that_fails_is_left_alone(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.fail(CHAT, *(openai_fakes.Fault(status=500) for _ in range(3)))
    options = {"circuit_failures": 3, "circuit_pause_s": 60}
    async with trainer_on(fake, openai_fakes, tmp_path, **options) as (service, stub):
        for _ in range(3):
            assert (await refused(stub, ask()))[:2] == (
                grpc.StatusCode.UNAVAILABLE,
                "PROVIDER_UNAVAILABLE",
            )
        code, reason, retry_s = await refused(stub, ask())
        told = await metrics(service)

    assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "PROVIDER_UNAVAILABLE")
    assert 0 < retry_s <= 60
    assert fake.calls.count(CHAT) == 3
    assert 'provider_circuit{state="open"} 1.0' in told


async def test_a_provider_that_recovers_is_asked_again(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.fail(CHAT, openai_fakes.Fault(status=503))
    options = {"circuit_failures": 1, "circuit_pause_s": 0.001}
    async with trainer_on(fake, openai_fakes, tmp_path, **options) as (service, stub):
        await refused(stub, ask())
        assert await answered(stub, ask()) == ("gpt-4.1-mini", "Hello.")
        assert 'provider_circuit{state="closed"} 1.0' in await metrics(service)


async def test_the_own_model_stands_in_and_is_named(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    faults = [
        openai_fakes.Fault(status=500),
        openai_fakes.Fault(status=429, headers={"retry-after": "30"}),
    ]
    async with trainer_on(fake, openai_fakes, tmp_path, fallback=True) as (service, stub):
        assert await answered(stub, ask()) == ("gpt-4.1-mini", "Hello.")
        fake.fail(CHAT, *faults)
        sampling = pb.Sampling(max_output_tokens=12)
        for _ in range(3):  # the third is not even asked: it is too early
            model, answer = await answered(stub, ask(sampling=sampling))
            assert model == "gemma-3-270m"
            assert answer
        told = await metrics(service)

    assert fake.calls.count(CHAT) == 3
    assert 'fallbacks_total{reason="PROVIDER_UNAVAILABLE"} 1.0' in told
    assert 'fallbacks_total{reason="PROVIDER_OVERLOADED"} 2.0' in told
    local = 'answers_total{backend="local",model="gemma-3-270m",reason='
    assert local in told, "counted for the model that answered"


async def test_the_own_model_stands_in_for_a_silent_provider(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.fail(CHAT, openai_fakes.Fault(wait_s=30))
    options = {"fallback": True, "first_words_s": 0.2}
    async with trainer_on(fake, openai_fakes, tmp_path, **options) as (_, stub):
        sampling = pb.Sampling(max_output_tokens=12)
        assert (await answered(stub, ask(sampling=sampling)))[0] == "gemma-3-270m"


async def test_without_fallback_nothing_stands_in(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.fail(CHAT, openai_fakes.Fault(status=500))
    async with trainer_on(fake, openai_fakes, tmp_path) as (service, stub):
        assert (await refused(stub, ask()))[1] == "PROVIDER_UNAVAILABLE"
        request = model_service_pb2.ListModelsRequest(tenant="t")
        listed = await ModelServiceStub(service.channel()).ListModels(request)

    assert [model.name for model in listed.models] == ["gpt-4.1-mini"]


async def test_what_the_provider_says_is_used_up_is_not_asked_for(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.chat_headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m30s",
    }
    async with trainer_on(fake, openai_fakes, tmp_path) as (_, stub):
        assert await answered(stub, ask()) == ("gpt-4.1-mini", "Hello.")
        code, reason, retry_s = await refused(stub, ask())

    assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "PROVIDER_OVERLOADED")
    assert 80 < retry_s <= 90
    assert fake.calls.count(CHAT) == 1


async def test_a_short_wait_for_the_provider_is_waited(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    fake.chat_headers = {
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "50ms",
    }
    async with trainer_on(fake, openai_fakes, tmp_path) as (_, stub):
        for _ in range(2):
            assert await answered(stub, ask()) == ("gpt-4.1-mini", "Hello.")


async def test_a_tuned_model_of_the_provider_is_asked_by_its_name_there(
    ask: Ask, new_openai: NewOpenAI, openai_fakes: Any, tmp_path: Path
) -> None:
    fake = await new_openai()
    async with trainer_on(fake, openai_fakes, tmp_path) as (_, stub):
        database = Database(f"sqlite:///{tmp_path / 'trainer.db'}")
        await database.open()
        await ModelTable(database).register(
            NewModel("t", "guild", "openai", "gpt-4.1-mini", new_id(), provider_model="ft:gpt:x::1")
        )
        await database.aclose()

        assert (await answered(stub, ask(model="guild")))[0] == "guild"
        assert (await answered(stub, ask()))[0] == "gpt-4.1-mini"

    assert [each["model"] for each in fake.chats] == ["ft:gpt:x::1", "gpt-4.1-mini"]
