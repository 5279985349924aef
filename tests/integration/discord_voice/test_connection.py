"""What becomes of the voice connection when it is moved, closed, damaged or taken away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from discordsim import VoiceFaults
from discordsim.voice.udp import AudioSocket
from voicemesh_bot.discord_front.voice_connection import VoicePhase
from voicemesh_bot.voice.errors import JoinError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


async def _hears(room: Any, person: Any, tone: Any) -> None:
    """Whether all that somebody says comes through."""
    await room.until(room.is_in_group, 20)
    room.packets.clear()
    await person.speak(tone)
    await room.until(lambda: room.heard(person) == list(tone.packets))


async def test_a_region_change_is_survived(room: Any, tone: Any) -> None:
    ann = await room.person("Ann")
    await room.join()
    await _hears(room, ann, tone)

    for _ in range(2):  # The second would be taken for a kick, for all that discord.py does.
        server = await room.sim.voice.change_region(room.guild.id)
        await room.until(lambda s=server: s.is_connected(room.guild.id, room.sim.bot.id))
        await _hears(room, ann, tone)

    assert room.count(VoicePhase.ENDED) == 0


async def test_a_bot_that_is_moved_hears_whom_it_comes_to(room: Any, tone: Any) -> None:
    ben = room.sim.add_person("Ben", room.guild)
    await ben.join(room.yard)
    await room.person("Ann")
    await room.join()

    await room.join(room.yard)
    await _hears(room, ben, tone)

    assert room.voice.channel_id == room.yard.id


async def test_a_bot_that_somebody_moves_knows_where_it_is(room: Any, tone: Any) -> None:
    ben = room.sim.add_person("Ben", room.guild)
    await ben.join(room.yard)
    await room.person("Ann")
    await room.join()

    bot = room.sim.world.directory.channel(room.yard.id)
    room.sim.world.calls.enter(room.sim.bot.id, bot, "moved")
    await room.until(lambda: room.voice.channel_id == room.yard.id)
    await _hears(room, ben, tone)


@pytest.mark.parametrize("code", [4006, 4009, 4015, 1001])
async def test_a_connection_that_breaks_is_made_anew(room: Any, tone: Any, code: int) -> None:
    ann = await room.person("Ann")
    await room.join()
    await _hears(room, ann, tone)
    server = room.sim.voice.server_of(room.guild.id)

    await server.drop(room.guild.id, room.sim.bot.id, code)
    await room.until(lambda: not server.is_connected(room.guild.id, room.sim.bot.id))
    await room.until(
        lambda: server.is_connected(room.guild.id, room.sim.bot.id) and room.voice.is_connected,
        25,
    )

    await _hears(room, ann, tone)
    assert room.count(VoicePhase.ENDED) == 0


@pytest.mark.parametrize("code", [4017, 4021, 4022])
async def test_where_the_bot_must_not_come_back_it_says_why(room: Any, code: int) -> None:
    await room.person("Ann")
    await room.join()
    server = room.sim.voice.server_of(room.guild.id)

    await server.drop(room.guild.id, room.sim.bot.id, code)

    await room.until(lambda: room.count(VoicePhase.ENDED) == 1, 25)
    assert room.statuses[-1].sentence.endswith(".")
    assert not room.voice.is_connected
    assert room.voice.channel_id is None
    assert room.client.voice_clients == []


async def test_a_bot_that_is_put_out_stays_out_and_can_be_called_back(room: Any, tone: Any) -> None:
    ann = await room.person("Ann")
    await room.join()

    room.sim.world.calls.leave(room.guild.id, room.sim.bot.id)
    await room.until(lambda: room.count(VoicePhase.ENDED) == 1)
    assert "disconnected" in room.statuses[-1].sentence

    await room.join()
    await _hears(room, ann, tone)


async def test_frames_that_nobody_can_decrypt_lead_to_a_new_group(room: Any, tone: Any) -> None:
    ann = await room.person("Ann")
    await room.join()
    await _hears(room, ann, tone)
    epoch = ann.voice.epoch

    ann.voice.garble(25)
    await ann.speak(tone)
    await room.until(lambda: ann.voice.epoch > epoch)

    await _hears(room, ann, tone)
    assert room.count(VoicePhase.LOST) == 0


async def test_a_damaged_commit_is_recovered_from(room: Any, tone: Any) -> None:
    ann = await room.person("Ann")
    await room.join()
    server = room.sim.voice.server_of(room.guild.id)
    server.corrupt_next_commit(room.guild.id, room.bench.id, room.sim.bot.id)
    ben = await room.person("Ben")

    await room.until(lambda: ben.voice.is_ready and ann.voice.is_ready)
    await _hears(room, ben, tone)


async def test_a_full_channel_and_a_closed_one_are_refused_with_a_sentence(room: Any) -> None:
    full = room.sim.add_voice_channel(room.guild, "Closet", user_limit=1)
    ann = room.sim.add_person("Ann", room.guild)
    await ann.join(full)
    await room.until(
        lambda: room.client.get_channel(full.id) and room.client.get_channel(full.id).voice_states
    )

    with pytest.raises(JoinError, match="Closet is full"):
        await room.join(full)
    assert not room.voice.is_connected


async def test_a_server_that_does_not_answer_is_given_up(room: Any) -> None:
    room.sim.voice.faults = VoiceFaults(mute_gateway=True)

    with pytest.raises(JoinError, match="in time"):
        await room.join()

    assert room.client.voice_clients == []
    room.sim.voice.faults = VoiceFaults()
    await room.join()
    assert room.voice.is_connected


async def test_leaving_ends_everything_even_in_the_middle_of_a_return(room: Any) -> None:
    await room.person("Ann")
    await room.join()
    server = room.sim.voice.server_of(room.guild.id)
    room.sim.voice.faults = VoiceFaults(mute_gateway=True)
    await server.drop(room.guild.id, room.sim.bot.id, 4006)
    await room.until(lambda: room.count(VoicePhase.LOST) == 1)

    await room.voice.leave()

    names = {task.get_name().lower() for task in asyncio.all_tasks()}
    assert [name for name in names if name.startswith(("voice", "discord voice"))] == []
    assert room.client.voice_clients == []


async def test_an_answer_to_ip_discovery_that_is_quick_is_not_lost(
    room: Any, tone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await room.person("Ann")
    send = room.client.loop.sock_sendall

    async def send_and_rest(socket: Any, datagram: bytes) -> None:
        await send(socket, datagram)
        await asyncio.sleep(0.1)  # as a busy machine may do; the answer is there before the end

    monkeypatch.setattr(room.client.loop, "sock_sendall", send_and_rest)

    await room.join()

    await _hears(room, ann, tone)


async def test_a_lost_answer_to_ip_discovery_is_asked_for_again(
    room: Any, tone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await room.person("Ann")
    asked: list[bytes] = []
    answer = AudioSocket._discover

    def answer_the_second(audio: AudioSocket, data: bytes, address: Any) -> None:
        asked.append(data)
        if len(asked) > 1:
            answer(audio, data, address)

    monkeypatch.setattr(AudioSocket, "_discover", answer_the_second)

    await room.join()

    assert len(asked) == 2
    await _hears(room, ann, tone)


async def test_nobody_comes_into_the_group_whom_the_call_has_not_announced(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await room.person("Ann")
    await room.join()
    server = room.sim.voice.server_of(room.guild.id)
    client = room.voice._client
    commits: list[bytes] = []
    ann.voice.commit_delay_s = 0.5  # The bot would be the one to let Ben in.
    guarded = client._connection.dave_session
    assert {ann.id, room.sim.bot.id} == set(guarded._expected())
    monkeypatch.setattr(guarded, "_expected", lambda: {ann.id, room.sim.bot.id})
    send = client.ws.send_binary

    async def note(opcode: int, data: bytes) -> None:
        commits.append(data)
        await send(opcode, data)

    monkeypatch.setattr(client.ws, "send_binary", note)
    ben = await room.person("Ben")
    await ben.voice.wait_until_ready()

    call = server.call(room.guild.id, room.bench.id)
    assert ben.id in call.dave.members  # Ann let him in,
    assert [each for each in commits if len(each) > 400] == []  # and the bot did not.


async def test_a_message_that_cannot_be_processed_does_not_make_the_bot_deaf(
    room: Any, tone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await room.person("Ann")
    await room.join()
    await _hears(room, ann, tone)

    def refuse(*_: object) -> None:
        raise ValueError("no such key package")

    # discord.py's reader would end by this, and still call itself connected.
    state = room.voice._client._connection
    monkeypatch.setattr(state.dave_session, "process_commit", refuse, raising=False)
    monkeypatch.setattr(state, "_recover_from_invalid_commit", refuse)
    ben = await room.person("Ben")
    await ben.voice.wait_until_ready()
    monkeypatch.undo()

    await room.sim.voice.drop(room.guild.id, room.sim.bot.id, 4006)
    await room.until(lambda: room.count(VoicePhase.CONNECTED) == 1)
    await _hears(room, ben, tone)
