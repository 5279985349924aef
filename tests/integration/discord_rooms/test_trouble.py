"""What goes wrong with a voice room leaves nothing behind and is told to people."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from voicemesh_bot.discord_front.rooms import room as room_module
from voicemesh_bot.discord_front.voice_connection import ConnectionOptions
from voicemesh_bot.voice.errors import JoinError, QueueFullError
from voicemesh_chassis.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

OURS = {
    "announcements", "attendance", "captions", "herald", "letters", "listening", "playback",
    "services", "transcript", "voice room", "voice rooms", "voice session", "voice watch",
}  # fmt: skip
"""Names of tasks that belong to rooms."""


def tasks_of_rooms() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()} & OURS


def be_impatient(house: House) -> None:
    """Waits less for Discord than bots should."""
    patience = ConnectionOptions(join_timeout_s=0.6, leave_timeout_s=0.3, watch_s=0.1)
    house.rooms._parts = replace(house.rooms._parts, connection=patience)


def channel(house: House, place: Any) -> Any:
    found = house.client.get_channel(place.id)
    assert found is not None
    return found


async def away(*_: object) -> None:
    raise DatabaseUnavailableError("away")


async def test_who_cannot_come_in_says_why_and_leaves_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await house.person("Ann")
    full = house.sim.add_voice_channel(house.guild, "Closet", user_limit=1)
    await ann.move(full)
    await house.until(lambda: house.client.get_channel(full.id))
    await house.until(lambda: channel(house, full).voice_states)
    assert "Closet is full" in await house.use(ann, "join", channel=full)

    be_impatient(house)
    house.sim.voice.assignment_s = 3.0
    assert "could not join Bench in time" in await house.use(ann, "join", channel=house.bench)

    with monkeypatch.context() as patched:
        patched.setattr(house.storage.guilds, "guild", away)
        assert "cannot reach my memory" in await house.use(ann, "join", channel=house.bench)

    assert house.room is None
    assert not tasks_of_rooms()
    house.sim.voice.assignment_s = 0.02
    await ann.move(house.bench)
    await house.enter(ann)


async def test_who_moves_in_vain_is_gone_and_can_be_asked_again(house: House) -> None:
    be_impatient(house)
    ann = await house.person("Ann")
    await house.enter(ann)
    full = house.sim.add_voice_channel(house.guild, "Closet", user_limit=1)
    ben = await house.person("Ben", inside=False)
    await ben.join(full)
    await house.until(lambda: house.client.get_channel(full.id))
    await house.until(lambda: channel(house, full).voice_states)

    assert "Closet is full" in await house.use(ann, "join", channel=full)
    room = house.room
    assert room is not None
    await house.until(lambda: house.sim.world.directory.channel(house.bench.id).status)

    async def fails(*_: object, **__: object) -> bool:
        raise TimeoutError

    room._connection._moved = fails  # type: ignore[method-assign]
    assert "could not join Yard" in await house.use(ann, "join", channel=house.yard)
    assert house.room is None
    assert not tasks_of_rooms()
    await house.enter(ann)


async def test_a_fault_in_the_conversation_ends_the_room_with_a_sentence(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    room = house.room
    assert room is not None

    def breaks(*_: object) -> None:
        msg = "a fault of ours"
        raise ValueError(msg)

    room._session._conversation.handle = breaks  # type: ignore[assignment, method-assign]
    await house.say(ann, "What is the time?")

    await ann.wait_for_message(house.chat, contains="Something in me broke")
    await house.until(lambda: not tasks_of_rooms())
    assert house.room is None
    assert house.sim.world.calls.state(house.guild.id, house.sim.bot.id) is None


async def test_a_fault_in_the_watch_ends_the_room_with_a_sentence(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    room = house.room
    assert room is not None

    async def breaks(*_: object) -> None:
        msg = "a fault of ours"
        raise ValueError(msg)

    room._connection._tend = breaks  # type: ignore[assignment, method-assign]

    await ann.wait_for_message(house.chat, contains="Something in me broke")
    await house.until(lambda: not tasks_of_rooms())
    assert house.room is None
    assert house.sim.world.calls.state(house.guild.id, house.sim.bot.id) is None


async def test_nobody_is_heard_until_the_database_is_back_and_then_by_itself(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "_RETRY_S", 0.1)
    ann = await house.person("Ann")
    await house.enter(ann)
    with monkeypatch.context() as patched:
        patched.setattr(house.storage.people, "consent", away)
        with pytest.raises(DatabaseUnavailableError):
            await house.rooms.refresh(house.guild.id)
        ben = await house.person("Ben")
        await house.say(ann, "What is the time?")
        await house.say(ben, "What is the time?")
        assert house.ears.packets == 0
        assert not house.model.asked
    assert house.room is not None

    def all_are_heard() -> bool:
        return house.room is not None and house.room._people.hears(ben.id)

    await house.until(all_are_heard)
    house.ears.words.clear()
    await house.say(ann, "What is the time?")
    await house.until(lambda: house.ears.packets)


async def test_what_was_decided_while_the_database_went_holds_when_it_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "_RETRY_S", 0.1)
    ann = await house.person("Ann")
    await house.enter(ann)
    await house.storage.guilds.change_guild(
        house.guild.id, lambda guild: replace(guild, listen=False, transcript_kept_s=0.0)
    )
    with monkeypatch.context() as patched:
        patched.setattr(house.storage.guilds, "guild", away)
        with pytest.raises(DatabaseUnavailableError):
            await house.rooms.refresh(house.guild.id)

    room = house.room
    assert room is not None
    await house.until(lambda: not room.is_listening)
    await house.until(lambda: room._keeper.kept_s == 0)
    await house.say(ann, "What is the time?")
    assert house.ears.packets == 0


async def test_all_rooms_close_within_seconds_with_discord_out_of_reach(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.sim.rest.delay_s = 60.0
    house.sim.gateway.delay_s = 60.0

    async with asyncio.timeout(9):
        await house.rooms.aclose()

    assert house.room is None
    assert not tasks_of_rooms()
    with pytest.raises(JoinError, match="about to stop"):
        await house.rooms.join(channel(house, house.bench))
    house.sim.rest.delay_s = house.sim.gateway.delay_s = 0.0


async def test_people_who_all_want_something_else_get_the_last_of_it(house: House) -> None:
    ann = await house.person("Ann")
    bench, yard = channel(house, house.bench), channel(house, house.yard)
    rooms, guild_id = house.rooms, house.guild.id

    done = await asyncio.gather(
        rooms.join(bench),
        rooms.leave(guild_id),
        rooms.join(yard),
        rooms.join(bench),
        rooms.leave(guild_id),
        rooms.leave(guild_id),
        rooms.join(yard),
        return_exceptions=True,
    )

    assert not [each for each in done if isinstance(each, BaseException)]
    assert done.count(True) == 2
    assert rooms.channel_id(guild_id) == yard.id
    await ann.move(house.yard)
    await house.sim.wait_until_in_voice(house.guild)
    await rooms.leave(guild_id)
    assert not tasks_of_rooms()


async def test_who_is_told_to_leave_does_so_though_nobody_waits(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    leaving = asyncio.create_task(house.rooms.leave(house.guild.id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()

    await house.until(lambda: not tasks_of_rooms())
    assert house.room is None
    assert house.sim.world.calls.state(house.guild.id, house.sim.bot.id) is None


async def test_there_are_never_more_rooms_than_allowed(house: House) -> None:
    other = house.sim.add_guild("Elsewhere")
    hall = house.sim.add_voice_channel(other, "Hall")
    await house.until(lambda: house.client.get_channel(hall.id))
    house.rooms._most_rooms = 1

    done = await asyncio.gather(
        house.rooms.join(channel(house, house.bench)),
        house.rooms.join(channel(house, hall)),
        return_exceptions=True,
    )

    refusals = [each for each in done if isinstance(each, JoinError)]
    assert len(refusals) == 1
    assert "as many voice channels as I can" in str(refusals[0])
    await house.rooms.join(channel(house, house.yard))  # It may still move.


async def test_too_much_to_say_is_refused_and_stop_ends_what_is_being_made(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    room = house.room
    assert room is not None
    house.voice.pause = asyncio.Event()
    saying = [asyncio.create_task(room.say("One. Two. Three.")) for _ in range(16)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError):
        await room.say("One more.")

    begun = asyncio.get_running_loop().time()
    await ann.wait_for_sound(house.sim.bot.id)
    await room.stop()
    house.voice.pause.set()
    await asyncio.gather(*saying)
    await house.quiet(ann)
    heard = ann.heard(house.sim.bot.id, since=begun).audible()
    assert len(heard) < 3 * 0.4 * 50  # Less than one of the sixteen.


@pytest.mark.parametrize("how", ["another region", "a resume"])
async def test_a_connection_made_anew_keeps_the_conversation(house: House, how: str) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    room = house.room
    await house.say(ann, "My cat is called Tom.")
    await ann.wait_for_sound(house.sim.bot.id)
    await house.quiet(ann)

    if how == "another region":
        await house.sim.voice.change_region(house.guild.id)
    else:
        await house.sim.voice.drop(house.guild.id, house.sim.bot.id, 4015)
    await house.sim.wait_until_in_voice(house.guild)
    await house.until(lambda: room is not None and room._connection.is_connected)
    await house.sim.wait_until_in_voice(house.guild)

    begun = await house.say(ann, "What is my cat called?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    assert house.room is room
    assert "Ann: My cat is called Tom." in house.model.asked[-1]
