"""Settings of guilds, kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_bot.guilds import GuildVoice, TranscriptLine
from voicemesh_chassis.errors import InvalidArgumentError

pytestmark = pytest.mark.unit

EVERYTHING = GuildVoice(
    guild_id=2**62,
    listen=False,
    auto_join_channel_id=11,
    follow_user_id=12,
    leave_when_empty_s=30.5,
    captions=True,
    captions_channel_id=13,
    transcript_kept_s=0.0,
    names=("Ada", "Ünal Öz", "小爱"),
    language_code="pt-BR",
    voice="piper:en_US-joe-medium",
    timings={"barge_in_s": 0.25},
)


async def test_a_guild_that_decided_nothing_has_the_defaults(stores: Any) -> None:
    assert await stores.guilds.guild(5) == GuildVoice(5)


async def test_every_setting_comes_back_as_it_was_put_in(stores: Any) -> None:
    changed = await stores.guilds.change_guild(EVERYTHING.guild_id, lambda _: EVERYTHING)

    assert changed == EVERYTHING
    assert await stores.guilds.guild(EVERYTHING.guild_id) == EVERYTHING


async def test_settings_of_one_guild_are_not_those_of_another(stores: Any) -> None:
    await stores.guilds.change_guild(1, lambda guild: replace(guild, captions=True))

    assert not (await stores.guilds.guild(2)).captions
    with pytest.raises(ValueError, match="another"):
        await stores.guilds.change_guild(1, lambda _: GuildVoice(2))


async def test_changes_at_the_same_moment_do_not_undo_each_other(stores: Any) -> None:
    names = ("Ada", "Bob", "Cleo", "Dora", "Emil", "Fred")

    def also(name: str) -> Any:
        return lambda guild: replace(guild, names=(*guild.names, name))

    await asyncio.gather(*(stores.guilds.change_guild(3, also(name)) for name in names))

    assert sorted((await stores.guilds.guild(3)).names) == sorted(names)


async def test_a_change_that_is_refused_changes_nothing(stores: Any) -> None:
    await stores.guilds.change_guild(4, lambda guild: replace(guild, language_code="de"))

    with pytest.raises(InvalidArgumentError) as refused:
        await stores.guilds.change_guild(4, lambda guild: replace(guild, language_code="a b"))

    assert refused.value.field == "language_code"
    assert (await stores.guilds.guild(4)).language_code == "de"


async def test_a_guild_that_threw_the_bot_out_leaves_nothing_behind(stores: Any) -> None:
    for guild_id in (1, 2):
        await stores.guilds.change_guild(guild_id, lambda guild: replace(guild, captions=True))
        await stores.people.decide(guild_id, 9, given=True)
        await stores.people.change_person(guild_id, 9, lambda one: replace(one, voice="v"))
        line = TranscriptLine(guild_id, 3, "s", 1, 9, "Ann", "hello", 1.0, 2.0)
        await stores.transcripts.add([line], expire_time=stores.clock.now_s + 60)

    await stores.guilds.delete_guild(1)

    assert await stores.guilds.guild(1) == GuildVoice(1)
    assert await stores.people.consents(1) == ()
    assert (await stores.people.person(1, 9)).voice == ""
    assert await stores.transcripts.lines(1, "s") == ()
    assert (await stores.guilds.guild(2)).captions
    assert len(await stores.people.consents(2)) == 1
    assert len(await stores.transcripts.lines(2, "s")) == 1
