# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet
"""The Piper engine with the real voice: in pieces, in time, word by word."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.audio.tempo import hastened
from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.engines.piper import PiperEngine, PiperOptions
from voicemesh_tts.ports import Piece

pytestmark = pytest.mark.contract

JOE = "piper:en_US-joe-medium"
RATE = 22_050
TEXT = (
    "The quick brown fox jumps over the lazy dog, while on the 3rd of May seven wizards watch from "
    "the old stone bridge; and wonder whether the river will rise again."
)


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> Iterator[PiperEngine]:
    store = ModelStore(models_dir, load_catalogue())
    made = PiperEngine(store, PiperOptions(noise_scale=0, noise_w_scale=0, precision="float32"))
    yield made
    made.close()


def said(text: str, rate: float = 1.0) -> Utterance:
    return Utterance(tuple(SpokenWord(word, Span(0, 0)) for word in text.split()), JOE, rate)


def sound(pieces: Sequence[Piece]) -> NDArray[np.float32]:
    return np.concatenate([piece.samples for piece in pieces])


def test_the_pieces_are_what_piper_itself_says(engine: PiperEngine, models_dir: Path) -> None:
    from piper import PiperVoice, SynthesisConfig

    files = models_dir / "piper-en_US-joe-medium" / "en_US-joe-medium.onnx"
    config = SynthesisConfig(noise_scale=0, noise_w_scale=0, normalize_audio=False)
    chunks = PiperVoice.load(str(files)).synthesize(f"{TEXT} Really.", config)
    whole = np.concatenate([chunk.audio_float_array for chunk in chunks])

    pieces = list(engine.speak(said(f"{TEXT} Really.")))

    assert len(pieces) >= 6
    assert len(sound(pieces)) == len(whole)
    # A tenth of what 16 bits can tell: the same sums, some of them in another order.
    assert np.abs(sound(pieces) - whole).max() < 3e-6


def test_the_first_piece_is_short_and_later_ones_grow(engine: PiperEngine) -> None:
    lengths = [len(piece.samples) / RATE for piece in engine.speak(said(TEXT))]

    assert lengths[0] < 0.2
    assert all(one <= other for one, other in itertools.pairwise(lengths[:-1]))
    assert max(lengths) < 2.6


def test_what_nobody_waits_for_comes_in_fewer_pieces_and_sounds_the_same(
    engine: PiperEngine,
) -> None:
    awaited = said(TEXT)

    many, few = (list(engine.speak(each)) for each in (awaited, replace(awaited, is_awaited=False)))

    assert len(few) < len(many)
    assert len(few[0].samples) / RATE > 1
    assert np.abs(sound(few) - sound(many)).max() < 3e-6


def test_the_same_text_sounds_the_same_without_noise(engine: PiperEngine) -> None:
    first, second = (sound(list(engine.speak(said("Good morning.")))) for _ in range(2))

    assert (first == second).all()


def test_every_word_is_timed_and_lies_where_it_is_heard(
    engine: PiperEngine, hear: Callable[[NDArray[np.float32], int], str]
) -> None:
    utterance = said("I have forty two yellow bananas, and one expensive telephone in my kitchen.")
    pieces = list(engine.speak(utterance))
    samples, times = sound(pieces), [word for piece in pieces for word in piece.words]

    assert [time.index for time in times] == list(range(len(utterance.words)))
    assert all(one.end_s <= other.start_s for one, other in itertools.pairwise(times))
    # The pause of the comma belongs to no word.
    assert times[6].start_s - times[5].end_s > 0.1
    for words in ((4, 5), (8, 9)):
        start, end = times[words[0]].start_s, times[words[1]].end_s
        cut = samples[round(start * RATE) : round(end * RATE)]
        heard = hear(np.pad(cut, RATE // 2), RATE).lower()
        assert all(utterance.words[word].text.strip(",.") in heard for word in words), heard


def test_words_that_espeak_joins_or_spells_out_keep_their_own_times(engine: PiperEngine) -> None:
    utterance = said("One of the 1,234 things that I'd have to do at the U.S.A. for a man.")

    times = [word for piece in engine.speak(utterance) for word in piece.words]

    assert [time.index for time in times] == list(range(len(utterance.words)))
    lengths = [time.end_s - time.start_s for time in times]
    assert lengths[3] == max(lengths)
    assert lengths[3] > 5 * lengths[2]


def test_given_phonemes_are_said_in_place_of_the_word(
    engine: PiperEngine, hear: Callable[[NDArray[np.float32], int], str]
) -> None:
    words = list(said("I really like my old xqz very much.").words)
    words[5] = replace(words[5], phonemes="bəˈnænə")

    pieces = list(engine.speak(Utterance(tuple(words), JOE)))

    assert "banana" in hear(sound(pieces), RATE).lower()
    assert [time.index for piece in pieces for time in piece.words] == list(range(8))


def test_phonemes_written_in_a_text_are_read_as_text(engine: PiperEngine) -> None:
    given = sound(list(engine.speak(said("[[xxx xxx]]"))))
    read = sound(list(engine.speak(said("xxx xxx"))))

    assert len(given) == pytest.approx(len(read), rel=0.2)


@pytest.mark.parametrize("rate", [0.5, 1.5, 3.0])
def test_words_are_timed_at_other_rates_too(engine: PiperEngine, rate: float) -> None:
    usual, changed = list(engine.speak(said(TEXT))), list(engine.speak(said(TEXT, rate)))

    length = len(sound(changed)) / RATE
    assert length == pytest.approx(len(sound(usual)) / RATE / rate, rel=0.1)
    times = [word for piece in changed for word in piece.words]
    assert [time.index for time in times] == list(range(len(TEXT.split())))
    assert 0.8 * length < times[-1].end_s <= length


def test_hastening_piece_by_piece_is_hastening_the_whole(engine: PiperEngine) -> None:
    usual, changed = list(engine.speak(said(TEXT))), list(engine.speak(said(TEXT, 1.3)))

    whole = hastened(sound(usual), RATE, 1.3)
    assert len(changed[0].samples) > 0.05 * RATE
    assert sound(changed) == pytest.approx(whole, abs=1e-4)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_what_a_voice_takes_up_is_known_and_given_back(models_dir: Path) -> None:
    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()

    with closing(PiperEngine(ModelStore(models_dir, load_catalogue()), PiperOptions())) as engine:
        list(engine.speak(said(TEXT)))
        engine.unload(JOE)
        without = resident()
        list(engine.speak(said(TEXT)))
        taken, told = resident() - without, engine.memory_bytes(JOE)
        engine.unload(JOE)
        left = resident() - without

    assert 0.5 * told < taken < 1.5 * told
    assert left < 0.2 * taken


def test_bfloat16_is_heard_as_what_float32_says(engine: PiperEngine, models_dir: Path) -> None:
    exact = sound(list(engine.speak(said(TEXT))))
    options = PiperOptions(noise_scale=0, noise_w_scale=0)
    with closing(PiperEngine(ModelStore(models_dir, load_catalogue()), options)) as other:
        first, second = (sound(list(other.speak(said(TEXT)))) for _ in range(2))

    assert (first == second).all()
    assert first.shape == exact.shape
    # Wherever the processor has no bfloat16 they are equal.
    assert np.mean((first - exact) ** 2) < 10 ** (-35 / 10) * np.mean(exact**2)


def test_decoders_in_one_dimension_and_in_two_say_the_same(models_dir: Path) -> None:
    options = PiperOptions(noise_scale=0, noise_w_scale=0, runtime="onnxruntime")
    store = ModelStore(models_dir, load_catalogue())
    said_by = []
    for threads in (1, 2):
        with closing(PiperEngine(store, replace(options, threads=threads))) as other:
            said_by.append(sound(list(other.speak(said(TEXT)))))
    one, two = said_by

    # In one thread it is the decoder in planes that speaks.
    assert np.abs(one - two).max() < 3e-6
