"""What changes during a stay: the channel, the settings, and the services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation import ConversationOptions

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

MANAGE_CHANNELS = 1 << 4


async def test_moved_by_a_moderator_it_introduces_itself_and_takes_its_sign_along(
    house: House,
) -> None:
    directory = house.sim.world.directory
    role = directory.add_role(house.guild.id, "keeper", MANAGE_CHANNELS)
    directory.change_member(house.guild.id, house.sim.bot.id, role_ids=(role.id,))
    ann = await house.person("Ann")
    await house.enter(ann)
    await house.until(lambda: directory.channel(house.bench.id).status)

    await house.sim.move(house.sim.bot, house.yard)

    again = await ann.wait_for_message(house.chat, contains=f"<#{house.yard.id}>")
    assert again.components
    await house.until(lambda: directory.channel(house.yard.id).status)
    await house.until(lambda: not directory.channel(house.bench.id).status)


async def test_news_go_where_it_was_last_asked_to_come_from(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    other = house.sim.add_channel(house.guild, "other")
    await house.until(lambda: house.client.get_channel(other.id))

    await ann.slash(other, "join", channel=house.yard)

    await ann.wait_for_message(other, contains="I have joined")
    assert house.room is not None
    assert getattr(house.room.told_in, "id", None) == other.id


async def test_an_answer_whose_voice_breaks_off_is_written(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.model.answers["How are you?"] = "I am well. I was ill. That is over."
    house.voice.fails_after = len(house.voice.spoken) + 1

    await ann.type(house.chat, f"<@{house.sim.bot.id}> How are you?")
    await ann.wait_for_message(house.chat, contains="That is over.")


async def test_wrong_timings_are_logged_and_not_used(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.storage.guilds.change_guild(
        house.guild.id, lambda guild: replace(guild, timings={"speed": 1.0})
    )
    ann = await house.person("Ann")
    await house.enter(ann)

    begun = await house.say(ann, "How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    assert house.room is not None
    assert house.room._conversation_options().follow_up_s == ConversationOptions().follow_up_s
    assert "the timings of a guild are not used" in caplog.text


async def test_nothing_is_kept_where_nothing_is_to_be_kept(house: House) -> None:
    await house.storage.guilds.change_guild(
        house.guild.id, lambda guild: replace(guild, transcript_kept_s=0.0)
    )
    ann = await house.person("Ann")
    greeting = await house.enter(ann)
    assert "not kept" in greeting.content
    begun = await house.say(ann, "How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    await house.quiet(ann)

    assert house.room is not None
    await house.room.flush_transcript()
    assert not await house.storage.transcripts.sessions(house.guild.id)


async def test_settings_that_change_while_it_speaks_do_not_interrupt_it(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.model.answers["How are you?"] = "One. Two. Three. Four. Five."
    begun = await house.say(ann, "How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)

    await house.storage.guilds.change_guild(
        house.guild.id, lambda guild: replace(guild, timings={"follow_up_s": 3.0}, names=("Bob",))
    )
    await house.rooms.refresh(house.guild.id)
    await house.quiet(ann)

    session = house.room._session if house.room is not None else None
    assert session is not None
    await house.until(lambda: session.history[-1].text.endswith("Five."))


async def test_captions_end_with_their_channel_and_the_conversation_does_not(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    wall = house.sim.add_channel(house.guild, "wall")
    await house.until(lambda: house.client.get_channel(wall.id))
    await house.use(ann, "captions", state="on", place=wall)
    await house.say(ann, "How are you?")
    await ann.wait_for_message(wall, contains="Ann")

    house.sim.world.directory.delete_channel(wall.id)
    await house.until(lambda: house.client.get_channel(wall.id) is None)
    await house.quiet(ann)
    begun = await house.say(ann, "And now?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
