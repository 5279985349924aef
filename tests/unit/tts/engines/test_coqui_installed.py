"""Coqui models are found by their files, without torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.engines.coqui.installed import checkpoint_of, find_models, read_model
from voicemesh_tts.engines.coqui.published import catalogue_file

pytestmark = pytest.mark.unit


def write_model(directory: Path, *, comment: str = "", **config: Any) -> Path:
    directory.mkdir(parents=True)
    whole = {"model": "vits", "audio": {"sample_rate": 22_050}, **config}
    (directory / "config.json").write_text(comment + json.dumps(whole), encoding="utf-8")
    (directory / "model.pth").write_bytes(b"weights")
    return directory


def test_importing_the_engine_imports_no_torch() -> None:
    assert "torch" not in sys.modules
    assert "TTS" not in sys.modules


def test_a_model_of_one_speaker_is_one_voice(tmp_path: Path) -> None:
    files = read_model("My voice", write_model(tmp_path / "my", phoneme_language="en-us"))

    (voice,) = files.voices.values()
    assert voice.id == "coqui:My_voice"
    assert voice.display_name == "My Voice"
    assert voice.language_codes == ("en-US",)
    assert voice.sample_rate_hertz == 22_050
    assert voice.has_word_times
    assert not voice.takes_phonemes
    assert voice.license == ""
    assert files.speakers == {}


def test_speakers_of_the_config_are_voices_in_the_models_order(tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "use_phonemes": True,
        "model_args": {"use_speaker_embedding": True},
        "speakers": ["zoe", "ED\n", "Ann Lee"],
    }

    files = read_model("m", write_model(tmp_path / "m", **config), "MIT", "de")

    assert list(files.voices) == ["coqui:m", "coqui:m#zoe", "coqui:m#ED", "coqui:m#Ann_Lee"]
    assert files.speakers["coqui:m"] == "zoe"
    assert files.speakers["coqui:m#ED"] == "ED\n"
    assert {voice.license for voice in files.voices.values()} == {"MIT"}
    assert {voice.language_codes for voice in files.voices.values()} == {("de",)}
    assert all(voice.takes_phonemes for voice in files.voices.values())


@pytest.mark.parametrize("place", ["/lost/speaker_ids.json", "", None])
def test_a_file_of_speakers_is_found_beside_the_config(tmp_path: Path, place: str | None) -> None:
    arguments = {"use_speaker_embedding": True, "speakers_file": place}
    directory = write_model(tmp_path / "m", model_args=arguments)
    (directory / "speaker_ids.json").write_text('{"b": 1, "a": 0}', encoding="utf-8")

    assert list(read_model("m", directory).speakers.values()) == ["b", "b", "a"]


def test_speakers_known_by_vectors_are_voices(tmp_path: Path) -> None:
    arguments = {"use_d_vector_file": True, "d_vector_file": ["/lost/speakers.json"]}
    directory = write_model(tmp_path / "m", model_args=arguments)
    table = {f"{name}{clip}.wav": {"name": name} for name in ("q", "p") for clip in (1, 2)}
    (directory / "speakers.json").write_text(json.dumps(table), encoding="utf-8")

    assert list(read_model("m", directory).speakers.values()) == ["p", "p", "q"]


def test_languages_come_from_the_config_the_data_or_the_name(tmp_path: Path) -> None:
    data: dict[str, Any] = {
        "datasets": [{"language": "pt-br"}, {"language": ""}, {"language": "en"}]
    }
    both = read_model("m", write_model(tmp_path / "m", **data), "", "fr")
    name = read_model("n", write_model(tmp_path / "n", languages=[]), "", "fr")

    assert both.pattern.language_codes == ("pt-BR", "en")
    assert name.pattern.language_codes == ("fr",)


def test_xtts_without_speakers_can_only_clone(tmp_path: Path) -> None:
    audio = {"sample_rate": 22_050, "output_sample_rate": 24_000}
    directory = write_model(tmp_path / "x", model="xtts", audio=audio, languages=["en", "zh-cn"])

    files = read_model("x", directory)

    assert files.voices == {}
    assert files.pattern.license == "CPML"
    assert files.pattern.sample_rate_hertz == 24_000
    assert files.pattern.language_codes == ("en", "zh-CN")


def test_a_config_with_comments_is_read(tmp_path: Path) -> None:
    comment = '// of "2021"\n/* and\n more */ '
    directory = write_model(tmp_path / "m", comment=comment, run_name="see http://x//y")

    assert read_model("m", directory).kind == "vits"


def test_of_several_checkpoints_one_must_have_a_usual_name(tmp_path: Path) -> None:
    for name in ("speakers_xtts.pth", "dvae.pth", "checkpoint_100.pth"):
        (tmp_path / name).write_bytes(b"")
    assert checkpoint_of(tmp_path).name == "checkpoint_100.pth"

    (tmp_path / "checkpoint_200.pth").write_bytes(b"")
    with pytest.raises(ValueError, match=r"2 checkpoints; call the one that counts model\.pth"):
        checkpoint_of(tmp_path)

    (tmp_path / "best_model.pth").write_bytes(b"")
    assert checkpoint_of(tmp_path).name == "best_model.pth"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"model": "vits"}', '{"model": "vits", "audio": {}}', "\xff"]
)
def test_what_is_no_model_is_left_out(tmp_path: Path, content: str) -> None:
    good = write_model(tmp_path / "good")
    bad = write_model(tmp_path / "bad")
    (bad / "config.json").write_text(content, encoding="latin-1")

    found = find_models([tmp_path, tmp_path / "nowhere", good])

    assert [files.name for files in found] == ["good"]


@pytest.mark.skipif(catalogue_file() is not None, reason="coqui-tts is installed here")
def test_without_coqui_installed_models_are_found_and_loading_says_what_is_missing(
    tmp_path: Path,
) -> None:
    from voicemesh_chassis.service import StartupError

    engine = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(write_model(tmp_path / "m"),)))

    assert [voice.id for voice in engine.voices()] == ["coqui:m"]
    assert not engine.can_clone
    with pytest.raises(StartupError, match=r"needs coqui-tts and torch.*voicemesh-tts\[coqui\]"):
        engine.load("coqui:m")
