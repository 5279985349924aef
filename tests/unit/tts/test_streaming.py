"""One text being spoken while it is written, with an engine of tones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from voicemesh_tts.calls import Call, Stopwatch
from voicemesh_tts.domain import (
    AudioFormat,
    CancelledSpeech,
    CancelText,
    Clause,
    Encoding,
    FinishedSpeech,
    FlushedSpeech,
    FlushText,
    SpeechAudio,
    SpeechEvent,
    SpeechRequest,
    TextEvent,
    TextPiece,
    TimedWord,
)
from voicemesh_tts.errors import DrainingError, StreamIdleError
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.streaming import StreamLimits
from voicemesh_tts.studio import Studio, StudioLimits
from voicemesh_tts.text import ClausePlanner
from voicemesh_tts.turns import TurnLimits

pytestmark = pytest.mark.unit


class Gate(Protocol):
    def set(self) -> None: ...

    def clear(self) -> None: ...


class Tones(Protocol):
    """The engine of conftest."""

    said: list[str]
    awaited: list[bool]
    gate: Gate
    error: Exception | None


PCM = AudioFormat(Encoding.PCM_S16LE, 16_000)
LIMITS = StudioLimits(
    stream=StreamLimits(idle_timeout_s=5, max_pending_chars=200, buffer_s=1),
    turns=TurnLimits(workers=1),
)


class Caller:
    """Sends text by hand and ends it."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[TextEvent | None] = asyncio.Queue()
        self.taken = 0

    def send(self, *events: TextEvent | None) -> None:
        for event in events:
            self._events.put_nowait(event)

    def end(self) -> None:
        self.send(None)

    async def events(self) -> AsyncIterator[TextEvent]:
        while (event := await self._events.get()) is not None:
            self.taken += 1
            yield event


@asynccontextmanager
async def speaking(
    studio: Studio, texts: AsyncIterator[TextEvent], **changes: Any
) -> AsyncIterator[AsyncGenerator[SpeechEvent, None]]:
    """What comes back of a text."""
    voice = await studio.choose("tone:a", "")
    request = SpeechRequest(**{"voice": voice, "format": PCM, **changes})
    call = Call(request, Stopwatch(studio.metrics, "StreamSynthesize"))
    async with studio.stream(call) as stream, aclosing(stream.run(texts)) as events:
        yield events


async def open_studio(engine: Tones, limits: StudioLimits = LIMITS) -> Studio:
    studio = Studio([engine], "tone:a", limits, TtsMetrics(CollectorRegistry()))  # type: ignore[list-item]
    await studio.open()
    return studio


@pytest_asyncio.fixture
async def studio(engine: Tones) -> AsyncIterator[Studio]:
    made = await open_studio(engine)
    yield made
    engine.gate.set()
    await made.aclose()


async def spoken(studio: Studio, *texts: TextEvent, **changes: Any) -> list[SpeechEvent]:
    caller = Caller()
    caller.send(*texts)
    caller.end()
    async with speaking(studio, caller.events(), **changes) as events:
        return [event async for event in events]


def audio_of(events: list[SpeechEvent]) -> list[SpeechAudio]:
    return [event for event in events if isinstance(event, SpeechAudio)]


async def test_the_first_clause_is_heard_before_the_text_ends(studio: Studio) -> None:
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece("Well, that depends. It may"))

        first = await anext(events)

        assert isinstance(first, SpeechAudio)
        assert (first.span.start, first.span.end) == (0, 19)


async def test_a_clause_is_awaited_unless_there_is_enough_to_listen_to(
    studio: Studio, engine: Tones
) -> None:
    long = "This is quite a long sentence, and it takes some seconds to say all of it. " * 4
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece(long), FlushText(1))
        while not isinstance(await anext(events), FlushedSpeech):
            pass
        caller.send(TextPiece("Nobody waits for this. "), FlushText(2))
        while not isinstance(await anext(events), FlushedSpeech):
            pass
        caller.send(CancelText(1), TextPiece("Now it is quiet."))
        caller.end()
        assert [event async for event in events]

    assert (engine.awaited[0], *engine.awaited[-2:]) == (True, False, True)


SENTENCE = "The gardener cut the hedge while the children played there."


async def test_a_sentence_sent_at_once_in_many_messages_is_spoken_whole(
    studio: Studio, engine: Tones
) -> None:
    await spoken(studio, *[TextPiece(f"{word} ") for word in SENTENCE.split()])

    assert engine.said == [SENTENCE]


async def test_a_text_that_comes_no_further_is_begun_between_phrases(
    studio: Studio, engine: Tones
) -> None:
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece("The gardener cut the hedge while the children "))

        first = await anext(events)

        assert isinstance(first, SpeechAudio)
        assert engine.said == ["The gardener cut the hedge"]


async def test_a_sentence_after_which_nothing_comes_is_spoken_whole(
    studio: Studio, engine: Tones
) -> None:
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece(SENTENCE))

        first = await anext(events)

        assert isinstance(first, SpeechAudio)
        assert engine.said == [SENTENCE]


async def test_a_long_text_is_planned_off_the_event_loop_and_in_order(
    studio: Studio, engine: Tones, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, planned_on = threading.get_ident(), list[tuple[int, bool]]()
    feed = ClausePlanner.feed

    def watched(planner: ClausePlanner, text: str) -> list[Clause]:
        planned_on.append((len(text), threading.get_ident() == loop))
        return feed(planner, text)

    monkeypatch.setattr(ClausePlanner, "feed", watched)
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    long = "".join(f"It may rain on {day}, I think, and then it may not. " for day in days)

    await spoken(studio, TextPiece("Well, that depends. "), TextPiece(long), TextPiece("So it is."))

    assert planned_on == [(20, True), (len(long), False), (9, True)]
    assert " ".join(engine.said) == f"Well, that depends. {long}So it is."


async def test_a_stream_that_is_closed_while_a_long_text_is_planned_speaks_none_of_it(
    studio: Studio, engine: Tones, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = asyncio.Event(), threading.Event()
    loop, feed = asyncio.get_running_loop(), ClausePlanner.feed

    def held_up(planner: ClausePlanner, text: str) -> list[Clause]:
        loop.call_soon_threadsafe(begun.set)
        gate.wait(10)
        return feed(planner, text)

    monkeypatch.setattr(ClausePlanner, "feed", held_up)
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece("It may rain tomorrow, I think. " * 20))
        first = asyncio.create_task(anext(events))
        await begun.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    gate.set()
    await studio.aclose()

    assert engine.said == []


async def test_audio_is_numbered_and_placed_without_gaps(studio: Studio) -> None:
    text = "Well, that depends. It may rain tomorrow, I think. Or it may not rain at all."
    events = await spoken(studio, TextPiece(text))

    audio = audio_of(events)
    position = 0
    for event in audio:
        assert event.start_sample == position
        position += event.audio.sample_count
    ends = [event for event in audio if event.clause_end]
    assert [event.clause_index for event in ends] == [0, 1, 2]
    assert [text[event.span.start : event.span.end] for event in ends] == [
        "Well, that depends.",
        "It may rain tomorrow, I think.",
        "Or it may not rain at all.",
    ]
    last = events[-1]
    assert isinstance(last, FinishedSpeech)
    assert (last.character_count, last.sample_count) == (len(text), position)


async def test_a_flush_is_answered_after_its_text(studio: Studio) -> None:
    events = await spoken(studio, TextPiece("Let me"), FlushText(7), TextPiece(" see"))

    flushed = events.index(FlushedSpeech(7))
    assert [event.span.end for event in audio_of(events[:flushed])] == [6, 6]
    assert [event.span.end for event in audio_of(events[flushed:])] == [10]


async def test_a_cancel_drops_what_waits_and_is_answered_while_the_engine_works(
    studio: Studio, engine: Tones
) -> None:
    engine.gate.clear()
    caller = Caller()
    async with speaking(studio, caller.events()) as events:
        caller.send(TextPiece("This was the first one. " + "And here comes another one. " * 3))
        caller.send(FlushText(1), CancelText(2))

        assert await anext(events) == CancelledSpeech(2)

        caller.send(TextPiece("Something else, then."))
        caller.end()
        engine.gate.set()
        rest = [event async for event in events]

    assert {event.span.start for event in audio_of(rest)} == {108, 124}
    assert FlushedSpeech(1) not in rest
    assert engine.said == ["This was the first one.", "Something else,", "then."]


async def test_text_without_words_is_silence(studio: Studio) -> None:
    events = await spoken(studio, TextPiece("🎉 ... "), FlushText(1), TextPiece("```code```"))

    assert events[0] == FlushedSpeech(1)
    assert isinstance(events[1], FinishedSpeech)
    assert len(events) == 2


async def test_no_more_is_made_than_a_slow_caller_takes(studio: Studio, engine: Tones) -> None:
    caller = Caller()
    caller.send(*[TextPiece("Here is one more sentence for you. ") for _ in range(30)])
    async with speaking(studio, caller.events()) as events:
        await anext(events)
        for _ in range(50):
            await asyncio.sleep(0.002)

        # A second of sound waits, and 200 characters; the rest of the text has not been read.
        assert len(engine.said) <= 5
        assert caller.taken < 20


async def test_flushes_wait_outside_like_text(studio: Studio, engine: Tones) -> None:
    engine.gate.clear()
    caller = Caller()
    caller.send(TextPiece("Something to say. "), *map(FlushText, range(1_000)))
    async with speaking(studio, caller.events()) as events:
        first = asyncio.ensure_future(anext(events))
        for _ in range(50):
            await asyncio.sleep(0.002)

        assert caller.taken <= 202
        engine.gate.set()
        await first


async def test_a_silent_caller_is_sent_away(engine: Tones) -> None:
    studio = await open_studio(engine, StudioLimits(stream=StreamLimits(idle_timeout_s=0.05)))
    async with speaking(studio, Caller().events()) as events:
        with pytest.raises(StreamIdleError, match=r"0\.05 s"):
            await anext(events)
    await studio.aclose()


async def test_a_caller_who_is_being_spoken_to_is_not_idle(engine: Tones) -> None:
    studio = await open_studio(engine, StudioLimits(stream=StreamLimits(idle_timeout_s=0.05)))
    engine.gate.clear()
    caller = Caller()
    caller.send(TextPiece("Something to say. "))
    async with speaking(studio, caller.events()) as events:
        asyncio.get_running_loop().call_later(0.2, engine.gate.set)

        assert isinstance(await anext(events), SpeechAudio)
    await studio.aclose()


async def test_an_error_of_the_engine_ends_the_stream(studio: Studio, engine: Tones) -> None:
    engine.error = ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await spoken(studio, TextPiece("Something to say."))


async def test_an_error_of_the_caller_ends_the_stream(studio: Studio) -> None:
    async def texts() -> AsyncIterator[TextEvent]:
        yield TextPiece("Something")
        msg = "bad message"
        raise ValueError(msg)

    async with speaking(studio, texts()) as events:
        with pytest.raises(ValueError, match="bad message"):
            await anext(events)


@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_a_caller_who_leaves_leaves_no_task(studio: Studio, taken: int) -> None:
    before = asyncio.all_tasks()
    caller = Caller()
    caller.send(TextPiece("Here is one more sentence for you. " * 5))
    async with speaking(studio, caller.events()) as events:
        for _ in range(taken):
            await anext(events)

    assert asyncio.all_tasks() == before


def words_of(events: list[SpeechEvent]) -> list[TimedWord]:
    return [word for event in audio_of(events) for word in event.words]


@pytest.mark.parametrize("rate", [16_000, 48_000])
async def test_words_are_timed_from_the_first_sample_of_the_call(studio: Studio, rate: int) -> None:
    text = "Well, that depends. It may be so, or it may not be so at all."
    events = await spoken(
        studio,
        TextPiece(text),
        word_timings=True,
        leading_silence_s=0.5,
        format=AudioFormat(Encoding.PCM_S16LE, rate),
    )

    words = words_of(events)
    assert [word.text for word in words] == text.split()
    assert [text[word.span.start : word.span.end] for word in words] == text.split()
    # 10 ms for each letter and 10 for the blank, after half a second of silence.
    expected_s = 0.5
    for word in words:
        assert word.start_s == pytest.approx(expected_s, abs=0.002)
        expected_s += 0.01 * (len(word.text) + 1)
        assert word.end_s == pytest.approx(expected_s, abs=0.002)


async def test_words_come_no_later_than_their_sound(studio: Studio) -> None:
    events = await spoken(
        studio, TextPiece("Here is one more sentence for you. " * 3), word_timings=True
    )

    for event in audio_of(events):
        end_s = (event.start_sample + event.audio.sample_count) / 16_000
        begun = [word for word in words_of(events) if word.start_s < end_s - 0.02]
        told = [
            word
            for earlier in audio_of(events)
            if earlier.start_sample <= event.start_sample
            for word in earlier.words
        ]
        assert set(begun) <= set(told)


async def test_words_are_not_told_to_who_did_not_ask(studio: Studio) -> None:
    assert words_of(await spoken(studio, TextPiece("Something to say."))) == []


async def test_a_drain_ends_a_stream_that_has_nothing_to_speak(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicemesh_tts.streaming._DRAIN_IDLE_S", 0.01)
    caller = Caller()
    caller.send(TextPiece("Something to say. "), FlushText(1))
    async with speaking(studio, caller.events()) as events:
        while await anext(events) != FlushedSpeech(1):
            pass
        studio.drain()

        with pytest.raises(DrainingError):
            await anext(events)


async def test_a_drain_lets_a_stream_say_what_it_has(
    studio: Studio, engine: Tones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicemesh_tts.streaming._DRAIN_IDLE_S", 0.01)
    engine.gate.clear()
    caller = Caller()
    caller.send(TextPiece("Something to say. "), FlushText(1))
    async with speaking(studio, caller.events()) as events:
        first = asyncio.ensure_future(anext(events))
        for _ in range(5):
            await asyncio.sleep(0)
        studio.drain()
        asyncio.get_running_loop().call_later(0.1, engine.gate.set)

        assert isinstance(await first, SpeechAudio)


async def test_clauses_that_are_broken_off_or_never_begun_are_counted(
    engine: Tones, registry: CollectorRegistry
) -> None:
    studio = Studio([engine], "tone:a", LIMITS, TtsMetrics(registry))  # type: ignore[list-item]
    await studio.open()
    caller = Caller()
    caller.send(TextPiece("This was the first one. " + "And here comes another one. " * 3))
    async with speaking(studio, caller.events()) as events:
        await anext(events)
        engine.gate.clear()
        caller.send(CancelText(2))
        while await anext(events) != CancelledSpeech(2):
            pass
    engine.gate.set()
    await studio.aclose()

    spoken_ = registry.get_sample_value("voicemesh_tts_clauses_total") or 0
    cut = registry.get_sample_value("voicemesh_tts_clauses_cut_total") or 0
    dropped = registry.get_sample_value("voicemesh_tts_clauses_dropped_total") or 0
    assert (spoken_, cut) == (0, 1)
    assert dropped >= 2
