"""The bot's settings."""

from __future__ import annotations

import pytest

from voicemesh_bot.settings import BotSettings
from voicemesh_chassis.settings import load_settings

pytestmark = pytest.mark.unit


def test_the_defaults_are_the_projects_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    settings = load_settings(BotSettings)

    assert (settings.server.port, settings.server.metrics_port) == (50054, 9104)
    assert (settings.console.host, settings.console.port) == ("127.0.0.1", 8080)
    assert [s.target[-5:] for s in (settings.stt, settings.tts, settings.trainer)] == [
        "50051", "50052", "50053",
    ]  # fmt: skip
    assert settings.discord_token is None


def test_the_discord_token_has_its_usual_name_and_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "abc.def")
    settings = load_settings(BotSettings)

    assert settings.discord_token is not None
    assert settings.discord_token.get_secret_value() == "abc.def"
    assert "abc.def" not in repr(settings)


def test_one_field_of_a_group_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_BOT_TTS__TOKEN", "secret")
    monkeypatch.setenv("VOICEMESH_BOT_CONSOLE__ALLOWED_HOSTS", "Console.example, localhost")
    settings = load_settings(BotSettings)

    assert settings.tts.target == "127.0.0.1:50052"
    assert settings.console.allowed_hosts == ("console.example", "localhost")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOICEMESH_BOT_CONSOLE__PORT", "99999"),
        ("VOICEMESH_BOT_CONSOLE__PROT", "8080"),
        ("VOICEMESH_BOT_CONVERSATION__BARGE_IN_MS", "-1"),
    ],
)
def test_a_bad_setting_ends_the_start_and_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load_settings(BotSettings)

    assert ended.value.code == 78
    assert name in capsys.readouterr().err


def test_half_a_simulator_of_discord_is_refused_and_not_taken_for_discord(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEMESH_BOT_DISCORD__API_URI", "http://127.0.0.1:8090/api/v10")
    with pytest.raises(SystemExit):
        load_settings(BotSettings)

    assert "GATEWAY_URI" in capsys.readouterr().err
