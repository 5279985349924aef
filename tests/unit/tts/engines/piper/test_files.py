"""Finding Piper voices: what their files say, and their speakers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.domain import Gender
from voicemesh_tts.engines.piper.files import find_voices

pytestmark = pytest.mark.unit


def put_voice(directory: Path, name: str, **changes: object) -> None:
    config = {"audio": {"sample_rate": 16_000}, "espeak": {"voice": "de"}, **changes}
    directory.mkdir(exist_ok=True)
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
    put_voice(tmp_path, "letters", phoneme_type="text")
    put_voice(tmp_path, "zh", phoneme_type="pinyin")
    put_voice(tmp_path, "broken", audio=None)
    put_voice(tmp_path, "odd", num_speakers="many")
    (tmp_path / "alone.onnx").write_bytes(b"")

    found = find_voices(empty, [tmp_path, tmp_path / "missing"])

    assert set(found) == {"piper:de_DE-amy-low", "piper:mine", "piper:letters"}
    amy = found["piper:de_DE-amy-low"].voice
    assert (amy.language_codes, amy.sample_rate_hertz) == (("de-DE",), 16_000)
    assert (amy.display_name, amy.gender) == ("Amy", Gender.FEMALE)
    assert amy.takes_phonemes
    assert amy.has_word_times
    assert not found["piper:letters"].voice.takes_phonemes
    assert found["piper:mine"].voice.language_codes == ("de",)


def test_every_speaker_of_a_voice_is_a_voice(tmp_path: Path, empty: ModelStore) -> None:
    speakers = {"Jessica": 0, "Pierre the second": 1, "nobody": 7}
    put_voice(tmp_path, "fr_FR-upmc-medium", num_speakers=2, speaker_id_map=speakers)

    found = find_voices(empty, [tmp_path])

    assert {name: files.speaker for name, files in found.items()} == {
        "piper:fr_FR-upmc-medium": None,
        "piper:fr_FR-upmc-medium#Jessica": 0,
        "piper:fr_FR-upmc-medium#Pierre_the_second": 1,
    }
    jessica = found["piper:fr_FR-upmc-medium#Jessica"].voice
    assert (jessica.display_name, jessica.gender) == ("Upmc (Jessica)", Gender.FEMALE)


def test_speakers_without_names_are_numbers(tmp_path: Path, empty: ModelStore) -> None:
    put_voice(tmp_path, "many", num_speakers=3)

    found = find_voices(empty, [tmp_path])

    assert set(found) == {"piper:many", "piper:many#0", "piper:many#1", "piper:many#2"}


def test_a_card_beside_a_voice_gives_its_licence(tmp_path: Path, empty: ModelStore) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    put_voice(one, "alone")
    put_voice(two, "this")
    put_voice(two, "that")
    for directory in (one, two):
        card = "# Model card\n\n## Dataset\n\n* URL: https://example.org\n* License: CC BY 4.0 \n"
        (directory / "MODEL_CARD").write_text(card)

    found = find_voices(empty, [one, two])

    assert found["piper:alone"].voice.license == "CC BY 4.0"
    # Of two voices the card does not say whose it is.
    assert found["piper:this"].voice.license == ""


@pytest.mark.parametrize(
    ("name", "gender"),
    [
        ("en_US-joe-medium", Gender.MALE),
        ("en_US-hfc_female-medium", Gender.FEMALE),
        ("en_GB-northern_english_male-medium", Gender.MALE),
        ("is_IS-ugla-medium", Gender.FEMALE),
        ("en_GB-vctk-medium", Gender.UNKNOWN),
        ("xx_XX-malefactor-low", Gender.UNKNOWN),
    ],
)
def test_a_gender_is_told_where_it_is_known(
    tmp_path: Path, empty: ModelStore, name: str, gender: Gender
) -> None:
    put_voice(tmp_path, name)

    assert find_voices(empty, [tmp_path])[f"piper:{name}"].voice.gender is gender


def test_the_halves_of_a_split_voice_are_no_voices(tmp_path: Path, empty: ModelStore) -> None:
    put_voice(tmp_path, "mine")
    put_voice(tmp_path / ".voicemesh-split", "mine-0123.encoder")

    assert set(find_voices(empty, [tmp_path])) == {"piper:mine"}
