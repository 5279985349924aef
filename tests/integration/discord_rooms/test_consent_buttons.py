"""The buttons by which people agree, or take that back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.discord_front.answers import WrittenAnswers
from voicemesh_bot.discord_front.client import DiscordClient
from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.discord_front.rooms.rooms import VoiceRooms
from voicemesh_chassis.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

YES, NO = "You may listen to me", "Do not listen to me"


@asynccontextmanager
async def another(house: House) -> AsyncIterator[None]:
    """The bot's next login, which knows nothing of the one before but what is kept."""
    histories = Histories(turns_per_channel=20, channels=10)
    answers = WrittenAnswers(house.model, histories, asyncio.get_running_loop().time)
    client = DiscordClient(answers, VoiceRooms(house.rooms.parts), house.voice)
    client._connection.guild_ready_timeout = 0.05
    running = asyncio.create_task(client.start(house.sim.bot.token))
    try:
        await house.until(client.is_ready)
        yield
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


async def given(house: House, user_id: int) -> bool | None:
    known = await house.storage.people.consent(house.guild.id, user_id)
    return None if known is None else known.given


async def test_they_stand_under_what_holds_and_answer_the_one_who_presses(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    used = await ann.slash(house.chat, "consent")
    shown = await used.response()
    assert "You have not agreed" in shown.content

    for label, decision in ((YES, True), (NO, False), (YES, True)):
        pressed = await ann.click(shown, label)
        answer = await pressed.response()
        assert answer.is_ephemeral
        assert await given(house, ann.id) is decision


async def test_they_work_after_a_restart_and_while_it_is_in_no_call(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    greeting = await house.enter(ann)
    await house.use(ann, "leave")

    await house.client.close()
    await house.sim.wait_until_offline()
    async with another(house):
        pressed = await ann.click(greeting, YES)
        assert "Thank you" in (await pressed.response()).content
    assert await given(house, ann.id)


@pytest.mark.parametrize("trouble", ["break_off", "fail"])
async def test_a_no_waits_for_nothing_of_discord_s_and_holds_without_it(
    house: House, trouble: str
) -> None:
    ann = await house.person("Ann")
    greeting = await house.enter(ann)
    # After a failure discord.py tries again for 25 seconds.
    getattr(house.sim.rest, trouble)("POST /interactions/*", times=100)

    await ann.click(greeting, NO)

    async with asyncio.timeout(8):
        while await given(house, ann.id):
            await asyncio.sleep(0.02)


async def test_a_no_that_cannot_be_noted_lets_nobody_be_heard_meanwhile(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await house.person("Ann")
    greeting = await house.enter(ann)

    async def away(*_: object, **__: object) -> None:
        msg = "the database does not answer"
        raise DatabaseUnavailableError(msg)

    monkeypatch.setattr(house.storage.people, "decide", away)
    monkeypatch.setattr(house.storage.people, "consent", away)
    pressed = await ann.click(greeting, NO)
    assert "cannot reach my memory" in (await pressed.response()).content

    heard = house.ears.packets
    await house.say(ann, "What is the time?")
    await asyncio.sleep(0.3)
    assert house.ears.packets == heard
