"""Bounded ways to the services."""

from __future__ import annotations

import asyncio

import pytest

from voicemesh_bot.domain import FinishTurn, OpusPacket
from voicemesh_bot.feeds import AudioFeed, TextFeed

pytestmark = pytest.mark.unit


async def test_sound_nobody_takes_is_dropped_oldest_first() -> None:
    feed = AudioFeed(most_bytes=4)
    for piece in (b"aa", b"bb", b"cc"):
        feed.put(piece)
    feed.put(FinishTurn())

    assert [item async for item in feed.items(idle_s=0)] == [b"bb", b"cc", FinishTurn()]
    assert feed.dropped_bytes == 2


async def test_packets_count_as_much_as_the_sound_they_stand_for() -> None:
    feed = AudioFeed(most_bytes=2 * 1_920)
    packets = [OpusPacket(b"x", number, 960 * number) for number in range(3)]
    for packet in packets:
        feed.put(packet)

    assert [item async for item in feed.items(idle_s=0)] == packets[1:]
    assert feed.dropped_bytes == 1_920


async def test_sound_ends_when_none_comes_any_more() -> None:
    feed = AudioFeed(most_bytes=10)
    feed.put(b"aa")
    feed.clear()

    assert [item async for item in feed.items(idle_s=0)] == []


async def test_text_comes_in_as_few_pieces_as_possible_and_ends() -> None:
    feed = TextFeed()
    feed.put("One ")
    feed.put("two.")
    feed.end()

    assert [piece async for piece in feed.pieces()] == ["One two."]


async def test_text_is_waited_for() -> None:
    feed = TextFeed()
    pieces = feed.pieces()
    first = asyncio.ensure_future(anext(pieces))
    await asyncio.sleep(0)
    feed.put("late")

    assert await first == "late"
    await pieces.aclose()


async def test_an_empty_text_ends_too() -> None:
    feed = TextFeed()
    feed.end()

    assert [piece async for piece in feed.pieces()] == []


async def test_the_end_of_a_turn_is_said_once_however_often_it_comes() -> None:
    feed = AudioFeed(most_bytes=4)
    feed.put(b"aa")
    for _ in range(100):
        feed.put(FinishTurn())

    assert [item async for item in feed.items(idle_s=0)] == [b"aa", FinishTurn()]
