"""What gRPC's words about a failed connection mean; the words themselves: contract tests."""

from __future__ import annotations

import pytest

from voicemesh_client.errors import TlsMismatchError
from voicemesh_client.unreached import unreached

pytestmark = pytest.mark.unit

FAILING = "connections to all backends failing; last error: "


@pytest.mark.parametrize(
    "details",
    [
        FAILING + "UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused",
        "errors resolving no.such.host:5: address lookup failed for no.such.host:5",
        "Socket closed",  # in the middle of a call
        "",
    ],
)
def test_a_service_that_is_gone_is_no_matter_of_tls(details: str) -> None:
    error = unreached(details, "box:1", speaks_tls=False)

    assert not isinstance(error, TlsMismatchError)
    assert error.message == "no service answers at box:1"


@pytest.mark.parametrize(
    ("speaks_tls", "sentence"),
    [(False, "if it serves TLS"), (True, "it may serve no TLS, or want a client certificate")],
)
def test_a_connection_that_is_closed_at_once_hints_at_tls(speaks_tls: bool, sentence: str) -> None:
    details = FAILING + "UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed"

    error = unreached(details, "box:1", speaks_tls=speaks_tls)

    assert isinstance(error, TlsMismatchError)
    assert sentence in error.message
