"""A service takes settings, not arguments."""

from __future__ import annotations

import pytest

from voicemesh_chassis.command_line import read_command_line
from voicemesh_chassis.settings import ServiceSettings, service_settings_config

pytestmark = pytest.mark.unit


class ProbeSettings(ServiceSettings):
    """Settings of a service that does not exist."""

    model_config = service_settings_config("VOICEMESH_PROBE_")

    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    """Names of this machine."""


def test_nothing_on_the_command_line_is_right() -> None:
    read_command_line(ProbeSettings, "probe", [])


def test_help_lists_every_setting_with_its_effect(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_command_line(ProbeSettings, "probe", ["--help"])

    text = capsys.readouterr().out
    assert caught.value.code == 0
    assert "VOICEMESH_PROBE_SERVER__DRAIN_TIMEOUT_S (default 30.0)" in text
    assert "VOICEMESH_PROBE_HOSTS (default 127.0.0.1,localhost,[::1])" in text
    assert "How long open calls may go on after SIGTERM, in seconds." in text


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_command_line(ProbeSettings, "chassis", ["--version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out.strip() == "0.1.0"


def test_anything_else_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_command_line(ProbeSettings, "probe", ["--port", "1"])

    assert caught.value.code == 2
    assert "--port" in capsys.readouterr().err
