"""Whole texts and documents, voices that come and go, and what is said again, with tones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from voicemesh_chassis.errors import InvalidArgumentError, OverloadedError
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_tts.calls import Call, Stopwatch
from voicemesh_tts.domain import AudioFormat, Encoding, SpeechRequest, Voice
from voicemesh_tts.errors import (
    AudioTooLargeError,
    NothingToSpeakError,
    VoiceNotFoundError,
    VoiceUnusableError,
)
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.schedule import Lane
from voicemesh_tts.studio import Speech, Studio, StudioLimits
from voicemesh_tts.text import Pronunciation, Pronunciations
from voicemesh_tts.turns import TurnLimits

pytestmark = pytest.mark.unit

PCM = AudioFormat(Encoding.PCM_F32LE, 16_000)
LIMITS = StudioLimits(turns=TurnLimits(workers=1))


class Tones(Protocol):
    """The engine of conftest."""

    said: list[str]
    awaited: list[bool]
    loaded: set[str]
    gate: Any
    error: Exception | None
    load_error: Exception | None

    def voices(self) -> Sequence[Voice]: ...


async def make_studio(engine: Tones, metrics: TtsMetrics, limits: StudioLimits = LIMITS) -> Studio:
    studio = Studio([engine], "tone:a", limits, metrics)  # type: ignore[list-item]
    await studio.open()
    return studio


@pytest_asyncio.fixture
async def studio(engine: Tones, metrics: TtsMetrics) -> AsyncIterator[Studio]:
    made = await make_studio(engine, metrics)
    yield made
    engine.gate.set()
    await made.aclose()


async def speak(studio: Studio, text: str, *, ssml: bool = False, **changes: Any) -> Speech:
    voice = await studio.choose(changes.pop("voice", ""), "")
    dictionary = changes.pop("pronunciations", None)
    request = replace(SpeechRequest(voice, PCM), **changes)
    watch = Stopwatch(studio.metrics, "Synthesize")
    call = Call(request, watch, Lane.BULK, "me", dictionary, text)
    return await studio.speak(call, ssml=ssml)


def samples_of(speech: Speech) -> NDArray[np.float32]:
    return np.frombuffer(speech.audio.data, "<f4")


async def test_a_whole_text_is_spoken_sentence_by_sentence(studio: Studio, engine: Tones) -> None:
    speech = await speak(studio, "This is the first one. And this is the second.")

    assert engine.said == ["This is the first one.", "And this is the second."]
    assert engine.awaited == [False, False]
    assert speech.audio.sample_count == len(samples_of(speech)) > 0
    assert speech.words == ()


async def test_words_are_timed_over_the_whole_text(studio: Studio) -> None:
    text = "This is the first one. And this is the second."

    speech = await speak(studio, text, word_timings=True)

    assert [word.text for word in speech.words] == text.split()
    ends = [word.end_s for word in speech.words]
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(speech.audio.sample_count / 16_000, abs=0.01)


async def test_a_document_is_spoken_with_its_pauses(studio: Studio, engine: Tones) -> None:
    document = "<speak>Good morning.<break time='700ms'/>How are you?</speak>"

    speech = await speak(studio, document, ssml=True, word_timings=True)

    assert engine.said == ["Good morning.", "How are you?"]
    assert [word.text for word in speech.words] == ["Good", "morning.", "How", "are", "you?"]
    first, second = speech.words[1].end_s, speech.words[2].start_s
    assert second - first == pytest.approx(0.7, abs=0.02)
    quiet = samples_of(speech)[round((first + 0.05) * 16_000) : round((second - 0.05) * 16_000)]
    assert not np.any(quiet)


async def test_prosody_of_a_document_is_heard(studio: Studio) -> None:
    plain = samples_of(await speak(studio, "<speak>Good morning.</speak>", ssml=True))
    slow = "<speak><prosody rate='50%' volume='-6dB'>Good morning.</prosody></speak>"
    changed = samples_of(await speak(studio, slow, ssml=True))

    assert len(changed) == pytest.approx(2 * len(plain), rel=0.05)
    assert np.abs(changed).max() == pytest.approx(np.abs(plain).max() / 2, rel=0.1)


@pytest.mark.parametrize("document", ["<speak>Good", "no document", "<speak><audio/></speak>"])
async def test_what_is_no_document_is_refused_by_its_field(studio: Studio, document: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        await speak(studio, document, ssml=True)

    assert refused.value.field == "ssml"


async def test_pronunciations_hold_in_texts_and_documents(studio: Studio, engine: Tones) -> None:
    words = Pronunciations([Pronunciation("ONNX", respelling="onix")])

    await speak(studio, "We use ONNX here.", pronunciations=words)
    await speak(studio, "<speak>We use ONNX there.</speak>", ssml=True, pronunciations=words)

    assert engine.said == ["We use onix here.", "We use onix there."]


@pytest.mark.parametrize(("text", "ssml"), [("🎉 ...", False), ("<speak>...</speak>", True)])
async def test_a_text_without_words_is_refused(studio: Studio, text: str, ssml: bool) -> None:
    with pytest.raises(NothingToSpeakError) as refused:
        await speak(studio, text, ssml=ssml)

    assert refused.value.field == ("ssml" if ssml else "text")


async def test_what_was_said_before_is_not_synthesised_again(
    studio: Studio, engine: Tones, registry: CollectorRegistry
) -> None:
    first = await speak(studio, "One moment, please.", word_timings=True)
    again = await speak(studio, "One moment, please.", word_timings=True)
    louder = await speak(studio, "One moment, please.", gain_db=-6.0)

    assert engine.said == ["One moment, please."]
    assert samples_of(again).tolist() == samples_of(first).tolist()
    assert again.words == first.words
    peak = np.abs(samples_of(first)).max()
    assert np.abs(samples_of(louder)).max() == pytest.approx(peak / 2, rel=0.02)
    lookups = "voicemesh_tts_cache_lookups_total"
    assert registry.get_sample_value(lookups, {"result": "hit"}) == 2
    assert registry.get_sample_value("voicemesh_tts_cache_entries") == 1
    assert again.timings.synthesis_s == 0


async def test_another_rate_or_voice_is_synthesised(studio: Studio, engine: Tones) -> None:
    for changes in ({}, {"speaking_rate": 2.0}, {"voice": "tone:c"}):
        await speak(studio, "One moment, please.", **changes)

    assert len(engine.said) == 3


async def test_a_clause_that_failed_is_not_kept(studio: Studio, engine: Tones) -> None:
    engine.error = ValueError("broken")
    with pytest.raises(ValueError, match="broken"):
        await speak(studio, "One moment, please.")
    engine.error = None

    assert samples_of(await speak(studio, "One moment, please.")).any()


async def test_a_voice_that_is_deleted_leaves_nothing_behind(
    studio: Studio, engine: Tones, registry: CollectorRegistry
) -> None:
    voice = await studio.choose("tone:c", "")
    await speak(studio, "One moment, please.", voice="tone:c")

    await studio.forget(voice)

    assert not studio.is_loaded(voice)
    assert "tone:c" not in engine.loaded
    assert registry.get_sample_value("voicemesh_tts_cache_entries") == 0


async def test_voices_are_loaded_for_the_first_call_and_make_room(
    engine: Tones, metrics: TtsMetrics
) -> None:
    limits = StudioLimits(voices=ShelfLimits(most_loaded=2))
    studio = await make_studio(engine, metrics, limits)
    assert engine.loaded == {"tone:a"}

    await speak(studio, "Good morning.", voice="tone:c")
    assert engine.loaded == {"tone:a", "tone:c"}
    await speak(studio, "Guten Morgen.", voice="tone:b")

    assert engine.loaded == {"tone:a", "tone:b"}
    await studio.aclose()
    assert engine.loaded == set()


async def test_a_voice_that_cannot_be_loaded_fails_its_calls_alone(
    studio: Studio, engine: Tones
) -> None:
    engine.load_error = StartupError("the file /secret is damaged")

    with pytest.raises(VoiceUnusableError) as refused:
        await speak(studio, "Good morning.", voice="tone:c")

    assert "secret" not in refused.value.message
    assert (await speak(studio, "Good morning.")).audio.data


async def test_a_default_that_cannot_be_loaded_ends_the_start(
    engine: Tones, metrics: TtsMetrics
) -> None:
    engine.load_error = StartupError("the file is damaged")

    with pytest.raises(StartupError, match="damaged"):
        await make_studio(engine, metrics)


async def test_a_voice_that_is_not_there_is_looked_for(
    studio: Studio, engine: Tones, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(VoiceNotFoundError):
        await studio.choose("tone:z", "")

    installed = [*engine.voices(), Voice("tone:z", "Z", ("en",), 16_000)]
    monkeypatch.setattr(engine, "voices", lambda: installed)
    monkeypatch.setattr("voicemesh_tts.studio._LOOK_AGAIN_S", 0.0)

    assert (await studio.choose("tone:z", "")).display_name == "Z"


async def test_audio_that_fits_into_no_message_ends_the_work(
    engine: Tones, metrics: TtsMetrics
) -> None:
    studio = await make_studio(engine, metrics, StudioLimits(audio_bytes=100 * 1024))

    with pytest.raises(AudioTooLargeError):
        await speak(studio, "This sentence is one of very many. " * 20)

    assert len(engine.said) < 10
    await studio.aclose()


async def test_a_text_that_finds_no_room_is_told_when_to_come_back(
    engine: Tones, metrics: TtsMetrics
) -> None:
    limits = StudioLimits(turns=TurnLimits(workers=1, max_waiting=1))
    studio = await make_studio(engine, metrics, limits)
    engine.gate.clear()
    texts = [asyncio.create_task(speak(studio, f"Text number {n}.")) for n in range(5)]
    done, _ = await asyncio.wait(texts, return_when=asyncio.FIRST_COMPLETED, timeout=5)
    engine.gate.set()
    results = await asyncio.gather(*texts, return_exceptions=True)

    assert done
    refused = [each for each in results if isinstance(each, OverloadedError)]
    assert len(refused) == 3
    assert all(error.retry_after_s for error in refused)
    await studio.aclose()
