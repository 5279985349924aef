"""Live streams, over real gRPC with the real engine. Audio comes faster than real time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import av
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

FIRST, SECOND = "librivox-0930.wav", "librivox-0920.wav"
Requests = Iterable[pb.StreamTranscribeRequest]


def silence(seconds: float) -> Any:
    return np.zeros(int(16_000 * seconds), dtype=np.float32)


def kinds(events: list[pb.StreamTranscribeResponse]) -> list[str | None]:
    return [event.WhichOneof("event") for event in events]


def finals(events: list[pb.StreamTranscribeResponse]) -> list[pb.StreamTranscribeResponse]:
    return [event for event in events if event.WhichOneof("event") == "final"]


@pytest.fixture(scope="session")
def two(voice: Callable[[str], Any]) -> Any:
    """Two utterances with a silence after each."""
    return np.concatenate([voice(FIRST), silence(1.5), voice(SECOND), silence(1.5)])


async def test_two_utterances_with_a_silence_between_them_are_two_finals(
    stt: Any, stream: Any, pcm: Any, two: Any, wer: Callable[[str, str], float]
) -> None:
    events = await stt.listen(stream(pcm(two)))

    first, second = finals(events)
    assert wer(FIRST, first.final.text) <= 0.2
    assert wer(SECOND, second.final.text) <= 0.2
    assert (first.turn_id, second.turn_id) == (1, 2)
    assert first.final.reason == pb.END_OF_TURN_REASON_SILENCE
    assert 2_000 < first.final.speech_end_offset.ToMilliseconds() < 3_400
    assert 4_500 < second.final.speech_start_offset.ToMilliseconds() < 5_500
    assert 4_500 < second.final.segments[0].start_offset.ToMilliseconds() < 5_700
    assert 0 < second.final.confidence <= 1
    assert second.final.language.language_code == "en"
    assert second.final.timings.inference_duration.ToMilliseconds() > 0


async def test_events_are_numbered_and_in_order(stt: Any, stream: Any, pcm: Any, two: Any) -> None:
    config = pb.StreamTranscribeConfig(partials=True)

    events = await stt.listen(stream(pcm(two), config=config, piece=640), gap_s=0.004)

    numbers = [(event.turn_id, event.revision) for event in events]
    assert numbers == sorted(numbers)
    for turn_id in (1, 2):
        turn = [
            kind
            for event, kind in zip(events, kinds(events), strict=True)
            if event.turn_id == turn_id
        ]
        assert turn[0] == "speech_started"
        assert turn[-1] == "final"
        assert turn[-2] == "soft_final"
        assert turn.count("partial") >= 1
    stable = [
        event.partial.stable_text
        for event in events
        if event.turn_id == 2 and event.WhichOneof("event") == "partial"
    ]
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(stable))


async def test_the_final_has_the_revision_and_the_words_of_its_soft_final(
    stt: Any, stream: Any, pcm: Any, two: Any
) -> None:
    events = await stt.listen(stream(pcm(two)))

    for final in finals(events):
        soft = [
            event
            for event in events
            if event.WhichOneof("event") == "soft_final" and event.turn_id == final.turn_id
        ][-1]
        assert (soft.revision, soft.soft_final.text) == (final.revision, final.final.text)


async def test_audio_may_be_cut_anywhere(stt: Any, stream: Any, pcm: Any, two: Any) -> None:
    whole = finals(await stt.listen(stream(pcm(two), piece=1 << 20)))
    odd = finals(await stt.listen(stream(pcm(two), piece=777)))

    assert [event.final.text for event in odd] == [event.final.text for event in whole]


@pytest.mark.parametrize(
    ("encoding", "rate", "channels"),
    [
        ("PCM_S16LE", 8_000, 1),
        ("PCM_S16LE", 44_100, 2),
        ("PCM_F32LE", 48_000, 1),
        ("MULAW", 8_000, 1),
        ("ALAW", 8_000, 1),
    ],
)
async def test_headerless_audio_of_any_kind_is_heard(
    stt: Any,
    stream: Any,
    voice: Callable[[str], Any],
    wer: Callable[[str, str], float],
    encoding: str,
    rate: int,
    channels: int,
) -> None:
    codec = {
        "PCM_S16LE": "pcm_s16le",
        "PCM_F32LE": "pcm_f32le",
        "MULAW": "pcm_mulaw",
        "ALAW": "pcm_alaw",
    }[encoding]
    audio = np.concatenate([voice(SECOND), silence(1.0)])
    value = audio_pb2.AudioEncoding.Value(f"AUDIO_ENCODING_{encoding}")

    events = await stt.listen(
        stream(coded(audio, codec, rate, channels), encoding=value, rate=rate, channels=channels)
    )

    (final,) = finals(events)
    assert wer(SECOND, final.final.text) <= 0.2


def coded(audio: Any, codec_name: str, rate: int, channels: int) -> bytes:
    """Samples at 16 kHz as FFmpeg writes them headerless."""
    codec: Any = av.AudioCodecContext.create(codec_name, "w")
    codec.sample_rate, codec.layout = rate, "stereo" if channels == 2 else "mono"
    codec.format = "flt" if codec_name == "pcm_f32le" else "s16"
    resampler = av.AudioResampler(codec.format, codec.layout, rate)
    frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = 16_000
    parts = [*resampler.resample(frame), *resampler.resample(None), None]
    return b"".join(bytes(packet) for part in parts for packet in codec.encode(part))


def opus(audio: Any) -> list[bytes]:
    """Samples at 16 kHz as Opus packets of 20 ms."""
    codec = av.AudioCodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "stereo", "s16"
    codec.open()
    resampler = av.AudioResampler("s16", "stereo", 48_000, 960)
    frame = av.AudioFrame.from_ndarray(audio[np.newaxis], format="fltp", layout="mono")
    frame.sample_rate = 16_000
    parts = resampler.resample(frame)
    return [bytes(packet) for part in parts for packet in codec.encode(part)]


def opus_requests(packets: Iterable[tuple[int, bytes]]) -> Requests:
    audio_format = audio_pb2.AudioFormat(
        encoding=audio_pb2.AUDIO_ENCODING_OPUS_PACKETS, channel_count=2
    )
    yield pb.StreamTranscribeRequest(config=pb.StreamTranscribeConfig(format=audio_format))
    for number, data in packets:
        yield pb.StreamTranscribeRequest(
            packet=audio_pb2.OpusPacket(
                data=data,
                sequence=(65_500 + number) % 65_536,
                rtp_timestamp=((1 << 32) - 4_800 + number * 960) % (1 << 32),
            )
        )


async def test_opus_packets_are_heard_also_when_they_come_out_of_order(
    stt: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    packets = list(enumerate(opus(np.concatenate([voice(SECOND), silence(1.0)]))))
    packets[20], packets[21] = packets[21], packets[20]
    packets[100:103] = reversed(packets[100:103])

    (final,) = finals(await stt.listen(opus_requests(packets)))

    assert wer(SECOND, final.final.text) <= 0.2


async def test_time_in_which_no_packet_was_sent_is_silence(
    stt: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    first, second = opus(voice(FIRST)), opus(voice(SECOND))
    later = len(first) + 75  # a second and a half of timestamps
    packets = [*enumerate(first), *((later + number, data) for number, data in enumerate(second))]

    events = finals(await stt.listen(opus_requests(packets)))

    assert wer(FIRST, events[0].final.text) <= 0.2
    assert wer(SECOND, events[1].final.text) <= 0.2


async def test_a_damaged_packet_is_a_moment_of_silence(
    stt: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    packets = opus(np.concatenate([voice(SECOND), silence(1.0)]))
    packets[50] = b"\xff\xff\xff\x07" * 5

    (final,) = finals(await stt.listen(opus_requests(enumerate(packets))))

    assert wer(SECOND, final.final.text) <= 0.3


async def test_finish_turn_ends_the_turn_at_once(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any]
) -> None:
    requests = [*stream(pcm(voice(FIRST))), pb.StreamTranscribeRequest(finish_turn=pb.FinishTurn())]

    (final,) = finals(await stt.listen(requests))

    assert final.final.reason == pb.END_OF_TURN_REASON_FINISHED_BY_CALLER


async def test_closing_the_sending_side_finishes_the_open_turn(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    (final,) = finals(await stt.listen(stream(pcm(voice(SECOND)[:-1600]))))

    assert wer(SECOND, final.final.text) <= 0.2
    assert final.final.reason == pb.END_OF_TURN_REASON_END_OF_STREAM


async def test_turn_detection_follows_the_config(stt: Any, stream: Any, pcm: Any, two: Any) -> None:
    patient = pb.StreamTranscribeConfig(
        turn_detection=pb.TurnDetection(complete_silence_duration=Duration(seconds=3))
    )

    events = await stt.listen(stream(pcm(two), config=patient))

    (final,) = finals(events)
    assert final.revision >= 2  # the pause was a soft stop that did not hold
    assert len(final.final.text.split()) > 20


@pytest.mark.parametrize("kind", ["nothing", "silence", "noise", "tone"])
async def test_what_is_not_speech_has_no_words(stt: Any, stream: Any, pcm: Any, kind: str) -> None:
    time = np.arange(16_000 * 4) / 16_000
    audio = {
        "nothing": time[:0],
        "silence": np.zeros_like(time),
        "noise": np.random.default_rng(3).normal(0, 0.1, time.shape),
        "tone": 0.3 * np.sin(2 * np.pi * 440 * time),
    }[kind]

    events = await stt.listen(stream(pcm(audio.astype(np.float32))))

    assert [event.final.text for event in finals(events)] in ([], [""])
