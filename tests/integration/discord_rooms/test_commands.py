"""What commands understand, whom they obey, and what they say when they do not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from discordsim import Channel, Message, NotOfferedError, Person
from discordsim.domain import Overwrite
from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_chassis.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House
    from voicemesh_bot.guilds import GuildVoice

pytestmark = pytest.mark.integration

MANAGE_GUILD = 1 << 5
SEND_MESSAGES = 1 << 11
CONNECT = 1 << 20


def deny(house: House, channel: Channel, person: Person, permission: int) -> None:
    """Takes a permission from somebody in a channel."""
    overwrite = Overwrite(person.id, is_role=False, deny=permission)
    house.sim.world.directory.change_channel(channel.id, overwrites=(overwrite,))


def is_newer(message: Message, *, than: int) -> bool:
    return message.id > than


async def decided(house: House) -> GuildVoice:
    return await house.storage.guilds.guild(house.guild.id)


async def test_channels_and_people_are_named_as_people_write_them(house: House) -> None:
    house.sim.add_channel(house.guild, "bench")  # Text, of nearly the same name.
    garden = house.sim.add_voice_channel(house.guild, "Rose Garden")
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)

    assert f"<#{garden.id}>" in await house.type(boss, "!autojoin rose garden")
    assert f"<#{house.bench.id}>" in await house.type(boss, f"!AutoJoin <#{house.bench.id}>")
    assert f"<#{house.bench.id}>" in await house.type(boss, "! autojoin Bench")
    assert boss.mention in await house.type(boss, f"!follow {boss.mention}")

    guild = await decided(house)
    assert guild.auto_join_channel_id == house.bench.id
    assert guild.follow_user_id == boss.id


async def test_off_is_off_in_both_forms(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    for form in ("!", "/"):
        await house.use(boss, "autojoin", channel=house.yard)
        await house.use(boss, "follow", member=boss)
        await house.use(boss, "leavewhenempty", seconds=60)
        assert (await decided(house)).leave_when_empty_s == 60
        for name in ("autojoin", "follow", "leavewhenempty"):
            if form == "!":
                await house.type(boss, f"!{name} OFF")
            else:
                await house.use(boss, name)

        guild = await decided(house)
        assert guild.auto_join_channel_id is None
        assert guild.follow_user_id is None
        assert guild.leave_when_empty_s is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("!autojoin nowhere", "I know no voice channel 'nowhere'"),
        ("!autojoin chat", "I know no voice channel 'chat'"),
        ("!follow nobody", "I know nobody called 'nobody'"),
        ("!leavewhenempty soon", "a number of seconds from 1 to 86400, or off"),
        ("!leavewhenempty 0", "a number of seconds from 1 to 86400, or off"),
        ("!timing follow_up_s soon", "I do not understand all"),
        ("!captions on nowhere", "I know no text channel or thread 'nowhere'"),
        ("!names 1234", "a name has two letters or more"),
    ],
)
async def test_what_is_not_understood_changes_nothing(
    house: House, text: str, sentence: str
) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    await house.use(boss, "autojoin", channel=house.yard)
    await house.use(boss, "follow", member=boss)
    await house.use(boss, "leavewhenempty", seconds=60)
    await house.use(boss, "timing", name="follow_up_s", seconds=2.0)
    before = await decided(house)

    assert sentence in await house.type(boss, text)

    assert await decided(house) == before


async def test_a_join_of_a_channel_that_is_not_there_joins_none(house: House) -> None:
    ann = await house.person("Ann")

    assert "I know no voice channel 'Kitchen'" in await house.type(ann, "!join Kitchen")

    assert house.room is None


async def test_wrong_words_are_told_the_right_ones(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    await house.enter(ann)

    assert "it is on or off" in await house.type(ann, "!listen maybe")
    assert "it is txt or srt or json" in await house.type(ann, "!transcript pdf")
    assert "it is me or everyone" in await house.type(ann, "!language de us")
    assert "Something is missing after the command: text" in await house.type(ann, "!say")
    assert "I do not understand all" in await house.type(ann, "!leave now")
    assert house.room is not None
    assert "I listen to nobody" in await house.type(ann, "!listen OFF")


async def test_a_no_is_a_no_however_it_is_written(house: House) -> None:
    ann = await house.person("Ann")

    assert "it is yes or no" in await house.type(ann, "!consent nein")
    assert "You have agreed" in await house.type(ann, "!consent")
    assert "I do not listen to you" in await house.type(ann, "!consent No")

    known = await house.storage.people.consent(house.guild.id, ann.id)
    assert known is not None
    assert not known.given


async def test_in_direct_messages_it_says_where_commands_work(house: House) -> None:
    ann = await house.person("Ann")
    direct = ann.direct_messages(house.sim.bot.id)

    for text in ("!join", "!join Bench", "!say hello", "!consent yes", "!transcript", "!autojoin"):
        typed = await ann.type(direct, text)
        reply = await ann.wait_for_message(
            direct, author=house.sim.bot.id, where=partial(is_newer, than=typed.id)
        )
        assert "in a server only" in reply.content
    with pytest.raises(NotOfferedError):
        await ann.slash(direct, "join")


async def test_slash_commands_about_the_server_are_offered_to_managers_only(house: House) -> None:
    ann = await house.person("Ann")

    for name in ("autojoin", "follow", "leavewhenempty", "names", "timing"):
        with pytest.raises(NotOfferedError):
            await ann.slash(house.chat, name)
    refusal = "Only people who may manage"
    assert refusal in await house.use(ann, "voice", voice="piper:amy", whom="everyone")
    assert refusal in await house.use(ann, "language", language="de", whom="everyone")


async def test_managers_choose_for_everyone_and_default_takes_it_back(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)

    assert "everyone by piper:amy" in await house.type(boss, "!voice piper:amy everyone")
    assert "everyone to speak de" in await house.use(
        boss, "language", language="de", whom="everyone"
    )
    guild = await decided(house)
    assert (guild.voice, guild.language_code) == ("piper:amy", "de")
    assert "Everyone's voice: piper:amy" in await house.use(boss, "voice")

    await house.use(boss, "voice", voice="Default", whom="everyone")
    await house.use(boss, "language", language="default", whom="everyone")
    guild = await decided(house)
    assert (guild.voice, guild.language_code) == ("", "")


async def test_voices_are_suggested_and_told_also_while_none_can_be_asked_for(
    house: House,
) -> None:
    ann = await house.person("Ann")

    async def suggested(text: str) -> list[object]:
        typing = await ann.suggestions(house.chat, "voice", "voice", text)
        return [value for _, value in await typing.choices()]

    assert await suggested("") == ["default", "piper:joe", "piper:amy"]
    assert await suggested("AMY") == ["piper:amy"]
    assert "`piper:joe`, `piper:amy`" in await house.use(ann, "voice")

    house.voice.is_down = True
    assert await suggested("") == ["default"]
    shown = await house.use(ann, "voice")
    assert "Your voice: that of everyone" in shown
    assert "cannot reach" in shown


async def test_who_is_nowhere_or_may_not_enter_calls_it_nowhere(house: House) -> None:
    ben = await house.person("Ben", inside=False)
    carl = await house.person("Carl")
    cellar = house.sim.add_voice_channel(house.guild, "Cellar")
    deny(house, cellar, carl, CONNECT)

    assert "Go into a voice channel first" in await house.use(ben, "join", channel=house.yard)
    assert "You may not go into" in await house.use(carl, "join", channel=cellar)
    assert house.room is None

    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    assert "I am in" in await house.use(boss, "join", channel=house.yard)


async def test_it_is_not_called_away_from_a_conversation_by_others(house: House) -> None:
    ann, ben = await house.person("Ann"), await house.person("Ben", inside=False)
    await house.enter(ann)
    await ben.join(house.yard)

    assert "I am with others" in await house.use(ben, "join")
    assert house.rooms.channel_id(house.guild.id) == house.bench.id

    await ann.leave()
    await house.until(lambda: house.room is not None and len(house.room.channel.members) == 1)
    assert "I am in" in await house.use(ben, "join")
    assert house.rooms.channel_id(house.guild.id) == house.yard.id


async def test_captions_go_only_where_who_wants_them_may_write(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    news = house.sim.add_channel(house.guild, "news")
    deny(house, news, ann, SEND_MESSAGES)

    assert "You may not write in" in await house.use(ann, "captions", state="on", place=news)
    assert not (await decided(house)).captions

    thread = house.sim.world.threads.open(house.sim.bot.id, house.chat, "captions")
    assert f"<#{thread.id}>" in await house.type(ann, f"!captions on <#{thread.id}>")
    assert (await decided(house)).captions_channel_id == thread.id


async def test_managers_decide_without_being_there(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    ben = await house.person("Ben", inside=False)

    assert "nobody" in await house.use(boss, "listen", state="off")
    assert not (await decided(house)).listen
    assert "no voice channel" in await house.use(ben, "listen", state="on")
    assert "no voice channel" in await house.use(ben, "captions", state="on")
    assert not (await decided(house)).listen


async def test_a_transcript_is_for_those_who_may_be_there(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    begun = await house.say(ann, "How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    await house.quiet(ann)
    await house.use(ann, "leave")
    ben = await house.person("Ben", inside=False)
    deny(house, house.bench, ben, CONNECT)

    assert "Nothing that was said is kept" in await house.use(ben, "transcript")
    used = await ann.slash(house.chat, "transcript")
    assert b"How are you?" in (await used.response()).attachments[0].content


async def test_what_goes_wrong_is_one_sentence(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    assert house.room is not None

    def fails(error: Exception) -> Any:
        async def fail(*_: object, **__: object) -> None:
            raise error

        return fail

    full = "Too much waits to be said already."
    monkeypatch.setattr(house.room, "say", fails(QueueFullError(full)))
    assert await house.use(ann, "say", text="Hello.") == full
    monkeypatch.setattr(house.room, "flush_transcript", fails(DatabaseUnavailableError("gone")))
    assert "cannot reach my memory" in await house.type(ann, "!transcript")
    monkeypatch.setattr(house.room, "stop", fails(ZeroDivisionError("secret")))
    for answer in (await house.use(ann, "stop"), await house.type(ann, "!stop")):
        error_id = answer.partition("(error ")[2].partition(")")[0]
        assert len(error_id) == 8
        assert error_id in caplog.text
        assert "secret" not in answer


async def test_replies_mention_nobody(house: House) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    ann = await house.person("Ann", inside=False)

    typed = await boss.type(house.chat, f"!follow {ann.mention}")
    reply = await boss.wait_for_message(
        house.chat, author=house.sim.bot.id, where=lambda message: message.id > typed.id
    )

    assert ann.mention in reply.content
    assert not reply.mention_ids
