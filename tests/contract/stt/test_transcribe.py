"""Whole recordings, over real gRPC with the real engine."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

NAME = "librivox-0920.wav"


def encoded(audio: Any, codec: str, container: str, rate: int = 16_000) -> bytes:
    """Mono samples in a container."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(stream.format, "mono", rate, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.getvalue()


def resampled(audio: Any, rate: int) -> Any:
    resampler = av.AudioResampler("fltp", "mono", rate)
    frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = 16_000
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray()[0] for part in parts])


@pytest.mark.parametrize(
    "name",
    [
        "jfk.flac",
        "librivox-0870.wav",
        "librivox-0890.wav",
        "librivox-0920.wav",
        "librivox-0930.wav",
    ],
)
async def test_people_are_understood(
    stt: Any, speech: Path, wer: Callable[[str, str], float], name: str
) -> None:
    request = pb.TranscribeRequest(audio=(speech / name).read_bytes())

    answer = await stt.stub.Transcribe(request)

    assert wer(name, answer.text) <= 0.2
    assert answer.model == "whisper-tiny.en"
    assert (answer.language.language_code, answer.language.probability) == ("en", 1.0)
    assert 2 < answer.audio_duration.ToSeconds() < 12
    assert answer.timings.inference_duration.ToMilliseconds() > 0


async def test_a_hard_recording_is_mostly_understood(
    stt: Any, speech: Path, wer: Callable[[str, str], float]
) -> None:
    name = "librivox-0880.wav"  # "ill disposed", which the smallest model does not know

    answer = await stt.stub.Transcribe(pb.TranscribeRequest(audio=(speech / name).read_bytes()))

    assert wer(name, answer.text) <= 0.3


@pytest.mark.parametrize(
    ("codec", "container", "rate", "encoding"),
    [
        ("libmp3lame", "mp3", 16_000, audio_pb2.AUDIO_ENCODING_MP3),
        ("libopus", "ogg", 48_000, audio_pb2.AUDIO_ENCODING_OGG_OPUS),
        ("flac", "flac", 16_000, audio_pb2.AUDIO_ENCODING_FLAC),
        ("pcm_s16le", "wav", 44_100, audio_pb2.AUDIO_ENCODING_WAV),
        ("aac", "mp4", 44_100, audio_pb2.AUDIO_ENCODING_UNSPECIFIED),
        ("libopus", "webm", 48_000, audio_pb2.AUDIO_ENCODING_UNSPECIFIED),
        ("pcm_mulaw", "wav", 8_000, audio_pb2.AUDIO_ENCODING_UNSPECIFIED),
    ],
)
async def test_containers_are_read(
    stt: Any,
    voice: Callable[[str], Any],
    wer: Callable[[str, str], float],
    codec: str,
    container: str,
    rate: int,
    encoding: audio_pb2.AudioEncoding.ValueType,
) -> None:
    audio = encoded(voice(NAME), codec, container, rate)
    audio_format = audio_pb2.AudioFormat(encoding=encoding)

    answer = await stt.stub.Transcribe(pb.TranscribeRequest(audio=audio, format=audio_format))

    assert wer(NAME, answer.text) <= 0.2


def mulaw(audio: Any) -> bytes:
    """ITU-T G.711 by FFmpeg."""
    codec = av.AudioCodecContext.create("pcm_mulaw", "w")
    return companded(codec, audio)


def alaw(audio: Any) -> bytes:
    """ITU-T G.711 by FFmpeg."""
    return companded(av.AudioCodecContext.create("pcm_alaw", "w"), audio)


def companded(codec: Any, audio: Any) -> bytes:
    codec.sample_rate, codec.layout, codec.format = 8_000, "mono", "s16"
    samples = (resampled(audio, 8_000) * 32767).astype(np.int16)[np.newaxis]
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    frame.sample_rate = 8_000
    return b"".join(bytes(packet) for packet in [*codec.encode(frame), *codec.encode(None)])


@pytest.mark.parametrize(
    ("make", "encoding", "rate", "channels"),
    [
        (lambda a, pcm: pcm(resampled(a, 8_000)), "PCM_S16LE", 8_000, 1),
        (lambda a, pcm: pcm(np.repeat(resampled(a, 44_100), 2)), "PCM_S16LE", 44_100, 2),
        (lambda a, _pcm: a.astype("<f4").tobytes(), "PCM_F32LE", 16_000, 1),
        (lambda a, _pcm: mulaw(a), "MULAW", 8_000, 1),
        (lambda a, _pcm: alaw(a), "ALAW", 8_000, 1),
    ],
    ids=["s16-8k", "s16-44k-stereo", "f32", "mulaw", "alaw"],
)
async def test_headerless_audio_is_read(
    stt: Any,
    voice: Callable[[str], Any],
    pcm: Callable[[Any], bytes],
    wer: Callable[[str, str], float],
    make: Callable[[Any, Any], bytes],
    encoding: str,
    rate: int,
    channels: int,
) -> None:
    audio_format = audio_pb2.AudioFormat(
        encoding=audio_pb2.AudioEncoding.Value(f"AUDIO_ENCODING_{encoding}"),
        sample_rate_hertz=rate,
        channel_count=channels,
    )

    answer = await stt.stub.Transcribe(
        pb.TranscribeRequest(audio=make(voice(NAME), pcm), format=audio_format)
    )

    assert wer(NAME, answer.text) <= 0.2
    assert answer.audio_duration.ToMilliseconds() == pytest.approx(6050, abs=50)


async def test_words_have_times_if_they_are_asked_for(stt: Any, speech: Path) -> None:
    audio = (speech / NAME).read_bytes()
    config = pb.TranscriptionConfig(word_timestamps=True)

    plain = await stt.stub.Transcribe(pb.TranscribeRequest(audio=audio))
    timed = await stt.stub.Transcribe(pb.TranscribeRequest(audio=audio, config=config))

    assert not any(segment.words for segment in plain.segments)
    words = [word for segment in timed.segments for word in segment.words]
    assert " ".join(word.text for word in words) == timed.text
    starts = [word.start_offset.ToMilliseconds() for word in words]
    assert starts == sorted(starts)
    assert all(0 < word.confidence <= 1 for word in words)
    assert words[-1].end_offset.ToMilliseconds() <= 6_050


async def test_channels_can_be_kept_apart(
    stt: Any,
    voice: Callable[[str], Any],
    pcm: Callable[[Any], bytes],
    wer: Callable[[str, str], float],
) -> None:
    names = ["librivox-0930.wav", "librivox-0920.wav"]
    channels = [voice(name) for name in names]
    length = max(map(len, channels))
    both = np.stack([np.pad(channel, (0, length - len(channel))) for channel in channels], axis=1)
    request = pb.TranscribeRequest(
        audio=pcm(both.reshape(-1)),
        format=audio_pb2.AudioFormat(
            encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=16_000, channel_count=2
        ),
        config=pb.TranscriptionConfig(separate_channels=True),
    )

    answer = await stt.stub.Transcribe(request)

    for channel, name in enumerate(names):
        text = " ".join(s.text for s in answer.segments if s.channel == channel)
        assert wer(name, text) <= 0.2


@pytest.mark.parametrize("kind", ["silence", "noise", "tone"])
async def test_what_is_not_speech_has_no_words(
    stt: Any, pcm: Callable[[Any], bytes], kind: str
) -> None:
    time = np.arange(16_000 * 5) / 16_000
    audio = {
        "silence": np.zeros_like(time),
        "noise": np.random.default_rng(7).normal(0, 0.1, time.shape),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
    }[kind]
    audio_format = audio_pb2.AudioFormat(
        encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=16_000
    )

    answer = await stt.stub.Transcribe(
        pb.TranscribeRequest(audio=pcm(audio.astype(np.float32)), format=audio_format)
    )

    assert answer.text == ""
    assert len(answer.segments) == 0


async def test_a_sentence_said_twice_is_heard_twice(
    stt: Any, voice: Callable[[str], Any], pcm: Callable[[Any], bytes], transcripts: dict[str, str]
) -> None:
    audio_format = audio_pb2.AudioFormat(
        encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=16_000
    )
    audio = pcm(np.concatenate([voice("jfk.flac")] * 2))

    answer = await stt.stub.Transcribe(pb.TranscribeRequest(audio=audio, format=audio_format))

    said = 2 * len(transcripts["jfk.flac"].split())
    assert len(answer.text.split()) == pytest.approx(said, rel=0.1)


async def test_long_recordings_are_cut_only_where_nobody_speaks(
    stt: Any,
    voice: Callable[[str], Any],
    pcm: Callable[[Any], bytes],
    transcripts: dict[str, str],
) -> None:
    names = [name for name in transcripts if name.startswith("librivox")] * 2
    pause = np.zeros(16_000, dtype=np.float32)
    audio = np.concatenate([part for name in names for part in (voice(name), pause)])
    audio_format = audio_pb2.AudioFormat(
        encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=16_000
    )

    answer = await stt.stub.Transcribe(pb.TranscribeRequest(audio=pcm(audio), format=audio_format))

    assert answer.audio_duration.ToSeconds() > 50
    said = sum(len(transcripts[name].split()) for name in names)
    assert len(answer.text.split()) == pytest.approx(said, rel=0.15)
    ends = [segment.end_offset.ToMilliseconds() for segment in answer.segments]
    assert ends == sorted(ends)


async def test_hints_as_long_as_allowed_do_no_harm(
    stt: Any, speech: Path, wer: Callable[[str, str], float]
) -> None:
    config = pb.TranscriptionConfig(
        initial_prompt="Sense and Sensibility, by Jane Austen. " * 25,
        hotwords=[f"Dashwood number {number} of the family" for number in range(100)],
        word_timestamps=True,
        beam_size=10,
        language_code="en-GB",
    )

    answer = await stt.stub.Transcribe(
        pb.TranscribeRequest(audio=(speech / NAME).read_bytes(), config=config)
    )

    assert wer(NAME, answer.text) <= 0.2


async def test_many_callers_are_served_at_once(
    stt: Any, speech: Path, wer: Callable[[str, str], float]
) -> None:
    request = pb.TranscribeRequest(audio=(speech / NAME).read_bytes())

    answers = await asyncio.gather(*(stt.stub.Transcribe(request) for _ in range(6)))

    assert all(wer(NAME, answer.text) <= 0.2 for answer in answers)
