"""The health check of the SDK against a real server."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_client import Connection, Health, check_health

pytestmark = pytest.mark.contract


async def test_a_service_that_takes_calls_is_serving(script: Any) -> None:
    assert await check_health(script.target) is Health.SERVING
    name = "voicemesh.stt.v1.SpeechToTextService"
    assert await check_health(script.target, service=name) is Health.SERVING


async def test_a_name_that_is_not_served_is_not_serving(script: Any) -> None:
    assert await check_health(script.target, service="no.such.Service") is Health.NOT_SERVING


async def test_nobody_at_the_target_is_unreachable() -> None:
    assert await check_health(Connection("127.0.0.1:1", timeout_s=5)) is Health.UNREACHABLE
