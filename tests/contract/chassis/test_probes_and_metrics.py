"""Health, reflection, `/healthz`, `/readyz`, `/metrics` and the access log."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import Any

import aiohttp
import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from voicemesh_chassis import testing
from voicemesh_chassis.errors import NotFoundError

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def missing(_request: bytes, _context: object) -> bytes:
    msg = "no such voice"
    raise NotFoundError(msg)


HANDLERS: dict[str, Any] = {"Missing": grpc.unary_unary_rpc_method_handler(missing)}


async def metrics_after_two_calls(make_service: Any, make_settings: Any) -> str:
    """`/metrics` after one call that went well and one that did not."""
    handlers = {**HANDLERS, "Echo": grpc.unary_unary_rpc_method_handler(echo)}
    async with running(make_service(**handlers), make_settings()) as run:
        await run.channel().unary_unary("/test.Echo/Echo")(b"hi")
        with pytest.raises(grpc.aio.AioRpcError):
            await run.channel().unary_unary("/test.Echo/Missing")(b"hi")
        # A call is counted just after its caller has the answer.
        async with asyncio.timeout(10):
            while 'grpc_code="NotFound"' not in (text := (await get(f"{run.http_url}/metrics"))[1]):
                await asyncio.sleep(0.01)
    return text


async def echo(request: bytes, _context: object) -> bytes:
    return request


async def test_health_is_serving_for_the_server_and_each_service_and_unknown_for_others(
    make_service: Any, make_settings: Any
) -> None:
    async with running(make_service(), make_settings()) as run:
        stub = health_pb2_grpc.HealthStub(run.channel())
        for name in ("", "test.Echo"):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Check(health_pb2.HealthCheckRequest(service="test.Other"))

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_probes_answer_and_other_paths_do_not(make_service: Any, make_settings: Any) -> None:
    async with running(make_service(), make_settings()) as run:
        assert await get(f"{run.http_url}/healthz") == (200, "alive\n")
        assert await get(f"{run.http_url}/readyz") == (200, "serving\n")
        assert (await get(f"{run.http_url}/other"))[0] == 404


async def test_metrics_have_the_names_and_labels_of_go_grpc_middleware(
    make_service: Any, make_settings: Any
) -> None:
    text = await metrics_after_two_calls(make_service, make_settings)

    samples = {
        (sample.name, *(sample.labels.get(key) for key in ("grpc_method", "grpc_code"))): sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }
    labels = samples["grpc_server_handled_total", "Missing", "NotFound"].labels
    assert labels == {
        "grpc_type": "unary",
        "grpc_service": "test.Echo",
        "grpc_method": "Missing",
        "grpc_code": "NotFound",
    }
    for name, method, code, value in (
        ("grpc_server_started_total", "Echo", None, 1),
        ("grpc_server_handled_total", "Echo", "OK", 1),
        ("grpc_server_handling_seconds_count", "Missing", None, 1),
        ("grpc_server_msg_received_total", "Echo", None, 1),
        ("grpc_server_msg_sent_total", "Echo", None, 1),
        ("grpc_server_msg_sent_total", "Missing", None, 0),
        ("grpc_server_in_flight", "Echo", None, 0),
    ):
        assert samples[name, method, code].value == value, name
    build = samples["voicemesh_build_info", None, None]
    assert (build.labels["service"], build.value) == ("test", 1)


async def test_promtool_accepts_the_metrics(make_service: Any, make_settings: Any) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    text = await metrics_after_two_calls(make_service, make_settings)

    check = subprocess.run(  # noqa: ASYNC221 - nothing else runs meanwhile
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )

    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


async def test_calls_to_unknown_methods_do_not_grow_the_metrics(
    make_service: Any, make_settings: Any
) -> None:
    async with running(make_service(), make_settings()) as run:
        for name in ("One", "Two"):
            with pytest.raises(grpc.aio.AioRpcError):
                await run.channel().unary_unary(f"/test.Echo/{name}")(b"")
        _, text = await get(f"{run.http_url}/metrics")

    assert 'grpc_method="One"' not in text
    assert 'grpc_method="unknown"' in text


async def test_one_log_line_a_call_without_what_was_in_it(
    make_service: Any, make_settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    metadata = (("x-request-id", "given-by-the-caller"),)

    async with running(make_service(), make_settings()) as run:
        call = run.channel().unary_unary("/test.Echo/Echo")(b"the words", metadata=metadata)
        await call
        trailing = dict(await call.trailing_metadata())

    rpcs = [
        vars(record)["msg"] for record in caplog.records if vars(record)["msg"]["event"] == "rpc"
    ]
    assert len(rpcs) == 1
    assert rpcs[0]["method"] == "/test.Echo/Echo"
    assert rpcs[0]["code"] == "OK"
    assert rpcs[0]["request_id"] == "given-by-the-caller"
    assert rpcs[0]["duration_ms"] >= 0
    assert "the words" not in caplog.text
    assert trailing["x-request-id"] == "given-by-the-caller"


@pytest.mark.parametrize("forged", ["two words", "x" * 200, ""])
async def test_a_request_id_that_could_forge_a_log_line_is_replaced(
    forged: str, make_service: Any, make_settings: Any
) -> None:
    metadata = (("x-request-id", forged),)

    async with running(make_service(), make_settings()) as run:
        call = run.channel().unary_unary("/test.Echo/Echo")(b"", metadata=metadata)
        await call
        trailing = dict(await call.trailing_metadata())

    assert len(trailing["x-request-id"]) == 32
    assert trailing["x-request-id"] != forged
