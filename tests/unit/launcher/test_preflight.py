"""What is said when something is missing before the start."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from voicemesh_launcher.entry import too_old
from voicemesh_launcher.preflight import check_installed, check_models, check_ports
from voicemesh_launcher.programs import LaunchError, read_programs, with_free_ports

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ((3, 10), "this is Python 3.10: voicemesh needs 3.11 or later."),
        ((3, 11), ""),
        ((3, 14), ""),
    ],
)
def test_a_python_that_is_too_old_is_told_so(version: tuple[int, int], sentence: str) -> None:
    assert too_old(version) == sentence


def test_a_service_that_is_not_installed_is_named() -> None:
    programs = [replace(each, module=f"no_such_{each.name}") for each in read_programs({})[:2]]

    with pytest.raises(LaunchError, match="pip install services/stt services/tts"):
        check_installed(programs)


def test_missing_models_are_named_with_the_command_that_gets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", str(tmp_path))

    with pytest.raises(LaunchError) as caught:
        check_models()

    assert f"are not in {tmp_path}; run `" in str(caught.value)
    assert f"voicemesh-models pull --dir {tmp_path} whisper-tiny.en silero-vad" in str(caught.value)


def test_the_models_that_the_settings_name_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", str(tmp_path / "usual"))
    environ = {
        "VOICEMESH_STT_MODEL": "whisper-base",
        "VOICEMESH_STT_MODELS_DIR": str(tmp_path / "of stt"),
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    }

    with pytest.raises(LaunchError) as caught:
        check_models(environ)

    of_stt, usual = str(caught.value).splitlines()
    assert of_stt.startswith(f"models whisper-base and silero-vad are not in {tmp_path}/of stt;")
    assert usual.startswith(f"model piper-en_US-joe-medium is not in {tmp_path}/usual;")


def test_the_command_is_named_by_its_path_where_the_shell_would_not_find_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", str(tmp_path / "models"))
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    script = binaries / "voicemesh-models"
    script.touch(mode=0o755)
    monkeypatch.setattr("sys.executable", str(binaries / "python"))
    monkeypatch.chdir(tmp_path)

    monkeypatch.setenv("PATH", "")
    with pytest.raises(LaunchError, match=r"run `\.venv/bin/voicemesh-models pull"):
        check_models({})
    monkeypatch.setenv("PATH", str(binaries))
    with pytest.raises(LaunchError, match="run `voicemesh-models pull"):
        check_models({})


def test_an_unusable_catalogue_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = tmp_path / "models.toml"
    catalogue.write_text("not toml")
    monkeypatch.setenv("VOICEMESH_MODELS_FILE", str(catalogue))

    with pytest.raises(LaunchError, match=r"models\.toml"):
        check_models()


async def test_free_ports_are_nothing_to_talk_of() -> None:
    await check_ports(with_free_ports(read_programs({}), {}, everywhere=True))


async def test_each_taken_port_is_named_with_its_service_and_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environ = {
            "VOICEMESH_TTS_SERVER__PORT": str(port),
            "VOICEMESH_TTS_SERVER__METRICS_PORT": "0",
        }
        programs = read_programs(environ)[1:2]
        with pytest.raises(LaunchError) as caught:
            await check_ports(programs)

    assert str(caught.value) == (
        f"tts (grpc): port {port} on 127.0.0.1 is taken: "
        "stop the program that has it, or set VOICEMESH_TTS_SERVER__PORT."
    )


async def test_one_port_for_two_services_is_said() -> None:
    environ = {"VOICEMESH_TTS_SERVER__PORT": "50051"}

    with pytest.raises(LaunchError) as caught:
        await check_ports(read_programs(environ))

    assert "VOICEMESH_STT_SERVER__PORT and VOICEMESH_TTS_SERVER__PORT are both 50051" in str(
        caught.value
    )
