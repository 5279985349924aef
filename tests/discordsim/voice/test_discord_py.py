"""An unmodified discord.py 2.7.1 in a call with people, end-to-end encrypted."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import discord
import pytest

from discordsim.people.encryption import SILENCE
from discordsim.people.speech import Speech

if TYPE_CHECKING:
    from tests.discordsim.voice.conftest import DiscordPy, Eventually, Stage

pytestmark = pytest.mark.integration

GUILD, CHANNEL, OTHER_CHANNEL = 900_010, 900_020, 900_021
BOT, ALICE, BORIS = 800_001, 700_001, 700_002


class Packets(discord.AudioSource):
    """Opus packets, one after the other."""

    def __init__(self, speech: Speech) -> None:
        self._left = iter(speech.packets)

    def read(self) -> bytes:
        return next(self._left, b"")

    def is_opus(self) -> bool:
        return True


async def play(bot: DiscordPy, speech: Speech) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    bot.voice.play(Packets(speech), after=lambda _: loop.call_soon_threadsafe(done.set))
    await asyncio.wait_for(done.wait(), 10)


async def test_a_bot_hears_every_packet_that_a_person_says(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)

    said = await alice.speak(tone)

    assert said.is_whole
    await eventually(lambda: len(bot.received) == len(tone.packets) + 5)
    assert bot.heard() == list(tone.packets)
    assert [each.opus for each in bot.received[-5:]] == [SILENCE] * 5
    assert bot.received[0].frame.endswith(b"\xfa\xfa")
    assert alice.privacy_code == bot.voice.voice_privacy_code


async def test_a_person_hears_every_packet_that_a_bot_plays(stage: Stage, tone: Speech) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()

    await play(bot, tone)
    await alice.wait_for_quiet(BOT, for_s=0.2)

    heard = alice.heard(BOT)
    assert [frame.opus for frame in heard.frames] == [*tone.packets, *[SILENCE] * 5]
    assert alice.unreadable == 0


async def test_people_who_come_and_go_are_heard_only_by_who_is_there(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    alice, boris = stage.person(ALICE), stage.person(BORIS)
    await server.join_person(alice, GUILD, CHANNEL)
    bot = await stage.bot(server)
    await server.join_person(boris, GUILD, CHANNEL)

    await asyncio.gather(alice.speak(tone), boris.speak(tone))
    await eventually(lambda: len(bot.heard()) == 2 * len(tone.packets))
    assert set(bot.users.values()) == {ALICE, BORIS}

    await server.leave_person(boris)
    await alice.wait_for(lambda voice: voice.epoch >= 3, what="an epoch without Boris")
    before = len(boris.heard(ALICE).frames)
    await alice.speak(tone)
    await eventually(lambda: len(bot.heard()) == 3 * len(tone.packets))
    assert len(boris.heard(ALICE).frames) == before
    assert 13 in bot.opcodes()


async def test_who_is_left_alone_begins_a_new_group_with_the_next(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice, boris = stage.person(ALICE), stage.person(BORIS)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()
    await server.leave_person(alice)
    await eventually(lambda: 24 in bot.opcodes())

    await server.join_person(boris, GUILD, CHANNEL)
    said = await boris.speak(tone)

    assert said.is_whole
    await eventually(lambda: bot.heard() == list(tone.packets))
    assert boris.epoch == 1


@pytest.mark.parametrize("commit_delay_s", [0.0, 0.3])
async def test_whoever_commits_first_all_end_in_one_group(
    stage: Stage, tone: Speech, eventually: Eventually, commit_delay_s: float
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    people = [stage.person(ALICE + index, commit_delay_s=commit_delay_s) for index in range(4)]
    for person in people:
        await server.join_person(person, GUILD, CHANNEL)

    await asyncio.gather(*(person.speak(tone) for person in people))

    await eventually(lambda: len(bot.heard()) == 4 * len(tone.packets))
    assert {person.privacy_code for person in people} == {bot.voice.voice_privacy_code}
    assert sum(person.unreadable for person in people) == 0


async def test_a_damaged_commit_is_recovered_from(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice, boris = stage.person(ALICE), stage.person(BORIS)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()
    server.corrupt_next_commit(GUILD, CHANNEL, BOT)
    await server.join_person(boris, GUILD, CHANNEL)

    await eventually(lambda: any("starts anew" in line for line in stage.lines))
    await boris.wait_for(lambda voice: voice.epoch == 3 and voice.is_ready)
    said = await boris.speak(tone)

    assert said.is_whole
    await eventually(lambda: bot.heard() == list(tone.packets))


async def test_a_call_goes_on_without_encryption_and_with_it_again(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()

    await server.set_dave_version(GUILD, CHANNEL, 0)
    await alice.wait_for(lambda voice: voice.dave_executed == 0)
    await eventually(lambda: bot.voice._connection.dave_protocol_version == 0)
    await alice.speak(tone)
    await eventually(lambda: len(bot.heard()) == len(tone.packets))
    assert not any(each.frame.endswith(b"\xfa\xfa") for each in bot.received)
    await play(bot, tone)
    await alice.wait_for_quiet(BOT, for_s=0.2)
    assert len(alice.heard(BOT).audible()) >= len(tone.packets)

    bot.received.clear()
    await server.set_dave_version(GUILD, CHANNEL, 1)
    await alice.wait_for(lambda voice: voice.dave_executed == 1 and voice.is_ready)
    await alice.speak(tone)
    await eventually(lambda: bot.heard() == list(tone.packets))
    assert bot.received[0].frame.endswith(b"\xfa\xfa")


async def test_a_region_change_takes_all_to_another_server(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    first, second = await stage.server(), await stage.server()
    bot = await stage.bot(first)
    alice = stage.person(ALICE)
    await first.join_person(alice, GUILD, CHANNEL)
    await alice.speak(tone)
    await eventually(lambda: len(bot.heard()) == len(tone.packets))
    key = bytes(bot.voice.secret_key)
    bot.received.clear()

    await second.join_person(alice, GUILD, CHANNEL)
    bot.admit(CHANNEL, second)
    await eventually(lambda: second.is_connected(GUILD, BOT))
    await alice.wait_for(lambda voice: voice.epoch == 1 and voice.is_ready)
    said = await alice.speak(tone)

    assert said.is_whole
    await eventually(lambda: bot.heard() == list(tone.packets))
    assert bytes(bot.voice.secret_key) != key
    assert not first.is_connected(GUILD, BOT)


async def test_a_bot_that_is_moved_is_in_the_other_call(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, OTHER_CHANNEL)

    await server.move(GUILD, BOT, OTHER_CHANNEL)
    bot.admit(OTHER_CHANNEL)
    await eventually(lambda: BOT in server.call(GUILD, OTHER_CHANNEL).user_ids)
    await alice.wait_for(lambda voice: voice.epoch == 1 and voice.is_ready)
    await alice.speak(tone)

    await eventually(lambda: bot.heard() == list(tone.packets))
    assert server.call(GUILD, CHANNEL).user_ids == ()


async def test_a_session_that_is_invalid_is_replaced_by_a_new_one(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()
    source = bot.voice.ssrc

    await server.drop(GUILD, BOT, 4006)
    # discord.py's socket reader waits in select up to 30 s for the socket that discord.py closes
    # meanwhile, before it looks at the new one; this ends its waiting.
    bot.voice._connection.socket.shutdown(socket.SHUT_RD)
    await eventually(lambda: bot.voice.is_connected() and bot.voice.ssrc != source)
    await alice.wait_for(lambda voice: voice.epoch == 1 and voice.is_ready)
    await alice.speak(tone)

    await eventually(lambda: bot.heard() == list(tone.packets))


async def test_discord_py_resumes_after_a_crash_of_the_server_and_misses_nothing(
    stage: Stage, eventually: Eventually
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice, boris = stage.person(ALICE), stage.person(BORIS)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()
    bot.voice._connection.timeout = 1.0
    bot.server_update_first = True  # in the other order discord.py waits until its time is over

    await server.drop(GUILD, BOT, 4015)
    await server.join_person(boris, GUILD, CHANNEL)
    came = (11, {"user_ids": [str(BORIS)]})
    await eventually(lambda: 9 in bot.opcodes() and came in bot.messages)

    assert bot.messages.index(came) > bot.opcodes().index(9)
    # It goes on with the group, but waits for a session description that a resumed session does
    # not get: an owner of its client has to connect anew.
    await boris.wait_for(lambda voice: voice.is_ready and voice.epoch == 2)
    assert not bot.voice.is_connected()


@pytest.mark.parametrize("code", [4014, 4021, 4022])
async def test_a_bot_that_is_put_out_leaves_the_call(
    stage: Stage, eventually: Eventually, code: int
) -> None:
    server = await stage.server()
    bot = await stage.bot(server)
    alice = stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.wait_until_ready()

    bot.server.dismiss(GUILD, BOT)
    await server.drop(GUILD, BOT, code)
    bot.tell_state(None)

    await eventually(lambda: not bot.client.voice_clients)
    assert server.call(GUILD, CHANNEL).user_ids == (ALICE,)
    await alice.wait_for(lambda voice: voice.epoch == 0, what="a group that begins anew")
