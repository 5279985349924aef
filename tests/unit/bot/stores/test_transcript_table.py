"""Lines of transcripts, kept until they expire, and only of those who agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voicemesh_bot.guilds import TranscriptLine, TranscriptSession

pytestmark = pytest.mark.unit

ANN, BEN = 101, 102
LINE = TranscriptLine(1, 3, "morning", 1, ANN, "Ann", "hello there", 100.0, 101.5)


async def add(stores: Any, *lines: TranscriptLine, kept_s: float = 60.0) -> int:
    """Adds lines that expire after a while."""
    return int(await stores.transcripts.add(lines, expire_time=stores.clock.now_s + kept_s))


async def test_lines_come_back_as_they_were_and_in_the_order_in_which_they_began(
    stores: Any,
) -> None:
    await stores.people.decide(1, ANN, given=True)
    bot = replace(LINE, number=2, speaker_id=None, speaker="Bot", start_time=99.0)
    longest = replace(LINE, number=3, text="ä" * 20_000, speaker="é" * 100)

    assert await add(stores, LINE, bot, longest) == 3

    assert await stores.transcripts.lines(1, "morning") == (bot, LINE, longest)


async def test_of_who_has_not_agreed_nothing_is_kept(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await stores.people.decide(2, BEN, given=True)
    bens = replace(LINE, number=2, speaker_id=BEN)
    refused = replace(LINE, number=3, speaker_id=103)
    await stores.people.decide(1, 103, given=False)

    assert await add(stores, LINE, bens, refused) == 1

    assert [each.speaker_id for each in await stores.transcripts.lines(1, "morning")] == [ANN]


async def test_after_a_consent_is_taken_back_nothing_new_is_kept(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await add(stores, LINE)
    await stores.people.decide(1, ANN, given=False)

    assert await add(stores, replace(LINE, number=2)) == 0
    assert await stores.transcripts.lines(1, "morning") == (LINE,)


async def test_a_line_that_is_added_again_is_there_once(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await add(stores, LINE)

    await add(stores, LINE, replace(LINE, number=2))

    assert len(await stores.transcripts.lines(1, "morning")) == 2


async def test_long_transcripts_are_read_in_pages(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await add(stores, *(replace(LINE, number=n, start_time=n, end_time=n) for n in range(1, 8)))

    pages = [
        await stores.transcripts.lines(1, "morning", skip=skip, limit=3) for skip in (0, 3, 6, 9)
    ]

    assert [[line.number for line in page] for page in pages] == [[1, 2, 3], [4, 5, 6], [7], []]


async def test_what_has_expired_is_not_shown_and_then_deleted(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await add(stores, LINE, kept_s=60.0)
    await add(stores, replace(LINE, number=2), kept_s=120.0)
    stores.clock.now_s += 60.0

    assert [each.number for each in await stores.transcripts.lines(1, "morning")] == [2]
    (session,) = await stores.transcripts.sessions(1)
    assert session.lines == 1
    assert await stores.transcripts.expire() == 1
    assert await stores.transcripts.expire() == 0
    stores.clock.now_s -= 60.0
    assert [each.number for each in await stores.transcripts.lines(1, "morning")] == [2]


async def test_lines_that_are_to_be_kept_for_no_time_are_not_kept(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)

    assert await add(stores, LINE, kept_s=0.0) == 0


async def test_sessions_are_listed_latest_first_with_their_extent(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    later = replace(LINE, session_id="evening", channel_id=4, start_time=500.0, end_time=503.0)
    longer = replace(LINE, number=2, start_time=150.0, end_time=170.0)
    await add(stores, LINE, longer, later)

    assert await stores.transcripts.sessions(1) == (
        TranscriptSession("evening", 4, 500.0, 503.0, 1),
        TranscriptSession("morning", 3, 100.0, 170.0, 2),
    )
    assert [each.session_id for each in await stores.transcripts.sessions(1, limit=1)] == [
        "evening"
    ]
    of_channel = await stores.transcripts.sessions(1, channel_id=3)
    assert [each.session_id for each in of_channel] == ["morning"]
    assert await stores.transcripts.sessions(2) == ()


async def test_another_guild_does_not_see_a_session_by_its_id(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    await add(stores, LINE)

    assert await stores.transcripts.lines(2, "morning") == ()
