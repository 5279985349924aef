"""An unmodified discord.py bot, as a process of its own, finds everything that it expects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from discordsim import (
    BotProcess,
    BotProcessError,
    File,
    InteractionLimits,
    NoResponseError,
    NotOfferedError,
    NotSeenError,
    Overwrite,
    Permission,
)

pytestmark = pytest.mark.integration


@pytest.fixture
async def bot(town: Any, start_bot: Callable[..., BotProcess]) -> AsyncIterator[BotProcess]:
    async with start_bot("everything") as running:
        await town.sim.wait_until(town.sim.commands)
        yield running


@pytest.mark.usefixtures("bot")
class TestText:
    async def test_it_hears_what_is_written_and_edits_its_answer(self, town: Any) -> None:
        question = await town.ann.type(town.text, "!grow")

        answer = await town.ann.wait_for_message(town.text, contains="three")

        assert answer.content == "one two three"
        assert answer.reply_to == question.id
        assert answer.author_id == town.bot.id
        assert answer.edited_time is not None

    async def test_it_reads_files_that_people_upload(self, town: Any, tmp_path: Path) -> None:
        path = tmp_path / "first note.txt"
        path.write_text("from disk")

        await town.ann.upload(town.text, path, File("b.txt", b"from memory"), text="!read")

        answer = await town.ann.wait_for_message(town.text)
        assert answer.content == "from disk and from memory"

    async def test_it_reads_the_history_newest_first(self, town: Any) -> None:
        for text in ("a", "b", "!history"):
            await town.ann.type(town.text, text)

        assert (await town.ann.wait_for_message()).content == "!history < b < a"

    async def test_it_is_told_of_edits_deletions_and_reactions(self, town: Any) -> None:
        message = await town.ann.type(town.text, "helo")
        await town.ann.edit(message, "hello")
        assert (await town.ann.wait_for_message()).content == "was 'helo', is 'hello'"

        await town.ben.react(message, "👍")
        seen = await town.ann.wait_for_change(
            message, lambda now: len(now.reactions[0].user_ids) > 1
        )
        assert set(seen.reactions[0].user_ids) == {town.ben.id, town.bot.id}

        await town.ann.delete(message)
        assert (await town.ann.wait_for_message()).content == "gone: 'hello'"

    async def test_it_opens_a_thread(self, town: Any) -> None:
        message = await town.ann.type(town.text, "!thread")

        answer = await town.ann.wait_for_message(contains="in here")

        thread = town.sim.world.directory.channel(answer.channel_id)
        assert (thread.name, thread.parent_id, thread.id) == ("talk", town.text.id, message.id)

    async def test_direct_messages_reach_it(self, town: Any) -> None:
        place = town.ann.direct_messages(town.bot.id)

        await town.ann.type(place, "!history")

        assert (await town.ann.wait_for_message(place)).content == "!history"

    async def test_it_is_refused_what_discord_refuses(self, town: Any) -> None:
        await town.ann.type(town.text, "!long")

        answer = await town.ann.wait_for_message()

        assert answer.content.startswith("400 50035: Invalid Form Body")
        assert "Must be 2000 or fewer in length." in answer.content

    async def test_it_is_refused_what_it_may_not(self, town: Any) -> None:
        everybody = Overwrite(town.guild.id, is_role=True, deny=Permission.SEND_MESSAGES)
        town.sim.add_channel(town.guild, "secret", overwrites=(everybody,))

        await town.ann.type(town.text, "!secret")

        assert (await town.ann.wait_for_message()).content == "403 50013: Missing Permissions"

    async def test_it_knows_all_members(self, town: Any) -> None:
        town.sim.add_person("Zoe", town.guild)

        await town.ann.type(town.text, "!members")

        assert (await town.ann.wait_for_message()).content == "Ann, Ben, Zoe, owner of Workshop"

    async def test_it_is_told_who_is_in_voice(self, town: Any) -> None:
        await town.ann.join(town.voice)
        assert (await town.ben.wait_for_message()).content == "Ann is in Bench"

        await town.ann.leave()
        assert (await town.ben.wait_for_message()).content == "Ann is in nowhere"


@pytest.mark.usefixtures("bot")
class TestInteractions:
    async def test_a_slash_command_with_a_group_is_answered_to_one_person(self, town: Any) -> None:
        use = await town.ann.slash(town.text, "config level", number=3)

        answer = await use.response()

        assert answer.content == "level 3"
        assert answer.is_ephemeral
        assert answer in town.ann.messages(town.text)
        assert answer not in town.ben.messages(town.text)

    async def test_an_answer_may_be_deferred_edited_and_followed_up(self, town: Any) -> None:
        use = await town.ann.slash(town.text, "slow", text="this")

        assert (await use.response()).content == "first this"
        await town.ben.wait_for_message(contains="then this")
        assert [message.content for message in use.messages()] == ["first this", "then this"]

    async def test_people_and_files_are_options(self, town: Any) -> None:
        use = await town.ann.slash(town.text, "who", person=town.ben, file=File("x.bin", b"12345"))

        answer = await use.response()

        assert answer.content == "Ben, 5 bytes"
        assert answer.attachments[0].content == b"about"

    async def test_options_complete_themselves(self, town: Any) -> None:
        use = await town.ann.suggestions(town.text, "fruit", "name", "ap")

        assert await use.choices() == (("Apple", "apple"), ("Apricot", "apricot"))

    async def test_buttons_change_their_message_or_answer_alone(self, town: Any) -> None:
        await town.ann.type(town.text, "!ask")
        message = await town.ann.wait_for_message(contains="Shall we")

        later = await (await town.ben.click(message, "Later")).response()
        assert later.visible_to == town.ben.id

        changed = await (await town.ben.click(message, "Yes")).response()
        assert changed.id == message.id
        assert changed.content == "Ben said yes"
        with pytest.raises(NotOfferedError, match="greyed out"):
            await town.ann.click(message, "Yes")

    async def test_menus_are_picked_from(self, town: Any) -> None:
        await town.ann.type(town.text, "!ask")
        message = await town.ann.wait_for_message()

        use = await town.ann.pick(message, "Colour", "blue")

        assert (await use.response()).content == "you like blue"
        with pytest.raises(NotOfferedError, match="offers red, blue"):
            await town.ann.pick(message, "Colour", "green")

    async def test_forms_are_filled_in(self, town: Any) -> None:
        form = await (await town.ann.slash(town.text, "survey")).form()
        assert form.title == "Survey"

        use = await town.ann.submit(form, {"How was it?": "fine"})

        assert (await use.response()).content == "noted: fine"
        with pytest.raises(NotOfferedError, match="1 to 20 characters"):
            await town.ann.submit(form, {"How was it?": "x" * 21})

    async def test_the_menu_of_a_message_has_commands(self, town: Any) -> None:
        message = await town.ben.type(town.text, "quiet")

        use = await town.ann.use_on(message, "Shout", town.text)

        assert (await use.response()).content == "QUIET"

    async def test_what_is_not_offered_cannot_be_used(self, town: Any) -> None:
        with pytest.raises(NotOfferedError, match="there is: config, fruit"):
            await town.ann.slash(town.text, "nothing")
        with pytest.raises(NotOfferedError, match="needs a subcommand: level"):
            await town.ann.slash(town.text, "config")
        with pytest.raises(NotOfferedError, match="must be from 1 to 5"):
            await town.ann.slash(town.text, "config level", number=9)
        with pytest.raises(NotOfferedError, match="'text' is required"):
            await town.ann.slash(town.text, "slow")


@pytest.mark.usefixtures("bot")
class TestTrouble:
    async def test_it_resumes_after_a_broken_connection_and_misses_nothing(
        self, town: Any, bot: BotProcess
    ) -> None:
        town.sim.gateway.close(4000)
        await town.ann.type(town.text, "!grow")

        await town.ann.wait_for_message(contains="three")
        assert "resumed" in bot.output

    @pytest.mark.parametrize("how", ["reconnect", "invalid"])
    async def test_it_comes_back_when_discord_asks_for_it(self, town: Any, how: str) -> None:
        if how == "reconnect":
            town.sim.gateway.ask_to_reconnect()
        else:
            town.sim.gateway.invalidate(resumable=False)
        await town.sim.wait_until_offline()

        await town.sim.wait_until_ready()
        await town.ann.type(town.text, "!grow")
        await town.ann.wait_for_message(contains="three")

    async def test_it_waits_when_it_is_limited_and_tries_again_after_errors(
        self, town: Any
    ) -> None:
        town.sim.rest.limit("POST */messages", retry_after_s=0.1, times=2)
        town.sim.rest.fail("PATCH */messages/*", status=502)

        await town.ann.type(town.text, "!grow")

        await town.ann.wait_for_message(contains="three")
        assert "429" in town.sim.transcript.render()
        assert "502" in town.sim.transcript.render()


@pytest.mark.discord_sim(limits=InteractionLimits(first_answer_s=0.2))
async def test_a_bot_that_does_not_respond_is_named(town: Any, bot: BotProcess) -> None:
    use = await town.ann.slash(town.text, "silent")

    with pytest.raises(NoResponseError, match=r"Bot did not respond within 0.2 s to /silent"):
        await use.response()
    assert bot.returncode is None


async def test_what_does_not_come_says_what_came_instead(town: Any, bot: BotProcess) -> None:
    await town.ann.type(town.text, "!history")

    with pytest.raises(NotSeenError, match="unread instead: '!history'"):
        await town.ann.wait_for_message(contains="something else", timeout_s=0.5)
    assert bot.returncode is None


async def test_a_bot_that_ends_shows_its_last_words(
    town: Any, start_bot: Callable[..., BotProcess]
) -> None:
    with pytest.raises(BotProcessError, match="Improper token"):
        async with start_bot("everything", environment={"DISCORD_TOKEN": "wrong"}):
            pass
    assert "401" in town.sim.transcript.render()
