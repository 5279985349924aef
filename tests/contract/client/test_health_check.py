"""The health check of the SDK against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicemesh_client import (
    ClientTls,
    Connection,
    Health,
    TlsMismatchError,
    UnavailableError,
    check_health,
)

pytestmark = pytest.mark.contract


async def test_a_service_that_takes_calls_is_serving(script: Any) -> None:
    assert await check_health(script.target) is Health.SERVING
    name = "voicemesh.stt.v1.SpeechToTextService"
    assert await check_health(script.target, service=name) is Health.SERVING


async def test_a_name_that_is_not_served_is_not_serving(script: Any) -> None:
    assert await check_health(script.target, service="no.such.Service") is Health.NOT_SERVING


async def test_nobody_at_the_target_is_unreachable() -> None:
    assert await check_health(Connection("127.0.0.1:1", timeout_s=5)) is Health.UNREACHABLE


async def test_a_trusted_certificate_is_no_obstacle(
    secured: str, authority: tuple[object, Path]
) -> None:
    connection = Connection(secured, tls=ClientTls(ca_file=authority[1]))

    assert await check_health(connection) is Health.SERVING


async def test_plain_text_to_a_service_with_tls_says_what_may_be_missing(secured: str) -> None:
    with pytest.raises(TlsMismatchError, match="if it serves TLS, pass its authorities") as caught:
        await check_health(secured)

    assert isinstance(caught.value, UnavailableError)
    assert not caught.value.retryable


async def test_a_foreign_authority_is_said_to_be_the_reason(
    secured: str, foreign_ca_file: Path
) -> None:
    connection = Connection(secured, tls=ClientTls(ca_file=foreign_ca_file))

    with pytest.raises(TlsMismatchError, match=f"certificate of {secured} is not trusted: no auth"):
        await check_health(connection)


async def test_a_certificate_for_another_name_is_said_to_be_the_reason(
    secured: str, authority: tuple[object, Path]
) -> None:
    tls = ClientTls(ca_file=authority[1], server_name="elsewhere.test")

    with pytest.raises(TlsMismatchError, match="is for another name"):
        await check_health(Connection(secured, tls=tls))


async def test_tls_to_a_service_in_plain_text_is_said_to_be_the_reason(
    script: Any, foreign_ca_file: Path
) -> None:
    connection = Connection(script.target, tls=ClientTls(ca_file=foreign_ca_file))

    with pytest.raises(TlsMismatchError, match="does not serve TLS"):
        await check_health(connection)
