"""The openai backend talks to a real OpenAI-compatible server: llama.cpp's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import xllamacpp
from pydantic import SecretStr

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_chassis.testing import running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import OpenAISettings, TrainerSettings

pytestmark = pytest.mark.contract


async def test_a_real_server_answers(
    models_dir: Path,
    ask: Callable[..., pb.GenerateRequest],
    text_of: Callable[[list[pb.GenerateResponse]], str],
) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = str(models_dir / "gemma-3-270m" / "gemma-3-270m-Q4_K_M.gguf")
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.ui, params.verbosity = 2048, 1, False, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys = ["sk-local"]
    server = await asyncio.to_thread(xllamacpp.Server, params)
    settings = TrainerSettings(
        openai_api_key=SecretStr("sk-local"),
        openai_base_url=f"{server.listening_address}/v1",
        openai=OpenAISettings(model="gemma"),
    )

    async with running(build(settings), settings) as service:
        stub = TrainerServiceStub(service.channel())
        request = ask("Hello", sampling=pb.Sampling(max_output_tokens=12, temperature=0))
        events = [event async for event in stub.Generate(request)]

    assert text_of(events)
    finished = events[-1].finished
    assert finished.reason in (pb.FINISH_REASON_LENGTH, pb.FINISH_REASON_STOP)
    assert finished.usage.input_token_count > 10
    assert 0 < finished.usage.output_token_count <= 12
