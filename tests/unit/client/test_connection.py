"""Connections keep their secrets and pass on what the channel needs."""

from __future__ import annotations

import pytest

from voicemesh_client import ClientTls, Connection, SpeechToText

pytestmark = pytest.mark.unit


def test_a_token_is_not_shown() -> None:
    assert "secret" not in repr(Connection("a:1", token="secret"))


def test_a_target_alone_is_a_connection() -> None:
    assert Connection.of("a:1") == Connection("a:1")
    connection = Connection("a:1", timeout_s=3)
    assert Connection.of(connection) is connection


def test_the_channel_gets_everything() -> None:
    tls = ClientTls()
    options = Connection(
        "a:1", token="secret", tls=tls, timeout_s=3, max_message_bytes=5
    ).channel_options()

    assert (options.target, options.tls, options.max_message_bytes) == ("a:1", tls, 5)
    assert options.call_timeout_s == 3
    assert options.token is not None
    assert options.token.get_secret_value() == "secret"


def test_a_client_can_be_made_outside_of_an_event_loop() -> None:
    SpeechToText("127.0.0.1:1")
