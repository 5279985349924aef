"""Words survive the way through tts and back through stt, in every encoding."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Final,
    FinishTurn,
    InvalidArgumentError,
    NotFoundError,
    OpusPacket,
    Partial,
    SpeechAudio,
    SpeechToText,
    SynthesisFinished,
    SynthesisOptions,
    SynthesisStarted,
    TextToSpeech,
    TranscriptionOptions,
)
from voicemesh_launcher.demo.words import word_error_rate

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody is surprised."
MOST_ERRORS = 0.2


async def written(text: str, size: int = 7) -> AsyncIterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


@pytest.mark.parametrize(
    "encoding",
    [AudioEncoding.WAV, AudioEncoding.OGG_OPUS, AudioEncoding.MP3, AudioEncoding.FLAC],
)
async def test_a_spoken_sentence_is_understood(
    targets: dict[str, str], encoding: AudioEncoding
) -> None:
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        options = SynthesisOptions(format=AudioFormat(encoding))
        speech = await tts.synthesize(SENTENCE, options=options)
        heard = await stt.transcribe(speech.audio)

    assert speech.duration_s == pytest.approx(heard.audio_s, abs=0.2)
    assert word_error_rate(SENTENCE, heard.text) <= MOST_ERRORS


async def test_streamed_pcm_is_one_piece_of_speech(targets: dict[str, str]) -> None:
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        options = SynthesisOptions(format=AudioFormat(AudioEncoding.PCM_S16LE, 16_000))
        text = f"{SENTENCE} It was a sunny day."
        events = [event async for event in tts.speak(written(text), options=options)]
        pcm = b"".join(event.audio for event in events if isinstance(event, SpeechAudio))
        started, finished = events[0], events[-1]
        assert isinstance(started, SynthesisStarted)
        assert isinstance(finished, SynthesisFinished)
        heard = await stt.transcribe(pcm, format=started.format)

    assert finished.character_count == len(text)
    assert finished.duration_s == pytest.approx(len(pcm) / 32_000, abs=0.05)
    assert word_error_rate(text, heard.text) <= MOST_ERRORS


async def test_opus_packets_go_from_the_voice_to_the_ear(targets: dict[str, str]) -> None:
    packets_format = AudioFormat(AudioEncoding.OPUS_PACKETS, 48_000)
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        options = SynthesisOptions(format=packets_format)
        events = [event async for event in tts.speak(written(SENTENCE), options=options)]
        packets = [
            packet for event in events if isinstance(event, SpeechAudio) for packet in event.packets
        ]

        async def sent() -> AsyncIterator[OpusPacket | FinishTurn]:
            for packet in packets:
                yield packet
            yield FinishTurn()

        heard = stt.listen(sent(), format=packets_format, partials=False)
        finals = [event.text async for event in heard if isinstance(event, Final)]

    assert word_error_rate(SENTENCE, " ".join(finals)) <= MOST_ERRORS


async def test_live_speech_in_real_time_has_partials_and_a_final(
    targets: dict[str, str], speech: Path, transcripts: dict[str, str]
) -> None:
    name = "librivox-0920.wav"
    with wave.open(io.BytesIO((speech / name).read_bytes())) as file:
        rate, pcm = file.getframerate(), file.readframes(file.getnframes())
    frame = rate // 50 * 2

    async def microphone() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for count, position in enumerate(range(0, len(pcm), frame)):
            yield pcm[position : position + frame]
            await asyncio.sleep(max(0.0, start + (count + 1) * 0.02 - loop.time()))

    async with SpeechToText(targets["stt"]) as stt:
        heard = stt.listen(microphone(), format=AudioFormat(AudioEncoding.PCM_S16LE, rate))
        events = [event async for event in heard]

    finals = [event.text for event in events if isinstance(event, Final)]
    assert word_error_rate(transcripts[name], " ".join(finals)) <= MOST_ERRORS
    assert any(isinstance(event, Partial) for event in events)


async def test_what_the_services_do_not_have_is_not_found(
    targets: dict[str, str], speech: Path
) -> None:
    recording = (speech / "librivox-0880.wav").read_bytes()
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        with pytest.raises(NotFoundError):
            await tts.synthesize("Hi.", options=SynthesisOptions(voice="piper:nobody"))
        with pytest.raises(NotFoundError):
            await stt.transcribe(recording, options=TranscriptionOptions(model="nothing"))


async def test_what_cannot_be_used_is_an_invalid_argument(targets: dict[str, str]) -> None:
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        with pytest.raises(InvalidArgumentError) as silent:
            await stt.transcribe(b"")
        with pytest.raises(InvalidArgumentError) as blank:
            await tts.synthesize(" ")

    assert "audio" in (silent.value.field or "")
    assert "text" in (blank.value.field or "")


async def test_models_and_voices_have_one_default_each(targets: dict[str, str]) -> None:
    async with TextToSpeech(targets["tts"]) as tts, SpeechToText(targets["stt"]) as stt:
        voices, models = await tts.voices(), await stt.models()

    assert [voice.id for voice in voices if voice.default] == ["piper:en_US-joe-medium"]
    assert [model.name for model in models if model.default] == ["whisper-tiny.en"]
