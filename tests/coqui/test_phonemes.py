"""VITS voices trained on phonemes, which espeak-ng finds for them."""

# ruff: noqa: RUF001 - the International Phonetic Alphabet looks like letters

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.engines.coqui.espeak import ipa
from voicemesh_tts.engines.coqui.reading import Reader
from voicemesh_tts.errors import EngineStalledError, UnpronounceableTextError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def espeak() -> str:
    """The program; it must be there where everything must be."""
    program = shutil.which("espeak-ng")
    if program is None:
        if os.environ.get("VOICEMESH_REQUIRE_TOOLS") == "1":
            pytest.fail("espeak-ng is required and is not installed")
        pytest.skip("espeak-ng is not installed")
    return program


@pytest.fixture(scope="module")
def spoken(
    espeak: str, vits_builder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CoquiEngine]:
    """An engine with one voice of phonemes, `coqui:spoken`."""
    home = tmp_path_factory.mktemp("phonemes")
    vits_builder(home / "spoken", phonemes=True)
    options = CoquiOptions(model_dirs=(home,), device="cpu", noise_scale=0.0, noise_w_scale=0.0)
    engine = CoquiEngine(home, options)
    yield engine
    engine.close()


def words(*texts: str | tuple[str, str]) -> Utterance:
    pairs = [text if isinstance(text, tuple) else (text, "") for text in texts]
    spoken = (SpokenWord(text, Span(0, 1), phonemes) for text, phonemes in pairs)
    return Utterance(tuple(spoken), "coqui:spoken")


def sound_of(engine: CoquiEngine, utterance: Utterance) -> np.ndarray:
    return np.concatenate([piece.samples for piece in engine.speak(utterance)])


def test_such_a_voice_takes_phonemes(spoken: CoquiEngine) -> None:
    (voice,) = spoken.voices()

    assert voice.takes_phonemes
    assert voice.language_codes == ("en",)


def test_phonemes_given_for_a_word_take_its_place(spoken: CoquiEngine) -> None:
    plain = sound_of(spoken, words("Hello", "tomato."))
    same = sound_of(spoken, words("Hello", ("tomato.", "təmˈeɪɾoʊ")))
    other = sound_of(spoken, words("Hello", ("tomato.", "təmˈɑːtəʊ")))

    np.testing.assert_allclose(plain, same, atol=1e-6)
    assert plain.shape != other.shape or np.abs(plain - other).max() > 1e-4


def test_words_that_are_read_as_one_share_its_time(spoken: CoquiEngine) -> None:
    utterance = words("The", "name", "of", "the", "dog", "is", "Max.")

    told = [word for piece in spoken.speak(utterance) for word in piece.words]

    assert [word.index for word in told] == list(range(7))
    assert all(word.start_s < word.end_s for word in told)
    assert told[2].end_s == pytest.approx(told[3].start_s), "espeak-ng joins `of the`"


def test_symbols_are_those_of_coqui_itself(espeak: str) -> None:
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.utils.text.tokenizer import TTSTokenizer

    from voicemesh_tts.engines.coqui.espeak import harden

    def tokenizer() -> TTSTokenizer:
        config = VitsConfig(use_phonemes=True, phonemizer="espeak", phoneme_language="en-us")
        made, _ = TTSTokenizer.init_from_config(config)
        return made

    theirs, ours = tokenizer(), tokenizer()
    harden(ours.phonemizer)
    reader = Reader(ours, takes_phonemes=True)
    for text in ("Hello, is it you? Yes: it is.", "The name of the dog.", "Well... (maybe) no!"):
        parts = reader.read([SpokenWord(word, Span(0, 1)) for word in text.split()], None)

        numbers, places = reader.sequence(parts)

        assert numbers == theirs.text_to_ids(text)
        assert len(places) == len(numbers)
        assert {place for place in places if place >= 0} == set(range(len(parts)))


@pytest.mark.parametrize("program", ["/bin/false", "false"])
def test_a_text_that_ends_the_program_is_refused(program: str) -> None:
    with pytest.raises(UnpronounceableTextError):
        ipa(program, "en-us", "hello")


def test_a_program_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr("voicemesh_tts.engines.coqui.espeak._ANSWER_S", 0.2)

    with pytest.raises(EngineStalledError):
        ipa(str(program), "en-us", "hello")


def test_texts_that_have_ended_espeak_are_spoken(spoken: CoquiEngine) -> None:
    assert len(sound_of(spoken, words("U.S.A." * 41))) > 0
