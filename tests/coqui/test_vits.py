"""VITS models of coqui-tts: speakers, languages, pieces, times of words."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.ports import Piece

pytestmark = pytest.mark.integration

TEXT = "The quick brown fox jumps over the lazy dog and runs a long way home."
RATE = 16_000


def sound_of(pieces: list[Piece]) -> NDArray[np.float32]:
    return np.concatenate([piece.samples for piece in pieces])


def test_every_speaker_of_every_model_is_a_voice(engine: CoquiEngine) -> None:
    voices = {voice.id: voice for voice in engine.voices()}

    assert {"coqui:alone", "coqui:chorus", "coqui:chorus#ED", "coqui:chorus#p225"} <= set(voices)
    assert "coqui:alone#" not in " ".join(voices)
    assert voices["coqui:chorus#p225"].language_codes == ("en", "fr-FR")
    assert voices["coqui:chorus#p225"].sample_rate_hertz == RATE
    assert voices["coqui:chorus#p225"].display_name == "Chorus p225"
    assert voices["coqui:alone"].has_word_times


def test_an_utterance_comes_in_pieces_of_which_the_last_says_so(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    pieces = list(engine.speak(say(TEXT, "coqui:alone")))

    assert len(pieces) > 2
    assert [piece.last for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    assert all(piece.samples.dtype == np.float32 for piece in pieces)
    assert len(pieces[0].samples) < 0.6 * RATE
    assert np.abs(sound_of(pieces)).max() <= 1


def test_the_pieces_are_the_sound_of_coqui_itself(
    models: Path, engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    from TTS.utils.synthesizer import Synthesizer

    ours = sound_of(list(engine.speak(say(TEXT, "coqui:alone"))))

    theirs = Synthesizer(
        tts_checkpoint=str(models / "alone" / "model.pth"),
        tts_config_path=str(models / "alone" / "config.json"),
    )
    theirs.tts_model.inference_noise_scale = theirs.tts_model.inference_noise_scale_dp = 0.0
    whole = theirs.tts_model.synthesize(TEXT)["wav"]
    assert ours.shape == whole.shape
    assert np.abs(ours - whole).max() < 1e-5 * max(1.0, np.abs(whole).max())
    assert np.abs(whole).max() > 1e-3


def test_words_have_their_times_in_order_and_in_time(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    utterance = say(TEXT, "coqui:alone")

    heard, told = 0, []
    for piece in engine.speak(utterance):
        heard += len(piece.samples)
        for word in piece.words:
            assert word.end_s <= heard / RATE + 1e-6
            told.append(word)

    assert [word.index for word in told] == list(range(len(utterance.words)))
    assert all(word.start_s < word.end_s for word in told)
    assert all(one.end_s <= two.start_s + 1e-6 for one, two in pairwise(told))
    assert told[-1].end_s > 0.9 * heard / RATE


def test_speakers_sound_different(engine: CoquiEngine, say: Callable[..., Utterance]) -> None:
    first = sound_of(list(engine.speak(say(TEXT, "coqui:chorus#ED"))))
    again = sound_of(list(engine.speak(say(TEXT, "coqui:chorus"))))
    second = sound_of(list(engine.speak(say(TEXT, "coqui:chorus#p225"))))

    np.testing.assert_array_equal(first, again)
    assert first.shape != second.shape or np.abs(first - second).max() > 1e-3


def test_a_language_of_the_model_is_chosen_by_its_code(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    def speak(language: str) -> NDArray[np.float32]:
        return sound_of(list(engine.speak(say(TEXT, "coqui:chorus", language=language))))

    english, french = speak("en-GB"), speak("fr")

    np.testing.assert_array_equal(french, speak("fr-FR"))
    np.testing.assert_array_equal(english, speak(""))
    assert english.shape != french.shape or np.abs(english - french).max() > 1e-3


@pytest.mark.parametrize("rate", [0.25, 0.5, 2.0, 4.0])
def test_speech_takes_as_long_as_the_rate_says(
    engine: CoquiEngine, say: Callable[..., Utterance], rate: float
) -> None:
    plain = sound_of(list(engine.speak(say(TEXT, "coqui:alone"))))
    pieces = list(engine.speak(say(TEXT, "coqui:alone", rate=rate)))

    assert len(sound_of(pieces)) * rate == pytest.approx(len(plain), rel=0.15)
    ends = [word.end_s for piece in pieces for word in piece.words]
    assert ends[-1] == pytest.approx(len(sound_of(pieces)) / RATE, rel=0.1)


def test_callers_at_once_do_not_hear_each_other(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    texts = [TEXT, "Another text that is said meanwhile.", "And one more, slower than the others."]
    rates = [1.0, 0.8, 0.5]
    utterances = [
        say(text, "coqui:chorus", rate=rate) for text, rate in zip(texts, rates, strict=True)
    ]
    alone = [sound_of(list(engine.speak(utterance))) for utterance in utterances]

    together: dict[int, NDArray[np.float32]] = {}

    def speak(number: int) -> None:
        together[number] = sound_of(list(engine.speak(utterances[number])))

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number, sound in enumerate(alone):
        np.testing.assert_allclose(together[number], sound, atol=1e-6)


@pytest.mark.parametrize("text", ["漢字 かな", "привет"])
def test_words_without_a_letter_that_the_voice_knows_have_no_pieces(
    engine: CoquiEngine, say: Callable[..., Utterance], text: str
) -> None:
    assert list(engine.speak(say(text, "coqui:alone"))) == []


def test_a_word_of_thousands_of_letters_is_spoken_in_runs(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    utterance = say(f"so {'abcdefgh' * 75} ends", "coqui:alone")

    pieces = list(engine.speak(utterance))

    assert pieces[-1].last
    assert {word.index for piece in pieces for word in piece.words} == {0, 1, 2}


def test_a_speech_left_half_way_does_no_harm(
    engine: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    whole = sound_of(list(engine.speak(say(TEXT, "coqui:alone"))))
    half = engine.speak(say(TEXT, "coqui:alone"))
    next(half)
    del half

    np.testing.assert_array_equal(sound_of(list(engine.speak(say(TEXT, "coqui:alone")))), whole)


def test_voices_of_a_model_share_it_until_the_last_is_unloaded(
    models: Path, tmp_path: Path
) -> None:
    engine = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(models / "chorus",), device="cpu"))
    one, two = "coqui:chorus#ED", "coqui:chorus#p225"
    assert engine.memory_bytes(one) == 0

    engine.load(one)
    alone = engine.memory_bytes(one)
    engine.load(two)

    assert alone > 100_000
    assert engine.memory_bytes(one) + engine.memory_bytes(two) == pytest.approx(alone, abs=2)
    engine.unload(one)
    assert (engine.is_loaded(one), engine.is_loaded(two)) == (False, True)
    assert engine.memory_bytes(two) == alone
    engine.unload(two)
    engine.unload(two)
    assert not engine.is_loaded(two)
    assert engine.memory_bytes(two) == 0


def test_weights_that_only_training_needs_are_not_kept(models: Path, engine: CoquiEngine) -> None:
    engine.load("coqui:alone")
    on_disk = (models / "alone" / "model.pth").stat().st_size

    assert engine.memory_bytes("coqui:alone") < 0.1 * on_disk


def test_unknown_voices_and_damaged_models_are_said_in_one_sentence(
    models: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_bytes(
        (models / "alone" / "config.json").read_bytes()
    )
    (tmp_path / "broken" / "model.pth").write_bytes(b"PK\x03\x04 not weights")
    engine = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(tmp_path,), device="cpu"))

    with pytest.raises(ConfigurationError, match="there is no coqui voice 'nobody'"):
        engine.load("coqui:nobody")
    with pytest.raises(StartupError, match=r"broken cannot be loaded \(\w+.*replace its files"):
        engine.load("coqui:broken")


def test_given_phonemes_are_ignored_by_a_voice_of_letters(engine: CoquiEngine) -> None:
    def words(phonemes: str) -> Utterance:
        return Utterance((SpokenWord("hello", Span(0, 5), phonemes),), "coqui:alone")

    plain, given = (sound_of(list(engine.speak(words(each)))) for each in ("", "hələʊ"))

    np.testing.assert_array_equal(plain, given)
