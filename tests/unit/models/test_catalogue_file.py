"""The catalogue file: what the packaged one holds, and what is wrong with others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_models import CatalogueError, HubFile, UnknownModelError, load_catalogue
from voicemesh_models.testing import model_table, wheel_file

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit

_GOOD_FILE = wheel_file("model.bin", b"x", ("wheel", "a/b"))
_GOOD = model_table("good", _GOOD_FILE)
_HUB = 'hub = { repo = "a/b", revision = "c0ffee", path = "x" }\n'


def test_packaged_catalogue_pins_every_file() -> None:
    catalogue = load_catalogue()

    for model in catalogue.models.values():
        for file in model.files:
            assert file.sha256, (model.name, file.path)
            assert file.size_bytes, (model.name, file.path)


def test_default_group_needs_only_the_package_registry() -> None:
    catalogue = load_catalogue()

    names = catalogue.expand(["default"])

    assert names == (
        "whisper-tiny.en",
        "silero-vad",
        "smart-turn-v3.2",
        "piper-en_US-joe-medium",
        "gemma-3-270m",
    )
    files = [file for name in names for file in catalogue.get(name).files]
    assert not any(isinstance(file.source, HubFile) for file in files)


def test_gemma_shows_its_terms() -> None:
    assert "Gemma Terms of Use" in load_catalogue().get("gemma-3-270m").notice


def test_names_are_expanded_once_and_in_order() -> None:
    names = load_catalogue().expand(["silero-vad", "default"])

    assert names[:2] == ("silero-vad", "whisper-tiny.en")
    assert len(names) == 5


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"'nope'; known are default, whisper-tiny\.en"):
        load_catalogue().expand(["nope"])


def test_environment_variable_names_another_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"format = 1\n{_GOOD}")
    monkeypatch.setenv("VOICEMESH_MODELS_FILE", str(path))

    assert list(load_catalogue().models) == ["good"]


def test_a_chosen_catalogue_that_cannot_be_read_is_named_with_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "nofile.toml"
    monkeypatch.setenv("VOICEMESH_MODELS_FILE", str(path))

    with pytest.raises(CatalogueError) as caught:
        load_catalogue()

    assert caught.value.exit_code == 78
    assert str(caught.value) == (
        f"VOICEMESH_MODELS_FILE = {path}: cannot be read (No such file or directory); "
        "set it to a catalogue, or leave it out for the packaged one"
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("format = 1\n[[model", "is not valid TOML"),
        (_GOOD, "format: must be 1"),
        ("format = 1", "model: must be a non-empty list"),
        (f"format = 1\n{_GOOD}{_GOOD}", "model 'good': name: 'good' is used twice"),
        ("format = 1\n[[model]]\nname = '../x'", "model 1: name: is '../x'"),
        (f"format = 1\n{_GOOD}colour = 'red'", "model 'good': file 1: colour: is not a known key"),
        (
            "format = 1\n" + _GOOD.replace("licence", "license"),
            "model 'good': license: is not a known key",
        ),
        (
            f"format = 1\n[groups]\ndefault = ['nope']\n{_GOOD}",
            "groups: default: names 'nope', which is no model",
        ),
        (f"format = 1\n[groups]\ngood = ['good']\n{_GOOD}", "groups: good: is also the name"),
        (
            "format = 1\n" + model_table("good", _GOOD_FILE + _GOOD_FILE),
            "model 'good': file: path 'model.bin' is reserved or used twice",
        ),
        (
            "format = 1\n" + model_table("good", '[[model.file]]\npath = "x"\n'),
            "model 'good': file 1: parts: or `hub` must be given",
        ),
        (
            "format = 1\n" + _GOOD.replace("size = 1", "size = -1"),
            "model 'good': file 1: size: must be a whole number",
        ),
        (
            "format = 1\n" + _GOOD.replace("wheel==1.0", "wheel>=1.0"),
            "model 'good': file 1: part 1: wheel: is 'wheel>=1.0'",
        ),
        (
            "format = 1\n" + _GOOD.replace("wheel==1.0", "--index-url==1.0"),
            "model 'good': file 1: part 1: wheel: is '--index-url==1.0'",
        ),
    ],
)
def test_complaint_names_file_model_and_key(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "models.toml"
    path.write_text(text)

    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)

    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a//b", "a/../../b", "C:x", "a\\\\b", ".", "a/.", "NOTICE.txt"]
)
def test_paths_that_could_leave_the_model_directory_are_refused(tmp_path: Path, path: str) -> None:
    file = tmp_path / "models.toml"
    file.write_text("format = 1\n" + model_table("m", f'[[model.file]]\npath = "{path}"\n{_HUB}'))

    with pytest.raises(CatalogueError, match="path"):
        load_catalogue(file)


def test_member_paths_that_climb_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text("format = 1\n" + _GOOD.replace("a/b", "../../b"))

    with pytest.raises(CatalogueError, match=r"part 1: member: is '\.\./\.\./b'"):
        load_catalogue(file)


def test_a_wheel_file_must_be_pinned_and_a_hub_file_need_not(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text("format = 1\n" + model_table("m", f'[[model.file]]\npath = "x"\n{_HUB}'))
    assert load_catalogue(file).get("m").files[0].sha256 is None

    file.write_text("format = 1\n" + _GOOD.replace("sha256", "#sha256"))
    with pytest.raises(CatalogueError, match="sha256: must be a non-empty string"):
        load_catalogue(file)


def test_missing_catalogue_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.toml: cannot be read"):
        load_catalogue(tmp_path / "none.toml")
