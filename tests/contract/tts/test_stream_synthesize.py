"""Texts spoken while they are written, by the real voice."""

from __future__ import annotations

import asyncio
from typing import Any

import av
import grpc.aio
import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

TEXT = (
    "Well, that depends. It may rain tomorrow in the north, and it will be warm in the south. "
    "If you go out, take a coat with you."
)
S16 = pb.SynthesisConfig(format=audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE))
PACKETS = pb.SynthesisConfig(
    format=audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_OPUS_PACKETS)
)


def tokens(text: str) -> list[str]:
    """The text as a language model writes it, cut without regard to words."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


def flush(number: int) -> pb.StreamSynthesizeRequest:
    return pb.StreamSynthesizeRequest(flush=pb.Flush(flush_id=number))


def cancel(number: int) -> pb.StreamSynthesizeRequest:
    return pb.StreamSynthesizeRequest(cancel=pb.Cancel(cancel_id=number))


async def read_all(call: Any) -> list[pb.StreamSynthesizeResponse]:
    events = []
    while (event := await call.read()) is not grpc.aio.EOF:
        events.append(event)
    return events


async def test_audio_comes_before_the_text_ends(stub: Any) -> None:
    call = stub.StreamSynthesize(timeout=30)
    await call.write(pb.StreamSynthesizeRequest(config=S16))
    assert (await call.read()).WhichOneof("event") == "started"
    await call.write(pb.StreamSynthesizeRequest(text="Well, that depends. It may"))

    first = await call.read()

    assert first.audio.audio
    assert (first.audio.span.start, first.audio.span.end) == (0, 19)
    await call.write(pb.StreamSynthesizeRequest(text=" rain."))
    await call.done_writing()
    rest = await read_all(call)
    assert rest[-1].WhichOneof("event") == "finished"


async def test_spans_cover_the_text_and_the_audio_has_no_gaps(say: Any) -> None:
    talk = await say(S16, *tokens(TEXT))

    assert talk.kinds[0] == "started"
    assert talk.events[0].started.format.sample_rate_hertz == 22_050
    ends = [event for event in talk.audio if event.clause_end]
    assert [event.clause_index for event in ends] == list(range(len(ends)))
    assert " ".join(TEXT[event.span.start : event.span.end] for event in ends) == TEXT
    position = 0
    for event in talk.audio:
        assert event.start_offset.ToNanoseconds() == pytest.approx(
            position / 22_050 * 1e9, abs=1_000
        )
        position += len(event.audio) // 2
    assert talk.finished.character_count == len(TEXT)
    assert talk.finished.audio_duration.ToNanoseconds() == pytest.approx(
        position / 22_050 * 1e9, abs=1e3
    )
    assert talk.finished.timings.first_audio_duration.ToNanoseconds() > 0


async def test_what_is_streamed_is_understood(say: Any, hear: Any, word_error_rate: Any) -> None:
    talk = await say(S16, *tokens(TEXT))

    samples = np.frombuffer(talk.data, "<i2").astype(np.float32) / 32768
    assert word_error_rate(TEXT, hear(samples, 22_050)) <= 0.2


async def test_packets_continue_over_clauses_and_decode(
    say: Any, hear: Any, word_error_rate: Any
) -> None:
    talk = await say(PACKETS, *tokens(TEXT))

    packets = talk.packets
    assert [packet.sequence for packet in packets] == list(range(len(packets)))
    assert [packet.rtp_timestamp for packet in packets] == [960 * n for n in range(len(packets))]
    decoder = av.CodecContext.create("libopus", "r")
    frames = [frame for packet in packets for frame in decoder.decode(av.Packet(packet.data))]
    assert {frame.samples for frame in frames} == {960}
    assert talk.finished.audio_duration.ToMilliseconds() == 20 * len(packets)
    heard = np.concatenate([frame.to_ndarray() for frame in frames], axis=1).reshape(-1, 2)[:, 0]
    assert word_error_rate(TEXT, hear(heard.astype(np.float32) / 32768, 48_000)) <= 0.2


@pytest.mark.parametrize("rate", [0, 48_000])
async def test_clauses_join_without_a_click(say: Any, largest_step: Any, rate: int) -> None:
    config = pb.SynthesisConfig(
        format=audio_pb2.AudioFormat(
            encoding=audio_pb2.AUDIO_ENCODING_PCM_F32LE, sample_rate_hertz=rate
        )
    )
    talk = await say(config, TEXT)

    places = np.cumsum([len(event.audio) // 4 for event in talk.audio if event.audio])
    ends = [int(place) for place, event in zip(places, talk.audio, strict=True) if event.clause_end]
    samples = np.frombuffer(talk.data, "<f4")
    assert largest_step(samples, [0, *ends[:-1]]) < 0.01


async def test_a_flush_speaks_the_unfinished_sentence(say: Any) -> None:
    talk = await say(S16, "Let me see", flush(5), " what there is.")

    at = talk.kinds.index("flushed")
    before = [event.audio for event in talk.events[:at] if event.HasField("audio")]
    assert talk.events[at].flushed.flush_id == 5
    assert before[-1].span.end == len("Let me see")
    assert before[-1].clause_end
    assert "audio" in talk.kinds[at:]


async def test_a_cancel_drops_the_rest_and_the_stream_goes_on(stub: Any) -> None:
    call = stub.StreamSynthesize(timeout=30)
    await call.write(pb.StreamSynthesizeRequest(config=PACKETS))
    text = "Here is a sentence that goes on and on for quite a while. " * 40
    await call.write(pb.StreamSynthesizeRequest(text=text))
    seen = [await call.read(), await call.read()]
    await call.write(cancel(9))
    while seen[-1].WhichOneof("event") != "cancelled":
        seen.append(await call.read())
    await call.write(pb.StreamSynthesizeRequest(text="And now something else."))
    await call.done_writing()
    rest = await read_all(call)

    assert seen[-1].cancelled.cancel_id == 9
    spoken = sum(event.audio.audio_duration.ToMilliseconds() for event in seen)
    assert spoken < 40 * 2_000
    assert min(e.audio.span.start for e in rest if e.HasField("audio")) >= len(text)
    packets = [packet for event in [*seen, *rest] for packet in event.audio.packets]
    assert [packet.sequence for packet in packets] == list(range(len(packets)))
    assert rest[-1].finished.character_count == len(text) + len("And now something else.")


@pytest.mark.parametrize("config", [S16, PACKETS], ids=["pcm", "packets"])
@pytest.mark.parametrize("heard", [0, 1, 2, 6])
async def test_a_cancel_at_any_stage_is_answered_and_nothing_older_follows(
    stub: Any, config: pb.SynthesisConfig, heard: int
) -> None:
    text = "Here is a sentence that goes on for a while. " * 10
    call = stub.StreamSynthesize(timeout=30)
    await call.write(pb.StreamSynthesizeRequest(config=config))
    await call.read()
    await call.write(pb.StreamSynthesizeRequest(text=text))
    for _ in range(heard):
        await call.read()
    await call.write(cancel(1))
    await call.write(cancel(2))
    await call.write(pb.StreamSynthesizeRequest(text="And now something else."))
    await call.done_writing()
    events = await read_all(call)

    kinds = [event.WhichOneof("event") for event in events]
    answered = [event.cancelled.cancel_id for event in events if event.HasField("cancelled")]
    assert answered == [1, 2]
    after = events[len(kinds) - kinds[::-1].index("cancelled") :]
    spoken = [event.audio for event in after if event.HasField("audio")]
    assert spoken
    assert all(audio.span.start >= len(text) for audio in spoken)
    assert kinds[-1] == "finished"


async def test_a_cancel_with_nothing_to_cancel_is_answered(stub: Any, say: Any) -> None:
    talk = await say(S16, cancel(3), "Good morning.", flush(1), cancel(4))

    assert talk.kinds[:2] == ["started", "cancelled"]
    assert talk.kinds[-2:] == ["cancelled", "finished"]


async def test_a_stream_without_words_is_finished_without_audio(say: Any) -> None:
    talk = await say(S16, "🎉 ", "...", flush(1))

    assert talk.kinds == ["started", "flushed", "finished"]
    assert talk.finished.audio_duration.ToMilliseconds() == 0


async def test_a_growing_wav_is_one_file(say: Any) -> None:
    config = pb.SynthesisConfig(format=audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_WAV))
    talk = await say(config, TEXT)

    assert talk.data.startswith(b"RIFF")
    assert talk.data.count(b"RIFF") == 1


async def test_long_texts_of_several_callers_share_the_engine(say: Any) -> None:
    """A short text does not wait for the long ones."""
    long = [
        asyncio.create_task(say(PACKETS, "This sentence is one of very many of them. " * 12))
        for _ in range(3)
    ]
    short = asyncio.create_task(say(PACKETS, "A short one, please."))

    done, _ = await asyncio.wait({short, *long}, return_when=asyncio.FIRST_COMPLETED)

    assert done == {short}
    talks = await asyncio.gather(*long)
    assert all(talk.kinds[-1] == "finished" for talk in talks)
