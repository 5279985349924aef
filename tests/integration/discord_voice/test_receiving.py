"""What the bot receives of people in a call under DAVE, by an unmodified discord.py."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from discordsim import NetworkFaults, PacketFaults, VoiceFaults
from voicemesh_bot.voice.receive.packets import Outcome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(60)]


async def test_every_packet_of_a_person_is_heard(room: Any, tone: Any) -> None:
    ann = await room.person("Ann")
    await room.join()

    said = await ann.speak(tone)

    assert said.is_whole
    await room.until(lambda: len(room.packets) == len(tone.packets) + 5)
    assert room.heard(ann) == list(tone.packets)
    assert room.voice.privacy_code == ann.voice.privacy_code
    sequences = [each.sequence for each in room.packets]
    assert {(b - a) % 65_536 for a, b in pairwise(sequences)} == {1}
    counted = room.voice.counters.of(ann.id)
    assert counted == {Outcome.HEARD: len(tone.packets), Outcome.SILENCE: 5}


async def test_people_who_speak_at_once_are_told_apart(room: Any, tone: Any) -> None:
    people = [await room.person(name) for name in ("Ann", "Ben", "Cleo", "Dan", "Eve")]
    await room.join()

    await asyncio.gather(*(person.speak(tone) for person in people))

    await room.until(lambda: all(room.heard(each) == list(tone.packets) for each in people))
    assert Outcome.LOST not in room.voice.counters.totals


async def test_who_has_not_agreed_is_not_decrypted(room: Any, tone: Any) -> None:
    ann, ben = await room.person("Ann"), await room.person("Ben")
    room.unwanted.add(ben.id)
    await room.join()

    await asyncio.gather(ann.speak(tone), ben.speak(tone))

    await room.until(lambda: room.heard(ann) == list(tone.packets))
    assert room.heard(ben) == []
    assert set(room.voice.counters.of(ben.id)) == {Outcome.UNWANTED}


@pytest.mark.parametrize(
    "packets",
    [
        PacketFaults(padding=1.0, padding_bytes=1),
        PacketFaults(padding=0.5, padding_bytes=200, extension_words=2),
        PacketFaults(extension_words=0),
        PacketFaults(extension_words=9, sources=15),
        PacketFaults(empty=0.3, reports=0.5, video=0.5),
    ],
    ids=["padded", "padded and extended", "empty extension", "many sources", "noise"],
)
async def test_whatever_wraps_a_packet_is_taken_off(
    room: Any, tone: Any, packets: PacketFaults
) -> None:
    room.sim.voice.faults = VoiceFaults(packets=packets)
    ann = await room.person("Ann")
    await room.join()

    await ann.speak(tone)

    await room.until(lambda: len(room.packets) == len(tone.packets) + 5)
    assert room.heard(ann) == list(tone.packets)
    assert room.voice.counters.of(ann.id).get(Outcome.LOST, 0) == 0


async def test_packets_that_come_late_or_twice_are_put_in_order(room: Any, tone: Any) -> None:
    faults = NetworkFaults(jitter_s=0.03, reorder=0.1, reorder_s=0.03, duplicate=0.2)
    room.sim.voice.faults = VoiceFaults(to_bots=faults)
    ann = await room.person("Ann")
    await room.join()

    await ann.speak(tone)

    await room.until(lambda: len(room.packets) >= len(tone.packets) + 4)
    heard = room.heard(ann)
    # Only what overtook the very first packet can be missed.
    assert heard == list(tone.packets)[-len(heard) :]
    assert len(heard) >= len(tone.packets) - 2
    assert room.voice.counters.of(ann.id)[Outcome.DUPLICATE] >= 1


async def test_loss_is_counted_and_nothing_else_is_lost_by_it(room: Any, tone: Any) -> None:
    room.sim.voice.faults = VoiceFaults(to_bots=NetworkFaults(loss=0.2))
    ann = await room.person("Ann")
    await room.join()

    await ann.speak(tone)
    room.sim.voice.faults = VoiceFaults()
    await ann.speak(tone)

    await room.until(lambda: room.heard(ann)[-len(tone.packets) :] == list(tone.packets))
    lost = sum(each.lost_before for each in room.packets)
    assert lost >= 1
    assert room.voice.counters.of(ann.id)[Outcome.LOST] == lost
    assert len(room.packets) + lost <= 2 * (len(tone.packets) + 5)


async def test_words_said_before_discord_says_whose_they_are_are_not_lost(
    room: Any, tone: Any
) -> None:
    room.sim.voice.faults = VoiceFaults(speaking_delay_s=0.8)
    ann = await room.person("Ann")
    await room.join()

    await ann.speak(tone)

    await room.until(lambda: room.heard(ann) == list(tone.packets))


async def test_people_whom_discord_never_names_are_known_by_their_keys(
    room: Any, tone: Any
) -> None:
    room.sim.voice.faults = VoiceFaults(speaking_delay_s=None)
    ann, ben = await room.person("Ann"), await room.person("Ben")
    await room.join()

    await asyncio.gather(ann.speak(tone), ben.speak(tone))

    await room.until(lambda: room.heard(ann) == room.heard(ben) == list(tone.packets))


async def test_frames_in_the_clear_are_never_heard_in_an_encrypted_call(
    room: Any, tone: Any
) -> None:
    ann = await room.person("Ann")
    await room.join()
    await ann.speak(tone)
    await room.until(lambda: room.heard(ann) == list(tone.packets))
    room.packets.clear()

    await ann.voice.speak(tone, encrypted=False)

    await room.until(
        lambda: room.voice.counters.of(ann.id).get(Outcome.UNENCRYPTED) == len(tone.packets)
    )
    assert room.heard(ann) == []


async def test_a_call_is_heard_through_the_end_and_the_return_of_encryption(
    room: Any, tone: Any
) -> None:
    ann = await room.person("Ann")
    await room.join()
    server = room.sim.voice.server_of(room.guild.id)
    for version in (0, 1):
        await ann.speak(tone)
        await room.until(lambda: room.heard(ann) == list(tone.packets))
        room.packets.clear()
        speaking = asyncio.create_task(ann.speak(tone))
        await server.set_dave_version(room.guild.id, room.bench.id, version)
        await speaking
        await ann.voice.wait_for(lambda voice, v=version: voice.dave_executed == v)
        room.packets.clear()
    await ann.speak(tone)
    await room.until(lambda: room.heard(ann) == list(tone.packets))


async def test_who_comes_in_while_others_speak_costs_them_no_word(
    room: Any, long_tone: Any
) -> None:
    ann = await room.person("Ann")
    await room.join()
    await ann.voice.wait_until_ready()

    speaking = asyncio.create_task(ann.speak(long_tone))
    for name in ("Ben", "Cleo", "Dan"):
        newcomer = await room.person(name)
        await newcomer.voice.wait_until_ready()
    await newcomer.leave()
    await speaking

    await room.until(lambda: room.heard(ann) == list(long_tone.packets))


async def test_a_channel_that_fills_while_all_speak_is_heard(room: Any, tone: Any) -> None:
    await room.join()
    people = [room.sim.add_person(f"Person {number}", room.guild) for number in range(6)]

    async def comes_and_speaks(person: Any) -> None:
        await person.join(room.bench)
        await person.speak(tone)

    await asyncio.gather(*(comes_and_speaks(person) for person in people))

    await room.until(lambda: all(room.heard(each) == list(tone.packets) for each in people))


async def test_a_bot_that_only_listens_keeps_its_way_through_routers_open(room: Any) -> None:
    await room.person("Ann")
    await room.join()
    sent: list[bytes] = []
    client = room.voice._client
    state = client._connection
    send = state.send_packet
    state.send_packet = lambda packet: (sent.append(packet), send(packet))  # type: ignore[func-returns-value]

    await room.until(lambda: len(sent) >= 2)

    assert [len(each) for each in sent] == [8] * len(sent)
