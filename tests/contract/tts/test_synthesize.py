"""Whole texts, spoken by the real voice."""

from __future__ import annotations

import io
import wave
from typing import Any

import av
import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

TEXT = (
    "The old library stands at the end of the street. It has been open for many long "
    "years, and people still come every day to read the newspapers."
)


def request(text: str = TEXT, **fields: Any) -> pb.SynthesizeRequest:
    rate = fields.pop("rate", 0)
    encoding = fields.pop("encoding", audio_pb2.AUDIO_ENCODING_UNSPECIFIED)
    form = audio_pb2.AudioFormat(
        encoding=encoding, sample_rate_hertz=rate, channel_count=fields.pop("channels", 0)
    )
    return pb.SynthesizeRequest(text=text, config=pb.SynthesisConfig(format=form, **fields))


async def test_the_default_is_a_wav_file_that_says_its_length(stub: Any) -> None:
    answer = await stub.Synthesize(request())

    with wave.open(io.BytesIO(answer.audio)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (22_050, 1, 2)
        seconds = file.getnframes() / file.getframerate()
    assert answer.audio_duration.ToTimedelta().total_seconds() == pytest.approx(seconds, abs=1e-3)
    assert 6 < seconds < 14
    assert answer.format.encoding == audio_pb2.AUDIO_ENCODING_WAV
    assert answer.format.sample_rate_hertz == 22_050
    assert answer.voice == "piper:en_US-joe-medium"
    assert answer.timings.synthesis_duration.ToMilliseconds() > 0


async def test_what_is_spoken_is_understood(stub: Any, hear: Any, word_error_rate: Any) -> None:
    answer = await stub.Synthesize(
        request(encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, rate=16_000)
    )

    samples = np.frombuffer(answer.audio, "<i2").astype(np.float32) / 32768
    assert word_error_rate(TEXT, hear(samples, 16_000)) <= 0.2


async def test_a_text_with_marks_is_spoken_without_them(
    stub: Any, hear: Any, word_error_rate: Any
) -> None:
    text = (
        "**Good morning**, <@123>! 🎉 I have [three apples](https://x.example/y) for you.\n"
        "```\nx = 1\n```"
    )
    answer = await stub.Synthesize(request(text, encoding=audio_pb2.AUDIO_ENCODING_PCM_F32LE))

    heard = hear(np.frombuffer(answer.audio, "<f4"), answer.format.sample_rate_hertz)
    assert word_error_rate("Good morning! I have three apples for you.", heard) <= 0.2


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
async def test_pcm_comes_at_any_rate(stub: Any, rate: int) -> None:
    answer = await stub.Synthesize(
        request("Good morning to you.", encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, rate=rate)
    )

    samples = np.frombuffer(answer.audio, "<i2")
    assert len(samples) / rate == pytest.approx(
        answer.audio_duration.ToTimedelta().total_seconds(), abs=1e-3
    )
    assert np.abs(samples).max() > 5_000
    assert answer.format.sample_rate_hertz == rate


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        (audio_pb2.AUDIO_ENCODING_OGG_OPUS, "opus"),
        (audio_pb2.AUDIO_ENCODING_MP3, "mp3float"),
        (audio_pb2.AUDIO_ENCODING_FLAC, "flac"),
    ],
)
async def test_files_decode_to_their_length(
    stub: Any, encoding: audio_pb2.AudioEncoding.ValueType, name: str
) -> None:
    answer = await stub.Synthesize(request(encoding=encoding, channels=2))

    with av.open(io.BytesIO(answer.audio), "r") as file:
        stream = file.streams.audio[0]
        samples = sum([frame.samples for frame in file.decode(stream)])
        assert stream.codec_context.name in {name, "mp3", "libopus"}
        assert stream.channels == 2
    assert samples / stream.rate == pytest.approx(
        answer.audio_duration.ToTimedelta().total_seconds(), abs=0.1
    )


async def test_opus_packets_are_20_ms_each_in_rtp_order(stub: Any) -> None:
    answer = await stub.Synthesize(request(encoding=audio_pb2.AUDIO_ENCODING_OPUS_PACKETS))

    decoder = av.CodecContext.create("libopus", "r")
    frames = [
        frame for packet in answer.packets for frame in decoder.decode(av.Packet(packet.data))
    ]
    assert [frame.samples for frame in frames] == [960] * len(answer.packets)
    assert [packet.sequence for packet in answer.packets] == list(range(len(answer.packets)))
    assert [packet.rtp_timestamp for packet in answer.packets] == [
        960 * number for number in range(len(answer.packets))
    ]
    assert answer.audio_duration.ToMilliseconds() == 20 * len(answer.packets)
    assert answer.audio == b""
    assert answer.format.sample_rate_hertz == 48_000


@pytest.mark.parametrize("rate", [0.5, 1.5, 2.0])
async def test_the_rate_is_that_of_the_words(
    stub: Any, hear: Any, word_error_rate: Any, rate: float
) -> None:
    pcm = audio_pb2.AUDIO_ENCODING_PCM_F32LE
    plain = await stub.Synthesize(request(encoding=pcm))
    changed = await stub.Synthesize(request(encoding=pcm, speaking_rate=rate))

    ratio = plain.audio_duration.ToMilliseconds() / changed.audio_duration.ToMilliseconds()
    assert ratio == pytest.approx(rate, rel=0.1)
    assert word_error_rate(TEXT, hear(np.frombuffer(changed.audio, "<f4"), 22_050)) <= 0.2


async def test_volume_and_silence_before_are_honoured(stub: Any) -> None:
    pcm = audio_pb2.AUDIO_ENCODING_PCM_F32LE
    plain = request("Good morning to you.", encoding=pcm)
    soft = request("Good morning to you.", encoding=pcm, volume_gain_db=-20)
    soft.config.leading_silence_duration.FromMilliseconds(500)

    loud_answer, soft_answer = await stub.Synthesize(plain), await stub.Synthesize(soft)

    loud = np.frombuffer(loud_answer.audio, "<f4")
    low = np.frombuffer(soft_answer.audio, "<f4")
    assert not np.any(low[: 22_050 // 2])
    ratio = np.sqrt(np.mean(low[22_050 // 2 :] ** 2)) / np.sqrt(np.mean(loud**2))
    assert ratio == pytest.approx(0.1, rel=0.25)


async def test_one_word_of_5000_letters_is_spoken_somehow(stub: Any) -> None:
    answer = await stub.Synthesize(
        request("ba" * 2_500, encoding=audio_pb2.AUDIO_ENCODING_OGG_OPUS, speaking_rate=4.0),
        timeout=90,
    )

    assert answer.audio_duration.ToMilliseconds() > 10_000
