"""What people see and do, without a bot."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from discordsim import (
    File,
    MessageFlag,
    NotOfferedError,
    NotSeenError,
    Overwrite,
    Permission,
    RefusedError,
)

pytestmark = pytest.mark.integration


async def test_what_came_before_the_wait_is_found_once(town: Any) -> None:
    await town.ann.type(town.text, "one")
    await town.ann.type(town.text, "two")

    assert (await town.ben.wait_for_message(contains="TWO")).content == "two"
    assert (await town.ben.wait_for_message()).content == "one"
    with pytest.raises(NotSeenError, match=r"Ben waiting for a message: not within 0.05 s"):
        await town.ben.wait_for_message(timeout_s=0.05)


async def test_ones_own_and_other_channels_messages_are_not_waited_for(town: Any) -> None:
    other = town.sim.add_channel(town.guild, "other")
    await town.ann.type(town.text, "mine")
    await town.ben.type(other, "elsewhere")
    waiting = asyncio.create_task(town.ann.wait_for_message(town.text, author=town.ben))

    await town.ben.type(town.text, "here")

    assert (await waiting).content == "here"


async def test_what_nobody_shows_them_is_not_seen(town: Any) -> None:
    hidden = town.sim.add_channel(
        town.guild,
        "hidden",
        overwrites=(Overwrite(town.ben.id, is_role=False, deny=Permission.VIEW_CHANNEL),),
    )
    await town.ann.type(hidden, "not for Ben")

    with pytest.raises(NotSeenError, match="nothing was written"):
        await town.ben.wait_for_message(timeout_s=0.05)


async def test_deleted_messages_are_not_found_any_more(town: Any) -> None:
    message = await town.ann.type(town.text, "oops")
    await town.ann.delete(message)

    with pytest.raises(NotSeenError):
        await town.ben.wait_for_message(timeout_s=0.05)


async def test_people_are_refused_like_bots(town: Any) -> None:
    with pytest.raises(RefusedError, match="50006"):
        await town.ann.type(town.text, "  ")
    with pytest.raises(RefusedError, match="Must be 2000 or fewer"):
        await town.ann.type(town.text, "x" * 2001)
    with pytest.raises(RefusedError, match="40005"):
        await town.ann.upload(town.text, File("big", bytes(10 * 1024 * 1024 + 1)))


async def test_only_ones_own_messages_are_changed(town: Any) -> None:
    mod = town.sim.add_person("Mod", town.guild, permissions=Permission.MANAGE_MESSAGES)
    message = await town.ann.type(town.text, "mine")

    with pytest.raises(RefusedError, match="50005"):
        await mod.edit(message, "yours")
    with pytest.raises(RefusedError, match="50013"):
        await town.ben.delete(message)
    await mod.delete(message)

    with pytest.raises(RefusedError, match="Unknown Message"):
        await town.ann.edit(message, "gone")


async def test_a_voice_message_has_its_length_and_levels(town: Any, speech: Path) -> None:
    message = await town.ann.send_voice_message(town.text, speech / "jfk.flac")

    (recording,) = message.attachments
    assert message.flags == MessageFlag.IS_VOICE_MESSAGE
    assert recording.duration_s == pytest.approx(11.0, abs=0.1)
    levels = base64.b64decode(recording.waveform)
    assert len(levels) <= 256
    assert max(levels) == 255
    with pytest.raises(RefusedError, match="50162"):
        await town.ann.edit(message, "words")


async def test_commands_need_their_permissions_and_places(town: Any) -> None:
    town.sim.world.commands.overwrite(
        town.bot.id,
        None,
        [
            {"name": "ban", "description": "Ban", "default_member_permissions": "8"},
            {"name": "here", "description": "Only in guilds", "contexts": [0]},
        ],
    )
    boss = town.sim.add_person("Boss", town.guild, permissions=Permission.ADMINISTRATOR)

    with pytest.raises(NotOfferedError, match="there is: here"):
        await town.ann.slash(town.text, "ban")
    with pytest.raises(NotOfferedError, match="there is: ban"):
        await town.ann.slash(town.ann.direct_messages(town.bot.id), "here")
    assert (await boss.slash(town.text, "ban")).interaction.data["name"] == "ban"


async def test_a_guilds_own_command_hides_that_of_all_guilds(town: Any) -> None:
    commands = town.sim.world.commands
    commands.upsert(town.bot.id, None, {"name": "ask", "description": "All"})
    own = commands.upsert(town.bot.id, town.guild.id, {"name": "ask", "description": "Here"})

    use = await town.ann.slash(town.text, "ask")

    assert use.interaction.data["id"] == str(own.id)


async def test_the_same_name_twice_makes_two_users(town: Any) -> None:
    twin = town.sim.add_person("Ann", town.guild)

    assert (twin.user.name, town.ann.user.name) == ("ann_2", "ann")
    assert twin.id != town.ann.id


def test_the_environment_names_everything_a_bot_needs(town: Any) -> None:
    found = town.sim.environment(prefix="MY_BOT_")

    assert set(found) == {
        "DISCORD_TOKEN",
        "MY_BOT_API_URI",
        "MY_BOT_GATEWAY_URI",
        "SSL_CERT_FILE",
    }
    assert Path(found["SSL_CERT_FILE"]).read_text().startswith("-----BEGIN CERTIFICATE")
