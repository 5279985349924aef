"""Who leaves in the middle of an answer stops the model and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_chassis.errors import OverloadedError
from voicemesh_chassis.testing import RunningService, running
from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.domain.conversations import (
    Accepted,
    Conversation,
    Ended,
    ModelInfo,
    Piece,
    Role,
    Sampling,
    Turn,
)
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.engines.llama_server import LlamaOptions, LlamaServer
from voicemesh_trainer.settings import LimitSettings, LocalSettings, TrainerSettings
from voicemesh_trainer.slots import Slots

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

Ask = Callable[..., pb.GenerateRequest]

# A base model that is given chat marks rambles on, which is what these tests need.
RAMBLING = pb.Sampling(temperature=1.2, seed=3, max_output_tokens=2000)

# Time for a slow machine; an answer left alone takes longer, at up to a hundred tokens a second.
SOON_S = 8


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rambler(models_dir: object) -> AsyncIterator[RunningService]:
    settings = TrainerSettings(
        backend="local",
        local=LocalSettings(slots=1, style="chat"),
        limits=LimitSettings(waiting=0, wait_s=5),
    )
    async with running(build(settings), settings) as service:
        yield service


async def metrics(service: RunningService) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{service.http_url}/metrics") as page:
        return await page.text()


async def begin(stub: Any, request: pb.GenerateRequest) -> Any:
    """Starts an answer and reads its first words."""
    call = stub.Generate(request)
    async for event in call:
        if event.HasField("delta"):
            return call
    raise AssertionError("the answer ended before its first words")


async def until_free(service: RunningService) -> None:
    """Waits for the end of what a caller left behind; bounded by the test's own time limit."""
    while (
        'voicemesh_trainer_active_generations{backend="local",model="gemma-3-270m"} 0.0'
        not in await metrics(service)
    ):
        await asyncio.sleep(0.02)


async def test_a_vanished_caller_frees_the_slot(rambler: RunningService, ask: Ask) -> None:
    request = ask("Tell me a long story.", sampling=RAMBLING)
    leaving = rambler.channel()
    await begin(TrainerServiceStub(leaving), request)
    tasks = len(asyncio.all_tasks())

    await leaving.close()
    async with asyncio.timeout(SOON_S):
        await until_free(rambler)

    assert len(asyncio.all_tasks()) <= tasks
    staying = await begin(TrainerServiceStub(rambler.channel()), request)
    staying.cancel()
    async with asyncio.timeout(SOON_S):
        await until_free(rambler)
    assert 'reason="cancelled"' in await metrics(rambler)


async def test_a_full_model_refuses_and_says_when_to_return(
    rambler: RunningService, ask: Ask
) -> None:
    stub = TrainerServiceStub(rambler.channel())
    request = ask("Tell me a long story.", sampling=RAMBLING)
    async with asyncio.timeout(SOON_S):
        await until_free(rambler)
    busy = await begin(stub, request)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await begin(stub, request)

    busy.cancel()
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "slots are in use" in (caught.value.details() or "")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(models_dir: object) -> AsyncIterator[tuple[LlamaModel, LlamaServer]]:
    file = gguf_file(ModelStore(default_models_dir(), load_catalogue()), "gemma-3-270m", None)
    options = LlamaOptions(
        file=file,
        context_tokens=2048,
        slots=1,
        threads=1,
        prompt_threads=1,
        gpu_layers=0,
        prompt_cache_mib=16,
    )
    server = LlamaServer(lambda: options, options.slots)
    defaults = LlamaDefaults("chat", 1, 2048, 0.0, 0.95, 1.0)
    slots = Slots(1, max_waiting=0, max_wait_s=1)
    model = LlamaModel(ModelInfo("gemma", "local"), server, slots, defaults)
    await model.open()
    yield model, server
    await model.aclose()


async def until_idle(server: LlamaServer) -> None:
    while await server.busy_slots():
        await asyncio.sleep(0.01)


def said(text: str, tokens: int) -> Conversation:
    sampling = Sampling(tokens, temperature=1.2, seed=3)
    return Conversation("t", (Turn(Role.USER, text),), sampling=sampling)


@pytest.mark.parametrize(
    ("text", "tokens", "pieces"),
    [("Tell me a long story.", 1800, 3), ("alpha beta " * 500, 800, 0)],
)
async def test_closing_a_reply_stops_llama_cpp(
    engine: tuple[LlamaModel, LlamaServer], text: str, tokens: int, pieces: int
) -> None:
    model, server = engine
    reply = model.reply(said(text, tokens))
    assert isinstance(await anext(reply), Accepted)
    for _ in range(pieces):
        assert isinstance(await anext(reply), Piece)

    await reply.aclose()

    async with asyncio.timeout(SOON_S):
        await until_idle(server)
    async for event in model.reply(said("Hi", 2)):
        assert isinstance(event, Accepted | Piece | Ended)


async def test_a_second_reply_does_not_wait_for_ever(
    engine: tuple[LlamaModel, LlamaServer],
) -> None:
    model, _ = engine
    reply = model.reply(said("Tell me a long story.", 500))
    await anext(reply)

    with pytest.raises(OverloadedError):
        await anext(model.reply(said("Hi", 2)))

    await reply.aclose()


async def test_a_base_model_is_told_from_a_chat_model(
    engine: tuple[LlamaModel, LlamaServer],
) -> None:
    _, server = engine

    assert not await server.is_chat_model()
