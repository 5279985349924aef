"""Joining, moving and leaving voice, by a bot of discord.py and by people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from discordsim import BotProcess, NotInVoiceError, RefusedError, Speech, VoiceCloseCode
from discordsim.events import VoiceServerGranted

pytestmark = pytest.mark.integration


@pytest.fixture
async def talker(town: Any, start_bot: Callable[..., BotProcess]) -> AsyncIterator[BotProcess]:
    async with start_bot("talker") as running:
        yield running


@pytest.fixture
async def call(town: Any, talker: BotProcess) -> BotProcess:
    """Ann and the bot are in the voice channel, and it plays."""
    await town.ann.join(town.voice)
    await town.ann.type(town.text, "!join")
    await town.ann.wait_for_message(contains="here I am")
    await town.sim.wait_until_in_voice(town.guild)
    await town.ann.wait_for_sound(town.bot.id)
    return talker


@pytest.fixture
def granted(town: Any, call: BotProcess) -> list[VoiceServerGranted]:
    """Where bots are sent to connect for voice after the call has begun."""
    del call
    found: list[VoiceServerGranted] = []
    town.sim.world.events.subscribe(
        lambda event: found.append(event) if isinstance(event, VoiceServerGranted) else None
    )
    return found


async def test_a_bot_joins_and_is_heard_until_it_leaves(town: Any, call: BotProcess) -> None:
    await town.ann.type(town.text, "!leave")
    await town.ann.wait_for_message(contains="bye")

    await town.ann.wait_for_quiet(town.bot.id, for_s=0.3)
    assert town.sim.world.calls.state(town.guild.id, town.bot.id) is None
    assert call.returncode is None


async def test_who_comes_later_hears_it_too_and_is_told_of(town: Any, call: BotProcess) -> None:
    await town.ben.join(town.voice)

    await town.ben.wait_for_sound(town.bot.id)
    said = await town.ben.speak(Speech.silence(0.2))
    assert said.is_whole
    assert call.returncode is None


async def test_a_bot_that_is_moved_speaks_in_the_other_channel(town: Any, call: BotProcess) -> None:
    other = town.sim.add_voice_channel(town.guild, "Yard")
    await town.ben.join(other)

    await town.sim.move(town.bot, other)

    await town.ben.wait_for_sound(town.bot.id)
    assert town.sim.voice.is_connected(town.guild.id, town.bot.id)
    await town.ann.wait_for_quiet(town.bot.id, for_s=0.3)
    assert call.returncode is None


async def test_a_bot_follows_by_itself_and_mutes_without_a_new_connection(
    town: Any, call: BotProcess, granted: list[Any]
) -> None:
    other = town.sim.add_voice_channel(town.guild, "Yard")
    # A packet wakes the reader of discord.py 2.7.1, which would else wait for half a minute for one
    # on the socket that it is about to give up.
    await town.ann.speak(Speech.silence(0.1))
    await town.ann.move(other)

    await town.ann.type(town.text, "!follow")
    await town.ann.wait_for_message(contains="here too")
    await town.ann.wait_for_sound(town.bot.id, since=_now())
    assert len(granted) == 1

    await town.ann.type(town.text, "!mute")
    await town.sim.wait_until(
        lambda: town.sim.world.calls.state(town.guild.id, town.bot.id).self_mute
    )
    await town.ann.wait_for_sound(town.bot.id, since=_now())
    assert len(granted) == 1
    assert call.returncode is None


async def test_a_change_of_region_is_survived(town: Any, call: BotProcess) -> None:
    before = town.sim.voice.server_of(town.guild.id)

    after = await town.sim.voice.change_region(town.guild.id)

    assert after.endpoint != before.endpoint
    await town.sim.wait_until_in_voice(town.guild)
    await town.ann.wait_for_sound(town.bot.id, since=_now())
    assert call.returncode is None


async def test_a_bot_whose_session_is_invalid_asks_for_another(
    town: Any, call: BotProcess, granted: list[Any]
) -> None:
    await town.sim.voice.drop(town.guild.id, town.bot.id, VoiceCloseCode.SESSION_INVALID)

    # That it is in the call again takes discord.py 2.7.1 up to half a minute: its reader waits on
    # the socket that was closed.
    await town.sim.wait_until(lambda: bool(granted), what="a new voice connection")
    assert granted[0].grant.user_id == town.bot.id
    assert call.returncode is None


async def test_a_bot_that_is_thrown_out_is_gone(town: Any, call: BotProcess) -> None:
    await town.sim.disconnect(town.bot, town.guild)

    await town.ann.wait_for_quiet(town.bot.id, for_s=0.3)
    assert not town.sim.voice.is_connected(town.guild.id, town.bot.id)
    assert [state.user_id for state in town.sim.world.calls.in_channel(town.voice.id)] == [
        town.ann.id
    ]
    assert call.returncode is None


async def test_a_full_channel_lets_neither_bots_nor_people_in(
    town: Any, talker: BotProcess
) -> None:
    small = town.sim.add_voice_channel(town.guild, "Closet", user_limit=1)
    await town.ann.join(small)

    with pytest.raises(RefusedError, match="full"):
        await town.ben.join(small)
    await town.ann.type(town.text, "!join")
    await town.ann.wait_for_message(contains="I cannot get in")
    assert "is not let into the voice channel" in town.sim.transcript.render()
    assert talker.returncode is None


async def test_people_move_mute_and_leave(town: Any) -> None:
    other = town.sim.add_voice_channel(town.guild, "Yard")
    with pytest.raises(NotInVoiceError, match="Ann"):
        town.ann.mute()

    await town.ann.join(town.voice)
    town.ann.mute()
    await town.ann.move(other)

    state = town.ann.voice_state
    assert (state.channel_id, state.self_mute) == (other.id, True)
    assert town.ann.voice.muted
    assert town.ann.voice.in_call
    await town.ann.leave()
    assert town.ann.voice_state is None
    assert not town.ann.voice.in_call


async def test_a_deleted_channel_puts_everybody_out(town: Any) -> None:
    await town.ann.join(town.voice)

    town.sim.world.directory.delete_channel(town.voice.id)
    await town.sim.voice.settle()

    assert town.ann.voice_state is None
    assert not town.ann.voice.in_call


async def test_people_of_two_guilds_are_in_one_call_at_a_time(town: Any) -> None:
    elsewhere = town.sim.add_guild("Elsewhere")
    town.sim.world.directory.add_member(elsewhere.id, town.ann.id)
    other = town.sim.add_voice_channel(elsewhere, "Hall")
    await town.ann.join(town.voice)

    await town.ann.join(other)

    assert town.sim.world.calls.in_channel(town.voice.id) == ()
    assert town.ann.voice_state.channel_id == other.id


def _now() -> float:
    return asyncio.get_running_loop().time()
