"""What the bot's ports promise, held by the fakes and by the real services alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.domain import (
    Final,
    FinishTurn,
    HistoryTurn,
    ModelFinished,
    ModelStarted,
    ModelText,
    OpusPacket,
    Role,
    SoftFinal,
    SpeechStarted,
)

if TYPE_CHECKING:
    from voicemesh_bot.ports import Backends

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

RATE_HERTZ = 16_000
PIECE_BYTES = RATE_HERTZ // 25 * 2


async def _sound(
    samples: bytes, *, turns: int = 1, finish: bool = False
) -> AsyncGenerator[bytes | FinishTurn, None]:
    for _ in range(turns):
        for start in range(0, len(samples), PIECE_BYTES):
            yield samples[start : start + PIECE_BYTES]
            # In fast motion, but not so fast that it arrives as one lump.
            await asyncio.sleep(0.002)
        if finish:
            yield FinishTurn()


async def _text(*pieces: str) -> AsyncGenerator[str, None]:
    for piece in pieces:
        yield piece


async def test_a_turn_is_started_and_ended_with_its_words(
    backends: Backends, spoken: bytes
) -> None:
    heard = backends.stt.listen(_sound(spoken), sample_rate_hertz=RATE_HERTZ)
    events = [event async for event in heard]

    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], Final)
    assert len(events[-1].text.split()) >= 4
    assert 0 <= events[-1].latency_s < 30
    assert {event.turn_id for event in events} == {1}


async def test_revisions_rise_and_turns_follow_each_other(
    backends: Backends, spoken: bytes
) -> None:
    sound = _sound(spoken, turns=2, finish=True)
    events = [event async for event in backends.stt.listen(sound, sample_rate_hertz=RATE_HERTZ)]

    numbers = [(event.turn_id, event.revision) for event in events]
    assert numbers == sorted(numbers)
    finals = [event for event in events if isinstance(event, Final) and event.text]
    assert [final.turn_id for final in finals] == [1, 2]
    assert all(event.revision >= 1 for event in events if isinstance(event, SoftFinal))


async def test_silence_does_not_end_a_turn_while_a_button_is_held(
    backends: Backends, spoken: bytes
) -> None:
    sound = _sound(spoken + spoken, finish=True)
    heard = backends.stt.listen(sound, sample_rate_hertz=RATE_HERTZ, held=True)
    events = [event async for event in heard]

    assert [event.turn_id for event in events if isinstance(event, Final) and event.text] == [1]


async def test_packets_are_heard_and_their_turn_ends_although_none_follows(
    backends: Backends, spoken_packets: list[OpusPacket]
) -> None:
    ended = asyncio.Event()

    async def packets() -> AsyncGenerator[bytes | OpusPacket | FinishTurn, None]:
        for packet in spoken_packets:
            yield packet
            await asyncio.sleep(0.002)
        await ended.wait()  # Whoever stops speaking sends nothing more.

    events = []
    async with aclosing(backends.stt.listen(packets(), sample_rate_hertz=None)) as heard:
        async for event in heard:
            events.append(event)
            if isinstance(event, Final):
                ended.set()

    assert isinstance(events[0], SpeechStarted)
    assert isinstance(events[-1], Final)
    assert len(events[-1].text.split()) >= 4
    assert {event.turn_id for event in events} == {1}


async def test_listening_to_nothing_ends(backends: Backends) -> None:
    heard = backends.stt.listen(_sound(b""), sample_rate_hertz=RATE_HERTZ)
    assert [event async for event in heard] == []


async def test_the_voice_says_which_characters_it_speaks(backends: Backends) -> None:
    text = ("It is noon. Ti", "me for a meal.")
    sounds = [sound async for sound in backends.tts.speak(_text(*text))]

    assert sounds
    spans = [sound.span for sound in sounds]
    assert spans == sorted(spans)
    assert spans[-1][1] <= len("".join(text))
    assert sounds[-1].clause_end
    for sound in sounds:
        seconds = len(sound.audio) / 2 / sound.sample_rate_hertz
        assert seconds == pytest.approx(sound.duration_s, abs=0.001)
    assert any(any(sound.audio) for sound in sounds)


async def test_a_voice_without_text_is_silent(backends: Backends) -> None:
    assert [sound async for sound in backends.tts.speak(_text())] == []


async def test_an_answer_is_started_told_and_finished(backends: Backends) -> None:
    history = [HistoryTurn(Role.USER, "What is the time?", "Ann")]
    events = [event async for event in backends.model.generate(history, tenant="contract")]

    assert isinstance(events[0], ModelStarted)
    assert events[0].response_id
    assert isinstance(events[-1], ModelFinished)
    told = events[1:-1]
    assert told
    assert all(isinstance(event, ModelText) and event.text for event in told)


async def test_closing_early_leaves_nothing_behind(backends: Backends, spoken: bytes) -> None:
    before = asyncio.all_tasks()
    history = [HistoryTurn(Role.USER, "Tell me a story.")]
    async with aclosing(backends.model.generate(history, tenant="contract")) as answer:
        await anext(answer)
    async with aclosing(backends.tts.speak(_text("One sentence. Two sentences."))) as speech:
        await anext(speech)
    sound = _sound(spoken)
    async with aclosing(backends.stt.listen(sound, sample_rate_hertz=RATE_HERTZ)) as heard:
        await anext(heard)
    await asyncio.sleep(0)

    assert {task for task in asyncio.all_tasks() - before if not _belongs_to_server(task)} == set()


def _belongs_to_server(task: asyncio.Task[object]) -> bool:
    """Whether a task is the in-process service's own, which ends when it learns of the close."""
    return not task.get_name().startswith("send to")
