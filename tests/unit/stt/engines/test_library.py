"""Which Whisper models there are, what is known of them before they are loaded, and bad files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_stt.engines.library import WhisperLibrary
from voicemesh_stt.engines.loading import open_models
from voicemesh_stt.engines.vocabulary import language_codes
from voicemesh_stt.errors import ModelLoadError
from voicemesh_stt.settings import SttSettings

pytestmark = pytest.mark.unit

TINY = "whisper-tiny.en"


@pytest.fixture
def root(tmp_path: Path, models_dir: Path) -> Path:
    """A models directory with a copy of the default model and nothing else."""
    root = tmp_path / "models"
    shutil.copytree(models_dir / TINY, root / TINY)
    return root


@pytest.fixture
def library(root: Path) -> Callable[..., WhisperLibrary]:
    """Makes a library of that directory under these settings."""

    def make(**settings: Any) -> WhisperLibrary:
        return WhisperLibrary(SttSettings(**settings), ModelStore(root, load_catalogue()))

    return make


@pytest.fixture
def mine(tmp_path: Path, models_dir: Path) -> Path:
    """A model in a directory of one's own."""
    copied = shutil.copytree(models_dir / TINY, tmp_path / "mine")
    (copied / ".installed.json").unlink()
    return copied


def cut(file: Path, size: int) -> None:
    with file.open("r+b") as opened:
        opened.truncate(size)


def pretend(root: Path, name: str) -> None:
    """Puts a model of the catalogue into the directory, as far as a look at it can tell."""
    (root / name).mkdir()
    (root / name / "model.bin").write_bytes(b"")


def test_what_is_known_of_a_model_that_is_not_loaded(library: Any) -> None:
    (model,) = library().models()

    assert (model.name, model.language_codes, model.license) == (TINY, ("en",), "MIT")
    assert (model.loaded, model.is_default, model.device) == (False, True, "")


def test_all_installed_whisper_models_are_offered_and_no_other(library: Any, root: Path) -> None:
    for name in ("whisper-base", "kokoro-82m"):
        pretend(root, name)
    made = library()
    assert {model.name for model in made.models()} == {TINY, "whisper-base"}

    pretend(root, "whisper-small")

    assert {model.name for model in made.models()} == {TINY, "whisper-base", "whisper-small"}


def test_where_models_are_named_no_other_is_offered(library: Any, root: Path, mine: Path) -> None:
    for name in ("whisper-base", "whisper-small", "whisper-base.en"):
        pretend(root, name)

    made = library(models=f"{mine}, whisper-base", warm_models="whisper-small")

    assert {model.name for model in made.models()} == {
        TINY,
        "mine",
        "whisper-base",
        "whisper-small",
    }
    assert made.kept == {TINY, "whisper-small"}
    assert made.default == TINY
    assert set(made.pinned) == {TINY, "whisper-base", "whisper-small"}


def test_where_there_is_room_for_one_no_other_is_offered(library: Any, root: Path) -> None:
    pretend(root, "whisper-base")

    assert [model.name for model in library(max_loaded_models=1).models()] == [TINY]


def test_a_directory_is_named_by_its_last_part(library: Any, mine: Path) -> None:
    made = library(model=str(mine))

    (model,) = (model for model in made.models() if model.is_default)
    assert (model.name, model.license, model.language_codes) == ("mine", "unknown", ("en",))
    assert made.pinned == ()


def test_a_directory_named_as_an_installed_model_takes_its_place(
    library: Any, tmp_path: Path, mine: Path
) -> None:
    own = shutil.move(mine, tmp_path / TINY)

    (model,) = library(model=str(own)).models()

    assert (model.name, model.license) == (TINY, "unknown")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"models": "silero-vad"},
            r"VOICEMESH_STT_MODELS = 'silero-vad' is a model for voice-activity, not for speech",
        ),
        (
            {"models": "whisper-tinny"},
            r"VOICEMESH_STT_MODELS = 'whisper-tinny' is neither a model of the catalogue, which "
            r"has whisper-tiny\.en, whisper-base, .*, nor a path$",
        ),
        (
            {"warm_models": "{tmp}/none"},
            r"VOICEMESH_STT_WARM_MODELS = .*/none holds no model\.bin; name the directory",
        ),
        (
            {"warm_models": "whisper-base", "max_loaded_models": 1},
            r"VOICEMESH_STT_MAX_LOADED_MODELS = 1 must be at least 2: "
            r"whisper-base, whisper-tiny\.en stay loaded$",
        ),
        (
            {"models": "whisper-base", "max_loaded_models": 1},
            r"MAX_LOADED_MODELS = 1 must be at least 2: whisper-tiny\.en stay loaded, and those "
            r"of VOICEMESH_STT_MODELS need a place",
        ),
        (
            {"models": "{tmp}/mine,{tmp}/other/mine"},
            r"VOICEMESH_STT_MODELS = .*/other/mine is the second model called 'mine', after "
            r".*/mine; rename",
        ),
    ],
)
def test_settings_that_cannot_be_met_are_one_sentence(
    settings: dict[str, Any], sentence: str, library: Any, tmp_path: Path, mine: Path
) -> None:
    shutil.copytree(mine, tmp_path / "other" / "mine")
    given = {
        key: value.format(tmp=tmp_path) if isinstance(value, str) else value
        for key, value in settings.items()
    }

    with pytest.raises(ConfigurationError, match=sentence) as caught:
        library(**given)

    assert "\n" not in str(caught.value)


def test_all_that_is_missing_is_named_at_once(root: Path) -> None:
    settings = SttSettings(
        models_dir=root, models=("whisper-small",), warm_models=("whisper-base",)
    )

    with pytest.raises(
        StartupError, match=r"models whisper-base, whisper-small and silero-vad are not in"
    ):
        open_models(settings)


def test_a_model_for_something_else_does_not_judge_turns(models_dir: Path) -> None:
    settings = SttSettings(models_dir=models_dir, end_of_turn_model="silero-vad")

    with pytest.raises(ConfigurationError, match="END_OF_TURN_MODEL = 'silero-vad' is a model for"):
        open_models(settings)


def test_no_model_judges_turns_if_none_is_wanted_or_there(
    models_dir: Path, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(models_dir / "silero-vad", root / "silero-vad")

    assert open_models(SttSettings(models_dir=models_dir)).end_of_turn is not None
    assert (
        open_models(SttSettings(models_dir=models_dir, end_of_turn_model="none")).end_of_turn
        is None
    )
    assert not caplog.records

    assert open_models(SttSettings(models_dir=root)).end_of_turn is None
    (warning,) = caplog.records
    assert f"voicemesh-models pull --dir {root} smart-turn-v3.2" in warning.getMessage()


def test_a_pinned_file_that_was_changed_is_not_loaded(library: Any, root: Path) -> None:
    cut(root / TINY / "model.bin", 1_000_000)

    with pytest.raises(ModelLoadError) as caught:
        library().load(TINY)

    assert caught.value.message == (
        "model whisper-tiny.en cannot be loaded: its file model.bin is damaged"
    )
    assert str(root) in caught.value.detail
    assert "voicemesh-models pull" in caught.value.detail


@pytest.mark.parametrize(
    ("file", "size"), [("model.bin", 1_000_000), ("model.bin", 0), ("tokenizer.json", 1_000)]
)
def test_a_file_of_ones_own_that_is_cut_off_is_told_without_its_path(
    file: str, size: int, library: Any, mine: Path
) -> None:
    cut(mine / file, size)

    with pytest.raises(ModelLoadError, match=r"model mine cannot be loaded: .+") as caught:
        library(models=str(mine)).load("mine")

    assert str(mine) not in caught.value.message
    assert str(mine) in caught.value.detail


def test_a_model_whose_files_are_gone_is_not_loaded(library: Any, root: Path, mine: Path) -> None:
    made = library(model=str(mine))
    shutil.rmtree(root / TINY)

    with pytest.raises(ModelLoadError, match="its files are gone"):
        made.load(TINY)


def vocabulary(directory: Path, *, languages: list[str], size: int) -> None:
    tokens = ["a"] * 50_257 + ["<|endoftext|>", "<|startoftranscript|>"]
    tokens += [f"<|{code}|>" for code in languages]
    tokens += ["b"] * (size - len(tokens))
    (directory / "vocabulary.json").write_text(json.dumps(tokens))
    numbers = [50_259 + at for at in range(len(languages))]
    (directory / "config.json").write_text(json.dumps({"lang_ids": numbers}))


def test_a_multilingual_vocabulary_tells_its_languages_as_bcp47(tmp_path: Path) -> None:
    vocabulary(tmp_path, languages=["en", "de", "jw", "yue"], size=51_866)
    assert language_codes(tmp_path) == ("de", "en", "jv", "yue")

    vocabulary(tmp_path, languages=["en", "de"], size=51_864)
    assert language_codes(tmp_path) == ("en",)


@pytest.mark.parametrize("file", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", "null"])
def test_files_that_say_nothing_tell_no_language(tmp_path: Path, file: str, content: str) -> None:
    vocabulary(tmp_path, languages=["en", "de"], size=51_865)
    (tmp_path / file).write_text(content)

    assert language_codes(tmp_path) in {(), ("en",)}
