"""Settings of tts as the environment gives them."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicemesh_chassis.settings import load_settings
from voicemesh_tts.__main__ import limits
from voicemesh_tts.settings import TtsSettings

pytestmark = pytest.mark.unit


def test_defaults_are_the_documented_ones() -> None:
    settings = TtsSettings()

    assert (settings.server.port, settings.server.metrics_port) == (50052, 9102)
    assert settings.server.host == "127.0.0.1"
    assert settings.default_voice == "piper:en_US-joe-medium"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_TTS_SERVER__PORT", "6000")
    monkeypatch.setenv("VOICEMESH_TTS_PIPER__VOICE_DIRS", "/voices:/more")
    monkeypatch.setenv("VOICEMESH_TTS_PIPER__NOISE_SCALE", "0")
    monkeypatch.setenv("VOICEMESH_TTS_DATA_DIR", "/data")
    monkeypatch.setenv("VOICEMESH_TTS_LOUDNESS_LUFS", "0")
    monkeypatch.setenv("VOICEMESH_TTS_CACHE_BYTES", "0")
    monkeypatch.setenv("VOICEMESH_TTS_VOICES__MOST_LOADED", "3")

    settings = load_settings(TtsSettings)

    assert (settings.server.port, settings.server.metrics_port) == (6000, 9102)
    assert settings.piper.voice_dirs == (Path("/voices"), Path("/more"))
    assert settings.piper.noise_scale == 0
    assert settings.data_dir == Path("/data")
    assert limits(settings).loudness_lufs is None
    assert limits(settings).cache_bytes == 0
    assert limits(settings).voices.most_loaded == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_VOICE", "joe"),
        ("MAX_TEXT_CHARS", "0"),
        ("QUEUE__WORKERS", "many"),
        ("OPUS_BITRATE", "1"),
        ("QUEUE__MAX_STALLED", "-1"),
        ("VOICES__MOST_LOADED", "0"),
        ("VOICES__IDLE_TIMEOUT_S", "-1"),
        ("CLONING__TIMEOUT_S", "0"),
        ("CACHE_BYTES", "-1"),
        ("LOUDNESS_LUFS", "3"),
        ("STREAM__IDLE_TIMEOUT_S", "0"),
        ("PIPER__THREADS", "0"),
        ("CLAUSES__MAX_CLAUSE_CHARS", "10"),
        ("DEFAULT_VOISE", "x"),
        ("PIPER__NOISE", "1"),
    ],
)
def test_a_bad_setting_ends_the_start_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"VOICEMESH_TTS_{name}", value)

    with pytest.raises(SystemExit) as stopped:
        load_settings(TtsSettings)

    said = capsys.readouterr().err
    assert stopped.value.code == 78
    assert f"VOICEMESH_TTS_{name}" in said
    assert said.count("\n") == 1
