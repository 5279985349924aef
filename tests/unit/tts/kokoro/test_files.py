"""Finds the files of Kokoro, and says what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voicemesh_chassis.service import StartupError
from voicemesh_models import Catalogue, ModelStore, load_catalogue
from voicemesh_tts.engines.kokoro import KokoroEngine, KokoroOptions
from voicemesh_tts.engines.kokoro.files import find_files
from voicemesh_tts.settings import KokoroSettings

pytestmark = pytest.mark.unit


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A model directory in which nothing is installed."""
    return ModelStore(tmp_path / "models", load_catalogue())


@pytest.fixture
def mine(tmp_path: Path) -> KokoroOptions:
    """A network and two styles of one's own; they are not read until they are loaded."""
    (tmp_path / "kokoro.onnx").write_bytes(b"not a network")
    (tmp_path / "vocab.json").write_text('{"vocab": {"a": 43}}')
    style = np.zeros((510, 1, 256), np.float32)
    np.savez(tmp_path / "voices.npz", bf_emma=style, im_nicola=style)
    return KokoroOptions(tmp_path / "kokoro.onnx", (tmp_path / "voices.npz",))


def test_nothing_is_offered_where_nothing_is_installed(store: ModelStore) -> None:
    engine = KokoroEngine(store, KokoroOptions(blends=("jf_alpha+jm_kumo",)))

    assert engine.voices() == []
    assert engine.find("kokoro:jf_alpha") is None


def test_what_is_missing_is_said_in_one_sentence(store: ModelStore) -> None:
    engine = KokoroEngine(store, KokoroOptions())

    with pytest.raises(StartupError, match="kokoro-82m") as told:
        engine.load("kokoro:jf_alpha")

    assert "kokoro-voices-ja" in str(told.value)
    assert "pull" in str(told.value)
    assert not engine.is_loaded("kokoro:jf_alpha")
    assert engine.memory_bytes("kokoro:jf_alpha") == 0


def test_files_of_ones_own_need_no_catalogue(store: ModelStore, mine: KokoroOptions) -> None:
    found = find_files(store, mine.model, mine.voice_files)

    assert found.model == mine.model
    assert set(found.styles) == {"bf_emma", "im_nicola"}
    assert found.needed == ()
    assert found.license_of(["bf_emma"]) == ""


def test_voices_tell_what_they_are(store: ModelStore, mine: KokoroOptions) -> None:
    engine = KokoroEngine(store, mine)

    emma, nicola = engine.voices()

    assert (emma.id, emma.display_name, emma.language_codes[0]) == (
        "kokoro:bf_emma",
        "Emma",
        "en-GB",
    )
    assert (nicola.id, nicola.gender.value, nicola.language_codes[0]) == (
        "kokoro:im_nicola",
        "male",
        "it-IT",
    )
    assert emma.sample_rate_hertz == 24_000
    assert emma.takes_phonemes
    assert emma.has_word_times


def test_any_blend_is_found_and_only_those_of_the_settings_are_listed(
    store: ModelStore, mine: KokoroOptions
) -> None:
    options = KokoroOptions(mine.model, mine.voice_files, ("bf_emma+im_nicola", "bf_emma+nobody"))
    engine = KokoroEngine(store, options)

    assert [voice.id for voice in engine.voices()] == [
        "kokoro:bf_emma",
        "kokoro:im_nicola",
        "kokoro:bf_emma+im_nicola",
    ]
    found = engine.find("kokoro:im_nicola*3+bf_emma*1")
    assert found is not None
    assert found.id == "kokoro:im_nicola*0.75+bf_emma*0.25"
    assert found.gender.value == "neutral"
    assert found.language_codes[:2] == ("it-IT", "en-GB")
    for unknown in ("kokoro:", "kokoro:bf_emma+", "kokoro:nobody", "piper:bf_emma", ""):
        assert engine.find(unknown) is None


def test_a_voice_that_is_not_there_and_a_damaged_network_are_told(
    store: ModelStore, mine: KokoroOptions
) -> None:
    engine = KokoroEngine(store, mine)

    with pytest.raises(StartupError, match=r"no Kokoro voice 'kokoro:nobody'.*bf_emma"):
        engine.load("kokoro:nobody")
    with pytest.raises(StartupError, match=r"kokoro\.onnx cannot be loaded"):
        engine.load("kokoro:bf_emma")


def test_a_language_that_espeak_cannot_read_is_refused_at_the_start(
    store: ModelStore, mine: KokoroOptions
) -> None:
    engine = KokoroEngine(store, replace(mine, languages=("de-DE", "xx-YY")))

    with pytest.raises(StartupError, match=r"KOKORO__LANGUAGES names 'xx-YY'"):
        engine.load("kokoro:bf_emma")
    engine.close()


def test_the_catalogue_has_a_network_with_its_vocabulary_and_styles(store: ModelStore) -> None:
    catalogue: Catalogue = store.catalogue

    network = {file.path for file in catalogue.get("kokoro-82m").files}
    styles = {file.path for file in catalogue.get("kokoro-voices-ja").files}

    assert network == {"kokoro-v1.0.int8.onnx", "vocab.json"}
    assert styles == {"voices_ja.npz"}


def test_settings_are_the_options(tmp_path: Path) -> None:
    settings = KokoroSettings.model_validate(
        {
            "model": str(tmp_path / "k.onnx"),
            "voice_files": f"{tmp_path / 'a.npz'}:{tmp_path / 'b.bin'}",
            "blends": "jf_alpha+jm_kumo, jf_nezumi*2+jm_kumo",
            "languages": "de-DE nl",
        }
    )

    assert KokoroOptions(**dict(settings)) == KokoroOptions(
        model=tmp_path / "k.onnx",
        voice_files=(tmp_path / "a.npz", tmp_path / "b.bin"),
        blends=("jf_alpha+jm_kumo", "jf_nezumi*2+jm_kumo"),
        languages=("de-DE", "nl"),
    )
    with pytest.raises(ValueError, match="BCP-47"):
        KokoroSettings.model_validate({"languages": "../de"})
