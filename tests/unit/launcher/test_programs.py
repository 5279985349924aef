"""Which ports the programs get, and what they are told of each other."""

from __future__ import annotations

import pytest

from voicemesh_launcher.programs import Endpoint, LaunchError, read_programs, with_free_ports

pytestmark = pytest.mark.unit


def test_the_usual_ports_are_those_of_the_services() -> None:
    addresses = {
        program.name: {purpose: each.port for purpose, each in program.endpoints.items()}
        for program in read_programs({})
    }

    assert addresses == {
        "stt": {"grpc": 50051, "metrics": 9101},
        "tts": {"grpc": 50052, "metrics": 9102},
        "trainer": {"grpc": 50053, "metrics": 9103},
        "bot": {"grpc": 50054, "metrics": 9104, "console": 8080},
    }


def test_the_variables_of_the_services_move_their_ports() -> None:
    stt, _, _, bot = read_programs(
        {"VOICEMESH_STT_SERVER__PORT": "6000", "VOICEMESH_BOT_CONSOLE__PORT": "8081"}
    )

    assert stt.endpoints["grpc"].address == "127.0.0.1:6000"
    assert bot.endpoints["console"].address == "127.0.0.1:8081"


@pytest.mark.parametrize("value", ["abc", "-1", "65536", "1.5", "٣"])
def test_a_port_that_is_none_is_said_with_its_setting(value: str) -> None:
    with pytest.raises(LaunchError, match=r"VOICEMESH_TTS_SERVER__METRICS_PORT = .* is not a port"):
        read_programs({"VOICEMESH_TTS_SERVER__METRICS_PORT": value})


def test_the_bot_is_told_where_the_others_are() -> None:
    environ = {"VOICEMESH_STT_SERVER__PORT": "6000"}
    *_, bot = with_free_ports(read_programs(environ), environ, everywhere=False)

    assert bot.variables["VOICEMESH_BOT_STT__TARGET"] == "127.0.0.1:6000"
    assert bot.variables["VOICEMESH_BOT_TRAINER__TARGET"] == "127.0.0.1:50053"


def test_a_service_elsewhere_that_the_person_names_is_left_to_the_bot() -> None:
    environ = {"VOICEMESH_BOT_STT__TARGET": "stt.example:50051"}
    *_, bot = with_free_ports(read_programs(environ), environ, everywhere=False)

    assert "VOICEMESH_BOT_STT__TARGET" not in bot.variables


def test_the_bot_is_given_the_tokens_that_the_services_ask_for() -> None:
    environ = {
        "VOICEMESH_STT_SERVER__AUTH_TOKENS": " first , second",
        "VOICEMESH_TTS_SERVER__AUTH_TOKENS": "third",
        "VOICEMESH_BOT_TTS__TOKEN": "chosen",
    }
    *_, bot = with_free_ports(read_programs(environ), environ, everywhere=False)

    assert bot.variables["VOICEMESH_BOT_STT__TOKEN"] == "first"
    assert "VOICEMESH_BOT_TTS__TOKEN" not in bot.variables
    assert "VOICEMESH_BOT_TRAINER__TOKEN" not in bot.variables
    assert "first" not in repr(bot)


def test_a_token_of_this_machine_is_not_sent_elsewhere() -> None:
    environ = {
        "VOICEMESH_STT_SERVER__AUTH_TOKENS": "secret",
        "VOICEMESH_BOT_STT__TARGET": "stt.example:50051",
    }
    *_, bot = with_free_ports(read_programs(environ), environ, everywhere=False)
    *_, bot_of_demo = with_free_ports(read_programs(environ), environ, everywhere=True)

    assert "VOICEMESH_BOT_STT__TOKEN" not in bot.variables
    assert bot_of_demo.variables["VOICEMESH_BOT_STT__TOKEN"] == "secret"


def test_port_0_becomes_a_free_one_and_the_service_is_told() -> None:
    environ = {"VOICEMESH_STT_SERVER__PORT": "0"}
    stt, tts, *_ = with_free_ports(read_programs(environ), environ, everywhere=False)

    port = stt.endpoints["grpc"].port
    assert port not in {0, 50051}
    assert stt.variables["VOICEMESH_STT_SERVER__PORT"] == str(port)
    assert tts.endpoints["grpc"].port == 50052


def test_a_demo_gets_free_ports_everywhere_and_talks_to_its_own_services() -> None:
    environ = {"VOICEMESH_BOT_STT__TARGET": "stt.example:50051"}
    programs = with_free_ports(read_programs(environ), environ, everywhere=True)

    ports = [each.port for program in programs for each in program.endpoints.values()]
    assert len(set(ports)) == len(ports) == 9
    target = programs[-1].variables["VOICEMESH_BOT_STT__TARGET"]
    assert target == programs[0].endpoints["grpc"].address


def test_an_address_that_this_machine_does_not_have_is_said() -> None:
    environ = {"VOICEMESH_STT_SERVER__HOST": "203.0.113.1"}

    with pytest.raises(LaunchError, match="set VOICEMESH_STT_SERVER__HOST to one"):
        with_free_ports(read_programs(environ), environ, everywhere=True)


@pytest.mark.parametrize(
    ("host", "address"),
    [("0.0.0.0", "127.0.0.1:80"), ("::", "[::1]:80"), ("::1", "[::1]:80"), ("box", "box:80")],  # noqa: S104
)
def test_an_address_can_be_called_from_this_machine(host: str, address: str) -> None:
    assert Endpoint("grpc", host, 80, "X").address == address
