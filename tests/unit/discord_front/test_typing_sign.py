"""The bot is seen to type as long as it makes an answer, and no longer."""

from __future__ import annotations

import asyncio

import pytest

from voicemesh_bot.discord_front.typing_sign import typing_shown

pytestmark = pytest.mark.unit


class Sign:
    """Counts requests; `wait_for` a number of them."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent = 0
        self.error = error
        self._news = asyncio.Event()

    async def __call__(self) -> None:
        self.sent += 1
        self._news.set()
        if self.error is not None:
            raise self.error

    async def wait_for(self, sent: int) -> None:
        while self.sent < sent:
            self._news.clear()
            await self._news.wait()


async def test_the_sign_is_renewed_and_ends_with_the_answer() -> None:
    sign, before = Sign(), asyncio.all_tasks()
    async with typing_shown(sign, every_s=0):
        await sign.wait_for(3)

    assert asyncio.all_tasks() == before


async def test_requests_are_bounded() -> None:
    sign = Sign()
    async with typing_shown(sign, every_s=0, most=2):
        for _ in range(10):
            await asyncio.sleep(0)

    assert sign.sent == 2


async def test_a_sign_that_is_refused_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    sign = Sign(TimeoutError())
    async with typing_shown(sign, every_s=0):
        await sign.wait_for(1)
        await asyncio.sleep(0)

    assert sign.sent == 1
    assert "typing" in caplog.text
