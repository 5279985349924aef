"""Sound that nobody sends by accident: stt stays up, says what is wrong, and keeps nothing."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh_stt.settings import SttSettings

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

S16 = audio_pb2.AUDIO_ENCODING_PCM_S16LE
F32 = audio_pb2.AUDIO_ENCODING_PCM_F32LE
OPUS = audio_pb2.AUDIO_ENCODING_OPUS_PACKETS
FLOAT_TAG = 3
ENDS_S = 20.0


def audio_format(encoding: int, rate: int, channels: int = 1) -> audio_pb2.AudioFormat:
    return audio_pb2.AudioFormat(
        encoding=encoding,  # type: ignore[arg-type]
        sample_rate_hertz=rate,
        channel_count=channels,
    )


def wav(
    data: bytes, *, rate: int = 16_000, channels: int = 1, bits: int = 16, tag: int = 1
) -> bytes:
    """A WAVE file whose header says whatever it is told to."""
    frame = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, rate * frame % 2**32, frame % 2**16, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


# Recordings.


@pytest.mark.parametrize(
    "recording",
    [
        wav(bytes(32_000), rate=0),
        wav(bytes(32_000), rate=2**31 - 1),
        wav(bytes(32_000), channels=0),
        wav(bytes(65_535 * 2), channels=65_535),
        wav(bytes(32_000), bits=0),
        wav(bytes(32_000), bits=65_528),
        wav(bytes(32_000), tag=0xFFFE),
        wav(bytes(32_000), tag=0x55),
        b"RIFF\xff\xff\xff\xffWAVE" + b"junk\0\0\0\0" * 100_000,
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(1_000),
        b"\0\0\0\x18ftypmp42" + bytes(12) + b"\xff\xff\xff\xffmoov" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5000 RTP/AVP 0\n",
    ],
    ids=[
        "rate 0",
        "rate 2^31-1",
        "no channels",
        "65535 channels",
        "0 bits",
        "65528 bits",
        "extensible without more",
        "mp3 without mp3",
        "chunks of nothing",
        "endless tag",
        "endless box",
        "svg",
        "sdp",
    ],
)
async def test_a_header_that_lies_is_bad_audio(stt: Called, recording: bytes) -> None:
    error = await stt.refusal(
        stt.stub.Transcribe(stt_pb.TranscribeRequest(audio=recording), timeout=ENDS_S)
    )

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "audio")


@pytest.mark.parametrize(("rate", "count"), [(1, 200), (100, 4_000)])
async def test_a_rate_that_no_recorder_has_is_bad_audio(stt: Called, rate: int, count: int) -> None:
    # Each sample would become thousands: 16 KB as one packet in Matroska took 3.5 GB.
    recording = wav(b"\1\0" * count, rate=rate)

    error = await stt.refusal(
        stt.stub.Transcribe(stt_pb.TranscribeRequest(audio=recording), timeout=ENDS_S)
    )

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "audio")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
async def test_samples_that_are_no_numbers_are_heard_as_something(
    stt: Called, value: float
) -> None:
    recording = wav(np.full(16_000, value, "<f8").tobytes(), bits=64, tag=FLOAT_TAG)
    with np.errstate(over="ignore"):
        raw = np.full(16_000, value).astype("<f4").tobytes()

    container = await stt.stub.Transcribe(stt_pb.TranscribeRequest(audio=recording))
    headerless = await stt.stub.Transcribe(
        stt_pb.TranscribeRequest(audio=raw, format=audio_format(F32, 16_000))
    )

    assert container.audio_duration.seconds == headerless.audio_duration.seconds == 1


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
async def test_eight_channels_are_taken_at_any_rate_as_a_recording(stt: Called, rate: int) -> None:
    samples = bytes(2 * 8 * rate)
    raw = stt_pb.TranscribeRequest(audio=samples, format=audio_format(S16, rate, 8))

    headerless = await stt.stub.Transcribe(raw, timeout=ENDS_S)
    container = await stt.stub.Transcribe(
        stt_pb.TranscribeRequest(audio=wav(samples, rate=rate, channels=8)), timeout=ENDS_S
    )

    for heard in (headerless, container):
        assert heard.audio_duration.ToMilliseconds() == pytest.approx(1000, abs=5)


# Live speech.


def live(
    wanted: audio_pb2.AudioFormat, messages: Iterable[stt_pb.StreamTranscribeRequest]
) -> Iterable[stt_pb.StreamTranscribeRequest]:
    config = stt_pb.StreamTranscribeConfig(format=wanted)
    return iter([stt_pb.StreamTranscribeRequest(config=config), *messages])


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
async def test_eight_channels_are_taken_at_any_rate_live(stt: Called, rate: int) -> None:
    quarter = stt_pb.StreamTranscribeRequest(audio=bytes(2 * 8 * rate // 4))
    requests = live(audio_format(S16, rate, 8), [quarter] * 4)

    events = await stt.collected(stt.stub.StreamTranscribe(requests, timeout=ENDS_S))

    assert not events


def packets(step: int) -> Iterable[stt_pb.StreamTranscribeRequest]:
    """Noise where packets should be, the timestamps so many samples apart."""
    noise = np.random.default_rng(1)
    for number in range(40):
        packet = audio_pb2.OpusPacket(
            data=noise.bytes(60), sequence=number, rtp_timestamp=number * step % 2**32
        )
        yield stt_pb.StreamTranscribeRequest(packet=packet)


@pytest.mark.parametrize("step", [960, 2_000_000_000], ids=["in time", "half a day apart"])
async def test_noise_instead_of_packets_does_not_end_a_conversation(stt: Called, step: int) -> None:
    requests = live(audio_format(OPUS, 48_000), packets(step))

    await stt.collected(stt.stub.StreamTranscribe(requests, timeout=ENDS_S))

    await stt.running.check_well()


async def test_thousands_of_tiny_messages_are_one_stream(stt: Called) -> None:
    request = stt_pb.StreamTranscribeRequest
    many = [request(audio=b"\1"), request(finish_turn=stt_pb.FinishTurn())] * 1_000

    events = await stt.collected(
        stt.stub.StreamTranscribe(live(audio_format(S16, 16_000), many), timeout=ENDS_S)
    )

    assert not events
    await stt.running.check_well()


async def test_a_crowd_of_silent_streams_leaves_when_it_is_cancelled(stt: Called) -> None:
    async def silent() -> AsyncIterator[stt_pb.StreamTranscribeRequest]:
        for message in live(audio_format(S16, 16_000), []):
            yield message
        await asyncio.sleep(ENDS_S)

    stub = stt.stub
    calls = [stub.StreamTranscribe(silent()) for _ in range(200)]

    async def full() -> bool:
        return (
            await stt.running.metric("voicemesh_admission_used")
            == SttSettings().server.max_concurrent
        )

    await stt.running.until(full)
    assert await stub.ListModels(stt_pb.ListModelsRequest(), timeout=5)
    for call in calls:
        call.cancel()
    await stt.running.check_well()
