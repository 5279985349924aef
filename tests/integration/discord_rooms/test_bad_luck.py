"""What attacks have shown: commands at once, missing permissions, a Discord in trouble."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from discordsim import Channel
from discordsim.domain import Overwrite
from voicemesh_bot.discord_front import rate_limits

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

SEND_MESSAGES = 1 << 11
SPEAK = 1 << 21


def deny_bot(house: House, channel: Channel, permission: int) -> None:
    """Takes a permission from the bot in a channel; 0 gives it back."""
    overwrite = Overwrite(house.sim.bot.id, is_role=False, deny=permission)
    house.sim.world.directory.change_channel(channel.id, overwrites=(overwrite,))


async def test_of_two_who_call_it_at_once_the_second_does_not_take_it_away(house: House) -> None:
    ann, ben = await house.person("Ann"), await house.person("Ben", inside=False)
    await ben.join(house.yard)

    first, second = await ann.slash(house.chat, "join"), await ben.slash(house.chat, "join")

    assert str(house.bench.id) in (await first.response()).content
    assert "I am with others" in (await second.response()).content
    assert house.rooms.channel_id(house.guild.id) == house.bench.id


async def test_what_may_not_be_written_where_it_was_called_stands_in_the_voice_channel(
    house: House,
) -> None:
    ann = await house.person("Ann")
    deny_bot(house, house.chat, SEND_MESSAGES)

    assert "I am in" in await house.use(ann, "join")

    await ann.wait_for_message(house.bench, contains="I have joined")


async def test_who_may_not_speak_says_so_and_again_when_it_is_taken_away_anew(
    house: House,
) -> None:
    ann = await house.person("Ann")
    deny_bot(house, house.bench, SPEAK)
    await house.use(ann, "join")

    await ann.wait_for_message(house.chat, contains="I need the permission Speak")
    deny_bot(house, house.bench, 0)
    await asyncio.sleep(1.5)  # Longer than between two looks.
    deny_bot(house, house.bench, SPEAK)
    await ann.wait_for_message(house.chat, contains="I need the permission Speak")


async def test_captions_are_not_promised_where_they_cannot_be_written(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    deny_bot(house, house.bench, SEND_MESSAGES)
    await asyncio.sleep(0.1)

    assert "I may not write in" in await house.use(ann, "captions", state="on")


async def test_a_command_that_discord_gives_up_leaves_no_traceback(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await house.person("Ann")
    house.sim.rest.slow("POST /interactions/*", 3.3)

    await ann.slash(house.chat, "stop")

    await house.until(lambda: "discord refused" in caplog.text)
    assert "a command failed" not in caplog.text


async def test_a_global_limit_ends_though_who_was_told_of_it_gave_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "_LONGEST_S", 0.1)
    channel = house.client.get_partial_messageable(house.chat.id)
    house.sim.rest.limit("POST */messages", retry_after_s=5.0, is_global=True)
    sending = asyncio.create_task(channel.send("first"))
    await house.until(lambda: not house.client.http._global_over.is_set())

    sending.cancel()
    await asyncio.wait({sending})

    async with asyncio.timeout(4):
        await channel.send("second")
