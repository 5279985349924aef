"""A trainer on the real embedded model, shared by the tests that leave it as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2_grpc
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import LocalSettings, TrainerSettings


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trainer(models_dir: object) -> AsyncIterator[RunningService]:
    """A trainer that answers with Gemma 3 270M; with a small context, which is sooner full."""
    settings = TrainerSettings(backend="local", local=LocalSettings(context_tokens=1024))
    async with running(build(settings), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stub(trainer: RunningService) -> trainer_service_pb2_grpc.TrainerServiceAsyncStub:
    """A client of it."""
    return trainer_service_pb2_grpc.TrainerServiceStub(trainer.channel())


@pytest.fixture(scope="session")
def ask() -> Callable[..., pb.GenerateRequest]:
    """Makes a request of one question."""

    def make(question: str = "Who painted the Mona Lisa?", **fields: Any) -> pb.GenerateRequest:
        history = [pb.Turn(role=pb.ROLE_USER, text=question)]
        return pb.GenerateRequest(**{"tenant": "t", "history": history, **fields})

    return make


@pytest.fixture(scope="session")
def text_of() -> Callable[[list[pb.GenerateResponse]], str]:
    """Joins the deltas of an answer, and checks the order of its events."""

    def join(events: list[pb.GenerateResponse]) -> str:
        kinds = [event.WhichOneof("event") for event in events]
        assert kinds == ["started", *["delta"] * (len(events) - 2), "finished"]
        assert all(event.delta.text for event in events[1:-1])
        return "".join(event.delta.text for event in events)

    return join


@pytest.fixture(scope="session")
def refusal() -> Callable[[grpc.aio.AioRpcError], tuple[str, str]]:
    """Reason and field (or "") of a refusal, from its details."""

    def read(error: grpc.aio.AioRpcError) -> tuple[str, str]:
        status = rpc_status.from_call(error)
        reasons, fields = [], []
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                reasons.append(info.reason)
            if detail.Unpack(bad):
                fields += [violation.field for violation in bad.field_violations]
        (reason,) = reasons
        return reason, fields[0] if fields else ""

    return read
