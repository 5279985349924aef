"""A whole transcript as a file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.transcripts import TranscriptFormat
from voicemesh_bot.transcripts.files import transcript_file

pytestmark = pytest.mark.unit

LINE = TranscriptLine(1, 3, "morning", 1, None, "Ada", "good morning", 100.0, 101.0)


async def keep(stores: Any, *lines: TranscriptLine) -> None:
    """Keeps lines for a while."""
    await stores.transcripts.add(lines, expire_time=stores.clock.now_s + 60.0)


async def test_the_latest_session_is_taken_of_any_channel_or_of_one(stores: Any) -> None:
    evening = replace(LINE, session_id="evening", channel_id=4, text="good night", start_time=100.5)
    await keep(stores, LINE, evening)

    latest = await transcript_file(stores.transcripts, 1, TranscriptFormat.TXT)
    of_channel = await transcript_file(stores.transcripts, 1, TranscriptFormat.TXT, channel_id=3)
    named = await transcript_file(stores.transcripts, 1, TranscriptFormat.TXT, session_id="morning")

    assert latest is not None
    assert b"good night" in latest.content
    assert latest.name == "transcript-1970-01-01-0001.txt"
    assert of_channel is not None
    assert of_channel == named
    assert b"good morning" in of_channel.content


async def test_where_nothing_is_kept_there_is_no_file(stores: Any) -> None:
    await keep(stores, LINE)

    for guild_id, options in ((2, {}), (1, {"channel_id": 9}), (1, {"session_id": "none"})):
        found = await transcript_file(
            stores.transcripts,
            guild_id,
            TranscriptFormat.JSON,
            **options,
        )
        assert found is None


async def test_a_long_transcript_is_whole(stores: Any) -> None:
    lines = [replace(LINE, number=n, start_time=n / 10, end_time=n / 10) for n in range(1, 2001)]
    await keep(stores, *lines[:1000])
    await keep(stores, *lines[1000:])

    file = await transcript_file(stores.transcripts, 1, TranscriptFormat.JSON)

    assert file is not None
    starts = [line["start_s"] for line in json.loads(file.content)["lines"]]
    assert starts == [pytest.approx((n - 1) / 10) for n in range(1, 2001)]
