"""Finding Piper voices, and what is said when one cannot be used."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.domain import Gender, Utterance
from voicemesh_tts.engines.piper import PiperEngine, PiperOptions
from voicemesh_tts.engines.piper_files import find_voices

pytestmark = pytest.mark.unit


def put_voice(directory: Path, name: str, **changes: object) -> None:
    config = {"audio": {"sample_rate": 16_000}, "espeak": {"voice": "de"}, **changes}
    (directory / f"{name}.onnx").write_bytes(b"not a model")
    (directory / f"{name}.onnx.json").write_text(json.dumps(config))


@pytest.fixture
def empty(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models", load_catalogue())


def test_voices_of_a_directory_are_found_with_what_their_files_say(
    tmp_path: Path, empty: ModelStore
) -> None:
    put_voice(tmp_path, "de_DE-amy-low", language={"code": "de_DE"})
    put_voice(tmp_path, "mine")
    put_voice(tmp_path, "zh", phoneme_type="pinyin")
    put_voice(tmp_path, "broken", audio=None)
    (tmp_path / "alone.onnx").write_bytes(b"")

    found = find_voices(empty, [tmp_path, tmp_path / "missing"])

    assert set(found) == {"piper:de_DE-amy-low", "piper:mine"}
    amy = found["piper:de_DE-amy-low"].voice
    assert (amy.language_codes, amy.sample_rate_hertz) == (("de-DE",), 16_000)
    assert (amy.display_name, amy.gender) == ("Amy", Gender.FEMALE)
    assert found["piper:mine"].voice.language_codes == ("de",)


def test_a_catalogue_voice_that_is_missing_says_how_to_pull_it(empty: ModelStore) -> None:
    with pytest.raises(StartupError, match=r"voicemesh-models pull .*piper-en_US-joe-medium"):
        PiperEngine(empty, PiperOptions()).load("piper:en_US-joe-medium")


def test_a_voice_that_nobody_has_is_a_bad_setting(empty: ModelStore) -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_TTS_DEFAULT_VOICE"):
        PiperEngine(empty, PiperOptions()).load("piper:nobody")


def test_a_damaged_file_is_named(tmp_path: Path, empty: ModelStore) -> None:
    put_voice(tmp_path, "mine")

    with pytest.raises(StartupError, match=r"mine\.onnx cannot be loaded"):
        PiperEngine(empty, PiperOptions(voice_dirs=(tmp_path,))).load("piper:mine")


def test_a_missing_package_says_how_to_install_it(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    engine = PiperEngine(ModelStore(models_dir, load_catalogue()), PiperOptions())

    with pytest.raises(StartupError, match=r"pip install 'voicemesh-tts\[piper\]'"):
        engine.load("piper:en_US-joe-medium")


def test_without_noise_the_same_text_sounds_the_same(models_dir: Path) -> None:
    store = ModelStore(models_dir, load_catalogue())
    utterance = Utterance("Good morning.", "piper:en_US-joe-medium")

    with closing(PiperEngine(store, PiperOptions(noise_scale=0, noise_w_scale=0))) as engine:
        (first,), (second,) = engine.speak(utterance), engine.speak(utterance)

    assert first.last
    assert (first.samples == second.samples).all()


def test_phonemes_given_in_a_text_are_read_as_text(models_dir: Path) -> None:
    store = ModelStore(models_dir, load_catalogue())

    with closing(PiperEngine(store, PiperOptions(noise_scale=0, noise_w_scale=0))) as engine:
        (given,) = engine.speak(Utterance("[[xxx xxx]]", "piper:en_US-joe-medium"))
        (read,) = engine.speak(Utterance("xxx xxx", "piper:en_US-joe-medium"))

    assert len(given.samples) == pytest.approx(len(read.samples), rel=0.2)
