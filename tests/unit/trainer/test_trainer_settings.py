"""Which model answers is chosen by settings, and a wrong one is refused in a sentence."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_chassis.settings import load_settings
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.settings import TrainerSettings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.mark.parametrize(
    ("environment", "backend"),
    [
        ({}, "local"),
        ({"OPENAI_API_KEY": "sk-x"}, "openai"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, "openai"),
        ({"OPENAI_API_KEY": "sk-x", "VOICEMESH_TRAINER_BACKEND": "local"}, "local"),
        ({"OPENAI_API_KEY": ""}, "local"),
    ],
)
def test_the_backend_is_chosen_by_what_is_set(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], backend: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert load_settings(TrainerSettings).chosen_backend == backend


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("VOICEMESH_TRAINER_LOCAL__SLOTS", "0", "VOICEMESH_TRAINER_LOCAL__SLOTS"),
        ("VOICEMESH_TRAINER_LOCAL__MODEL", "../../etc", "VOICEMESH_TRAINER_LOCAL__MODEL"),
        ("VOICEMESH_TRAINER_LOCAL__SLOTZ", "2", "VOICEMESH_TRAINER_LOCAL__SLOTS?"),
        ("VOICEMESH_TRAINER_BACKEND", "cloud", "VOICEMESH_TRAINER_BACKEND"),
        ("OPENAI_BASE_URL", "localhost:1", "http://"),
        (
            "OPENAI_API_KEY",
            "sk-\u043a\u043b\u044e\u0447",
            "OPENAI_API_KEY cannot be used: a key is",
        ),
    ],
)
def test_a_bad_setting_ends_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as caught:
        load_settings(TrainerSettings)

    assert caught.value.code == 78
    assert said in capsys.readouterr().err


def test_an_endpoint_without_key_or_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        build(TrainerSettings(backend="openai"))


def test_the_key_does_not_show() -> None:
    settings = TrainerSettings(openai_api_key=SecretStr("sk-very-secret"))

    assert "very-secret" not in repr(settings)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"voicemesh-models pull .*gemma-3-270m"):
        gguf_file(ModelStore(tmp_path, load_catalogue()), "gemma-3-270m", None)


def test_an_unknown_model_and_a_missing_file_name_the_setting(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, load_catalogue())

    with pytest.raises(ConfigurationError, match="VOICEMESH_TRAINER_LOCAL__MODEL"):
        gguf_file(store, "no-such-model", None)
    with pytest.raises(ConfigurationError, match="VOICEMESH_TRAINER_LOCAL__MODEL_FILE"):
        gguf_file(store, "gemma-3-270m", tmp_path / "absent.gguf")


async def test_the_model_file_is_verified_beside_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def verifying(*_arguments: object) -> Path:
        threads.append(threading.current_thread())
        msg = "not there"
        raise StartupError(msg)

    monkeypatch.setattr("voicemesh_trainer.wiring.local.gguf_file", verifying)
    service = build(TrainerSettings(backend="local"))
    assert not threads

    with pytest.raises(StartupError, match="not there"):
        await service.start()
    await service.stop()

    assert threads != [threading.main_thread()]
    assert len(threads) == 1


def test_a_model_of_another_kind_is_refused(models_dir: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a GGUF language model"):
        gguf_file(ModelStore(models_dir, load_catalogue()), "silero-vad", None)


def test_everything_is_kept_in_one_directory_unless_it_is_said_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOICEMESH_TRAINER_STORAGE__DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    storage = TrainerSettings().storage
    assert storage.directory == tmp_path / "voicemesh" / "trainer"
    assert storage.database == f"sqlite:///{tmp_path}/voicemesh/trainer/trainer.db"
    assert storage.files == f"{tmp_path}/voicemesh/trainer/files"

    monkeypatch.setenv("VOICEMESH_TRAINER_STORAGE__DATA_DIR", "data")
    monkeypatch.setenv("VOICEMESH_TRAINER_STORAGE__DATABASE_URL", "postgresql://u:secret@h/n")
    monkeypatch.setenv("VOICEMESH_TRAINER_STORAGE__FILES_URL", "s3://bucket")
    storage = TrainerSettings().storage
    assert storage.directory == Path("data").absolute()
    assert (storage.database, storage.files) == ("postgresql://u:secret@h/n", "s3://bucket")
    assert "secret" not in repr(storage)
