"""The bot comes into voice channels and leaves them, told to or by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from discordsim import NotSeenError

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

MANAGE_GUILD = 1 << 5


async def test_it_greets_in_text_and_aloud_and_shows_that_it_listens(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    greeting = await house.enter(ann)

    assert "only to those who agree" in greeting.content
    assert greeting.components
    assert house.voice.spoken[0].startswith("Hello, I am")
    assert house.was_heard(ann, 0.0)
    await house.until(lambda: house.sim.world.directory.channel(house.bench.id).status)

    assert "I have left" in await house.use(ann, "leave")
    assert house.room is None
    assert not house.sim.world.directory.channel(house.bench.id).status


async def test_a_prefix_works_as_well_as_a_slash(house: House) -> None:
    ann = await house.person("Ann")
    await ann.type(house.chat, "!join")
    await ann.wait_for_message(house.chat, contains="I am in")
    await ann.wait_for_message(house.chat, contains="I have joined")
    assert "I have left" in await house.type(ann, f"<@{house.sim.bot.id}> !leave")
    assert house.room is None


async def test_who_is_in_no_voice_channel_is_told_so(house: House) -> None:
    ann = await house.person("Ann", inside=False)

    assert "Go into a voice channel first" in await house.use(ann, "join")
    assert "I am in no voice channel" in await house.use(ann, "leave")
    assert "I am in no voice channel" in await house.use(ann, "stop")
    assert "I am in no voice channel" in await house.use(ann, "say", text="Hello.")


async def test_who_is_elsewhere_may_not_send_it_away(house: House) -> None:
    ann = await house.person("Ann")
    ben = await house.person("Ben", inside=False)
    carl = await house.person("Carl", inside=False, permissions=MANAGE_GUILD)
    await house.enter(ann)

    assert "You have to be in" in await house.use(ben, "leave")
    assert house.room is not None
    assert "I have left" in await house.use(carl, "leave")


async def test_a_moderator_takes_it_elsewhere_and_the_conversation_goes_on(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    await house.say(ann, "My cat is called Tom.")
    await ann.wait_for_sound(house.sim.bot.id)
    await house.quiet(ann)

    await house.sim.move(house.sim.bot, house.yard)
    await ann.move(house.yard)
    await house.sim.wait_until_in_voice(house.guild)
    begun = await house.say(ann, "What is my cat called?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)

    assert any("My cat is called Tom." in line for line in house.model.asked[-1])
    assert house.room is not None
    assert house.room.channel.id == house.yard.id


async def test_who_throws_it_out_reads_why_it_is_gone(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    before = asyncio.all_tasks()

    await house.sim.disconnect(house.sim.bot, house.guild)
    await house.until(lambda: house.room is None)

    await ann.wait_for_message(house.chat, author=house.sim.bot.id)
    left = {task.get_name() for task in asyncio.all_tasks() & before}
    assert not left & {"voice room", "voice session", "herald", "playback", "attendance"}
    await house.enter(ann)


async def test_it_joins_by_itself_where_somebody_comes_and_leaves_when_alone(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    assert "as soon as" in await house.use(boss, "autojoin", channel=house.bench)
    assert "after 1 s" in await house.use(boss, "leavewhenempty", seconds=1)

    ann = await house.person("Ann")
    await house.until(lambda: house.room is not None)
    await house.sim.wait_until_in_voice(house.guild)
    await ann.leave()
    await house.until(lambda: house.room is None)


async def test_it_is_not_back_at_once_where_it_was_sent_away(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    await house.use(boss, "autojoin", channel=house.bench)
    ann = await house.person("Ann")
    await house.until(lambda: house.room is not None)

    await house.use(ann, "leave")
    ben = await house.person("Ben")
    await ben.leave()
    assert house.room is None


async def test_it_follows_a_person(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    ann = await house.person("Ann", inside=False)
    await house.use(boss, "follow", member=ann)

    await ann.join(house.bench)
    await house.until(lambda: house.rooms.channel_id(house.guild.id) == house.bench.id)
    await ann.move(house.yard)
    await house.until(lambda: house.rooms.channel_id(house.guild.id) == house.yard.id)


async def test_who_may_not_manage_decides_nothing_for_all(house: House) -> None:
    ann = await house.person("Ann")

    for text in ("!autojoin", "!follow", "!leavewhenempty 5", "!names Robin", "!timing"):
        assert "Only people who may manage" in await house.type(ann, text)
    guild = await house.storage.guilds.guild(house.guild.id)
    assert guild.leave_when_empty_s is None


async def test_the_end_of_the_bot_is_the_end_of_its_calls(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)

    await house.client.close()

    await house.sim.wait_until_offline()
    with pytest.raises(NotSeenError):
        await house.sim.wait_until_in_voice(house.guild, timeout_s=0.3)
