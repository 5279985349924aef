"""The stt client over real gRPC: what it sends, what it yields, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError, NotFoundError, OverloadedError
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Connection,
    DeadlineExceededError,
    DetectedLanguage,
    EndOfTurnReason,
    Final,
    FinishTurn,
    LimitExceededError,
    OpusPacket,
    Partial,
    RecognitionTimings,
    SoftFinal,
    SpeechStarted,
    SpeechToText,
    TranscriptionOptions,
    TurnDetection,
    TurnResumed,
    UnavailableError,
)

pytestmark = pytest.mark.contract

PCM = AudioFormat(AudioEncoding.PCM_S16LE, 16_000)


def seconds(value: float) -> Duration:
    duration = Duration()
    duration.FromMilliseconds(round(value * 1000))
    return duration


async def pieces(*given: Any) -> AsyncIterator[Any]:
    for piece in given:
        yield piece


def senders() -> list[str]:
    """Sending tasks that are still there; the server of the test has tasks of its own."""
    names = (task.get_name() for task in asyncio.all_tasks())
    return [name for name in names if name.startswith("send to")]


async def endless(ended: list[str]) -> AsyncIterator[bytes]:
    try:
        while True:
            yield bytes(640)
            await asyncio.sleep(0)
    finally:
        ended.append("source")


async def test_a_recording_comes_back_as_words(script: Any) -> None:
    async def transcribe(_request: Any, _context: Any) -> pb.TranscribeResponse:
        return pb.TranscribeResponse(
            text="Good evening.",
            segments=[pb.Segment(text="Good evening.", end_offset=seconds(1.5), confidence=0.5)],
            language=pb.DetectedLanguage(language_code="en", probability=1),
            audio_duration=seconds(2),
            model="whisper-tiny.en",
        )

    script.Transcribe = transcribe
    options = TranscriptionOptions(model="m", hotwords=("Ann",), beam_size=3)
    async with SpeechToText(script.target) as stt:
        heard = await stt.transcribe(b"abc", format=PCM, options=options)

    assert heard.text == "Good evening."
    assert heard.segments[0].end_s == 1.5
    assert (heard.audio_s, heard.model) == (2.0, "whisper-tiny.en")
    (request,) = script.requests
    assert request.audio == b"abc"
    assert request.format.sample_rate_hertz == 16_000
    assert (request.config.model, list(request.config.hotwords)) == ("m", ["Ann"])
    assert request.config.beam_size == 3


async def test_the_error_of_the_service_comes_out_as_it_went_in(script: Any) -> None:
    async def transcribe(_request: Any, _context: Any) -> None:
        raise InvalidArgumentError("the audio is empty", field="audio")

    script.Transcribe = transcribe
    async with SpeechToText(script.target) as stt:
        with pytest.raises(InvalidArgumentError, match="the audio is empty") as caught:
            await stt.transcribe(b"")

    assert caught.value.field == "audio"


async def test_overload_says_after_how_long_to_try_again(script: Any) -> None:
    async def transcribe(_request: Any, _context: Any) -> None:
        raise OverloadedError("busy", retry_after_s=1.5)

    script.Transcribe = transcribe
    async with SpeechToText(script.target) as stt:
        with pytest.raises(OverloadedError) as caught:
            await stt.transcribe(b"x")

    assert caught.value.retryable
    assert caught.value.retry_after_s == 1.5


async def test_a_service_that_is_not_there_is_unavailable() -> None:
    async with SpeechToText(Connection("127.0.0.1:1", timeout_s=5)) as stt:
        with pytest.raises(UnavailableError, match=r"no service answers at 127\.0\.0\.1:1"):
            await stt.transcribe(b"x")


async def test_an_answer_that_does_not_come_is_a_passed_deadline(script: Any) -> None:
    async def transcribe(_request: Any, _context: Any) -> None:
        await asyncio.Event().wait()

    script.Transcribe = transcribe
    async with SpeechToText(Connection(script.target, timeout_s=0.2)) as stt:
        with pytest.raises(DeadlineExceededError):
            await stt.transcribe(b"x")


async def test_the_pages_of_a_list_are_put_together(script: Any) -> None:
    async def models(request: Any, _context: Any) -> pb.ListModelsResponse:
        if not request.page_token:
            return pb.ListModelsResponse(models=[pb.Model(name="a")], next_page_token="2")
        return pb.ListModelsResponse(models=[pb.Model(name="b", default_model=True)])

    script.ListModels = models
    async with SpeechToText(script.target) as stt:
        found = await stt.models()

    assert [(model.name, model.default) for model in found] == [("a", False), ("b", True)]


async def test_every_event_of_a_turn_arrives_in_order(script: Any) -> None:
    async def listen(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        for event in (
            {"speech_started": pb.SpeechStarted(start_offset=seconds(0.5))},
            {"partial": pb.PartialTranscript(stable_text="a", unstable_text=" b", stability=0.5)},
            {"soft_final": pb.SoftFinalTranscript(text="a b", speech_end_offset=seconds(1))},
            {"turn_resumed": pb.TurnResumed(resume_offset=seconds(1.25))},
            {"final": pb.FinalTranscript(text="A b c.", reason=pb.END_OF_TURN_REASON_SILENCE)},
        ):
            yield pb.StreamTranscribeResponse(turn_id=1, revision=2, **event)

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        events = [event async for event in stt.listen(pieces(b"ab"), format=PCM)]

    assert events == [
        SpeechStarted(1, 2, 0.5),
        Partial(1, 2, "a", " b", 0.5),
        SoftFinal(1, 2, "a b", None, 1.0),
        TurnResumed(1, 2, 1.25),
        Final(
            1, 2, text="A b c.", segments=(), confidence=0.0, language=DetectedLanguage("", 0.0),
            speech_start_s=0.0, speech_end_s=0.0, timings=RecognitionTimings(),
            reason=EndOfTurnReason.SILENCE, latency_s=0.0, model="",
        ),
    ]  # fmt: skip


async def test_config_comes_first_and_then_each_piece(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        script.requests = [request async for request in requests]
        yield pb.StreamTranscribeResponse()  # of no kind that this client knows

    script.StreamTranscribe = listen
    packet = OpusPacket(b"op", sequence=7, rtp_timestamp=960)
    sent = pieces(b"ab", b"", packet, FinishTurn(), bytes(2_500_000))
    detection = TurnDetection(start_threshold=0.6, soft_stop_s=0.25, min_speech_s=0.0)
    async with SpeechToText(script.target) as stt:
        events = stt.listen(sent, format=PCM, turn_detection=detection, partials=False)
        assert [event async for event in events] == []

    config, first, second, third, *long = script.requests
    assert config.config.format.sample_rate_hertz == 16_000
    assert config.config.partials is False
    assert config.config.turn_detection.soft_stop_duration == seconds(0.25)
    assert config.config.turn_detection.HasField("min_speech_duration")
    assert not config.config.turn_detection.HasField("max_turn_duration")
    assert first.audio == b"ab"
    assert (second.packet.data, second.packet.sequence) == (b"op", 7)
    assert third.HasField("finish_turn")
    assert [len(request.audio) for request in long] == [1_048_576, 1_048_576, 402_848]


async def test_closing_the_iterator_cancels_the_call_and_closes_the_source(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for request in requests:
            if request.audio:
                yield pb.StreamTranscribeResponse(turn_id=1, partial=pb.PartialTranscript())

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        async with aclosing(stt.listen(endless(script.ended), format=PCM)) as events:
            async for _event in events:
                break
        assert script.ended[0] == "source"
        async with asyncio.timeout(5):
            while "StreamTranscribe" not in script.ended:
                await asyncio.sleep(0.01)

    assert senders() == []


async def test_many_streams_opened_and_closed_leave_no_tasks(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for request in requests:
            if request.audio:
                yield pb.StreamTranscribeResponse(turn_id=1, partial=pb.PartialTranscript())

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        before = len(asyncio.all_tasks())
        for _ in range(30):
            async with aclosing(stt.listen(endless([]), format=PCM)) as events:
                await anext(events)
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) > before + 2:  # of the server, which goes on
                await asyncio.sleep(0.01)


async def test_cancelling_the_task_that_listens_leaves_no_task(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for _request in requests:
            pass
        yield pb.StreamTranscribeResponse()

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:

        async def consume() -> None:
            async with aclosing(stt.listen(endless(script.ended), format=PCM)) as events:
                async for _event in events:
                    pass

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert script.ended[0] == "source"
    assert senders() == []


async def test_what_the_source_raises_comes_out_of_the_iterator(script: Any) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"ab"
        raise ConnectionResetError("the microphone is gone")

    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for _request in requests:
            pass
        yield pb.StreamTranscribeResponse()

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        with pytest.raises(ConnectionResetError, match="the microphone is gone"):
            await anext(stt.listen(broken(), format=PCM))


async def test_an_error_in_the_middle_ends_the_stream_though_audio_goes_on(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        yield pb.StreamTranscribeResponse(turn_id=1, partial=pb.PartialTranscript())
        raise NotFoundError("there is no such model")

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        events = stt.listen(endless(script.ended), format=PCM)
        await anext(events)
        with pytest.raises(NotFoundError, match="there is no such model"):
            await anext(events)

    assert senders() == []


async def test_a_status_is_not_lost_to_a_write_that_fails_with_it(script: Any) -> None:
    async def listen(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        for turn_id in (1, 2, 3):
            yield pb.StreamTranscribeResponse(turn_id=turn_id, partial=pb.PartialTranscript())
        raise NotFoundError("there is no such model")

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        for _ in range(50):  # the race is lost every other time without care for it
            events = stt.listen(endless([]), format=PCM)
            heard = [(await anext(events)).turn_id for _ in range(3)]
            with pytest.raises(NotFoundError, match="there is no such model"):
                await anext(events)
            assert heard == [1, 2, 3]


async def test_a_service_that_ends_first_ends_the_stream(script: Any) -> None:
    async def listen(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        yield pb.StreamTranscribeResponse(turn_id=1, partial=pb.PartialTranscript())

    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        events = [event async for event in stt.listen(endless(script.ended), format=PCM)]

    assert len(events) == 1
    assert senders() == []


async def test_once_all_is_sent_the_next_event_has_a_deadline(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for _request in requests:
            pass
        await asyncio.Event().wait()
        yield pb.StreamTranscribeResponse()

    script.StreamTranscribe = listen
    async with SpeechToText(Connection(script.target, timeout_s=0.2)) as stt:
        with pytest.raises(DeadlineExceededError):
            await anext(stt.listen(pieces(b"ab"), format=PCM))


async def test_silence_while_audio_is_sent_is_no_passed_deadline(script: Any) -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"ab"
            await asyncio.sleep(0.1)

    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        count = len([request async for request in requests])
        yield pb.StreamTranscribeResponse(turn_id=count, partial=pb.PartialTranscript())

    script.StreamTranscribe = listen
    async with SpeechToText(Connection(script.target, timeout_s=0.3)) as stt:
        events = [event async for event in stt.listen(slow(), format=PCM)]

    assert [event.turn_id for event in events] == [6]


async def test_a_service_that_stops_says_so_and_when_to_come_back(stopping: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for _request in requests:
            yield pb.StreamTranscribeResponse(turn_id=1, partial=pb.PartialTranscript())

    script, stop = stopping
    script.StreamTranscribe = listen
    async with SpeechToText(script.target) as stt:
        events = stt.listen(endless(script.ended), format=PCM)
        await anext(events)
        stopped = asyncio.create_task(stop())
        with pytest.raises(UnavailableError, match="stopping") as caught:
            async for _event in events:
                pass
        await stopped

    assert caught.value.retryable
    assert caught.value.retry_after_s is not None
    assert "source" in script.ended
    assert senders() == []


async def test_closing_the_client_ends_its_calls(script: Any) -> None:
    async def listen(requests: Any, _context: Any) -> AsyncIterator[pb.StreamTranscribeResponse]:
        async for _request in requests:
            pass
        yield pb.StreamTranscribeResponse()

    script.StreamTranscribe = listen
    stt = SpeechToText(script.target)

    async def consume() -> None:
        async for _event in stt.listen(endless(script.ended), format=PCM):
            pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.1)
    await stt.aclose()
    await stt.aclose()

    with pytest.raises(UnavailableError, match="was closed during the call"):
        await task
    with pytest.raises(RuntimeError, match="has been closed"):
        await stt.models()


async def test_a_recording_too_large_for_the_connection_is_said_plainly(script: Any) -> None:
    async with SpeechToText(Connection(script.target, max_message_bytes=1000)) as stt:
        with pytest.raises(LimitExceededError, match="larger than this connection allows"):
            await stt.transcribe(bytes(2000))


async def test_a_value_that_fits_no_field_is_refused_here(script: Any) -> None:
    async with SpeechToText(script.target) as stt:
        with pytest.raises(InvalidArgumentError, match="cannot be sent"):
            await stt.transcribe(b"x", options=TranscriptionOptions(beam_size=1 << 40))
        with pytest.raises(InvalidArgumentError, match="cannot be sent"):
            await stt.transcribe(b"x", options=TranscriptionOptions(model="\ud800"))
