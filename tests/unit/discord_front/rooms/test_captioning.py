"""Captions that failed can be asked for again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicemesh_bot.discord_front.rooms import captioning as module
from voicemesh_bot.discord_front.rooms.captioning import LiveCaptions

pytestmark = pytest.mark.unit

CHANNEL: Any = object()
ID = 7


class Feed:
    """Fails at once if it is the first."""

    made = 0

    def __init__(self, *_: object) -> None:
        Feed.made += 1
        self._fails = Feed.made == 1

    async def run(self) -> None:
        if self._fails:
            msg = "a fault of ours"
            raise ValueError(msg)
        await asyncio.Event().wait()


@pytest.fixture
def captions(monkeypatch: pytest.MonkeyPatch) -> LiveCaptions:
    Feed.made = 0
    monkeypatch.setattr(module, "CaptionFeed", Feed)
    return LiveCaptions("voicemesh")


async def test_captions_that_failed_begin_anew_when_they_are_asked_for(
    captions: LiveCaptions, caplog: pytest.LogCaptureFixture
) -> None:
    await captions.show_in(CHANNEL, ID, ())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "captions failed" in caplog.text

    await captions.show_in(CHANNEL, ID, ())
    await asyncio.sleep(0)
    assert Feed.made == 2

    await captions.show_in(CHANNEL, ID, ())
    assert Feed.made == 2  # They are alive.
    await captions.aclose()
