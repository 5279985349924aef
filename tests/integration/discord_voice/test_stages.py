"""The bot on a stage: a speaker where it may be one, and else somebody who asks."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from discordsim import Channel, ChannelKind, Overwrite, Permission
from voicemesh_bot.discord_front.voice_connection import VoicePhase

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


def _stage(room: Any, *, allow: int = 0, deny: int = 0) -> Channel:
    """A stage on which everybody may do a little more or less than elsewhere."""
    everybody = Overwrite(room.guild.id, True, allow, deny)
    made: Channel = room.sim.add_channel(
        room.guild, "Agora", ChannelKind.STAGE, overwrites=(everybody,)
    )
    return made


async def _join(room: Any, stage: Channel) -> None:
    await room.until(lambda: room.client.get_channel(stage.id) is not None)
    found = room.client.get_channel(stage.id)
    assert isinstance(found, discord.StageChannel)
    await room.voice.join(found)


def _state(room: Any) -> Any:
    return room.sim.world.calls.state(room.guild.id, room.sim.bot.id)


async def test_a_bot_that_may_becomes_a_speaker_and_again_after_a_loss(room: Any) -> None:
    stage = _stage(room, allow=Permission.MUTE_MEMBERS)

    await _join(room, stage)
    await room.until(lambda: not _state(room).suppress)
    await room.sim.voice.drop(room.guild.id, room.sim.bot.id, 4006)
    await room.until(lambda: room.count(VoicePhase.CONNECTED) == 1)

    await room.until(lambda: not _state(room).suppress)
    assert room.count(VoicePhase.UNHEARD) == 0


async def test_a_bot_that_may_not_asks_to_speak_and_says_so_once(room: Any) -> None:
    await _join(room, _stage(room))

    await room.until(lambda: room.count(VoicePhase.UNHEARD) == 1)

    assert _state(room).suppress
    assert _state(room).asked_to_speak is not None
    assert "until a moderator invites me" in room.statuses[-1].sentence


async def test_a_bot_that_may_not_even_ask_says_what_it_needs(room: Any, tone: Any) -> None:
    stage = _stage(room, deny=Permission.REQUEST_TO_SPEAK)
    ann = room.sim.add_person("Ann", room.guild)
    await ann.join(stage)

    await _join(room, stage)
    await room.until(lambda: room.count(VoicePhase.UNHEARD) == 1)

    assert "Mute Members" in room.statuses[-1].sentence
    assert _state(room).asked_to_speak is None
    await room.until(room.is_in_group)
    await ann.speak(tone)
    await room.until(lambda: room.heard(ann) == list(tone.packets))
