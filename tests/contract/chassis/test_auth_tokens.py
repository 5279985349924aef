"""Who is let in, and with what."""

from __future__ import annotations

from typing import Any

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import SecretStr

from voicemesh_chassis import testing
from voicemesh_chassis.channel import error_from_rpc

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running
plain_channel: Any = grpc.aio.insecure_channel

TOKENS = (SecretStr("first-token"), SecretStr("second-token"))


async def echo_with(make_service: Any, settings: Any, *metadata: tuple[str, str]) -> bytes:
    async with (
        running(make_service(), settings) as run,
        plain_channel(run.target) as channel,
    ):
        answer: bytes = await channel.unary_unary("/test.Echo/Echo")(b"hi", metadata=metadata)
        return answer


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Bearer first-token"),
        ("authorization", "bearer second-token"),
        ("x-api-key", "second-token"),
    ],
)
async def test_any_of_the_tokens_lets_in_by_either_header(
    header: tuple[str, str], make_service: Any, make_settings: Any
) -> None:
    assert await echo_with(make_service, make_settings(auth_tokens=TOKENS), header) == b"hi"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", "Bearer wrong"),),
        (("authorization", "first-token"),),
        (("authorization", "Basic first-token"),),
        (("authorization", "Bearer "),),
        (("authorization", "Bearer first-toke"),),
        (("x-api-key", "first-token "), ("authorization", "Bearer wrong")),
        (("x-api-key", ""),),
    ],
)
async def test_anything_else_is_unauthenticated_and_the_token_is_not_repeated(
    headers: tuple[tuple[str, str], ...],
    make_service: Any,
    make_settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await echo_with(make_service, make_settings(auth_tokens=TOKENS), *headers)

    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert error_from_rpc(caught.value).reason == "UNAUTHENTICATED"
    assert "wrong" not in str(caught.value.details())
    assert "wrong" not in caplog.text
    assert "first-token" not in caplog.text


async def test_health_stays_open_and_reflection_does_not(
    make_service: Any, make_settings: Any
) -> None:
    async def ask(channel: Any) -> list[str]:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]
        return [service.name for service in answers[0].list_services_response.service]

    settings = make_settings(auth_tokens=TOKENS)
    async with (
        running(make_service(), settings) as run,
        plain_channel(run.target) as stranger,
    ):
        health = await health_pb2_grpc.HealthStub(stranger).Check(
            health_pb2.HealthCheckRequest(service="test.Echo")
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(stranger)
        names = await ask(run.channel())

    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "test.Echo" in names


async def test_without_tokens_everyone_is_let_in(make_service: Any, make_settings: Any) -> None:
    assert await echo_with(make_service, make_settings()) == b"hi"
