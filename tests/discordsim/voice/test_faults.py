"""A call in which the network, the packets and the gateway are as bad as they get."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from discordsim.people.speech import Speech
from discordsim.voice import NetworkFaults, PacketFaults, VoiceFaults, VoiceSettings

if TYPE_CHECKING:
    from tests.discordsim.voice.conftest import Eventually, Stage

pytestmark = pytest.mark.integration

GUILD, CHANNEL, OTHER_CHANNEL = 900_010, 900_020, 900_021
BOT, ALICE = 800_001, 700_001
LENIENT = VoiceSettings(dave_required=False)


@pytest.mark.parametrize(
    "packets",
    [
        PacketFaults(extension_words=2),
        PacketFaults(padding=0.5, padding_bytes=7),
        PacketFaults(sources=3),
        PacketFaults(
            extension_words=1,
            padding=0.3,
            padding_bytes=255,
            sources=15,
            empty=0.3,
            reports=0.3,
            video=0.5,
        ),
    ],
)
async def test_every_packet_survives_its_wrapping(
    stage: Stage, tone: Speech, eventually: Eventually, packets: PacketFaults
) -> None:
    server = await stage.server(faults=VoiceFaults(packets=packets))
    bot, alice = await stage.bot(server), stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)

    await alice.speak(tone)

    await eventually(lambda: bot.heard() == list(tone.packets))
    assert bool(bot.noise) == bool(packets.empty)


async def test_loss_jitter_and_copies_reach_the_bot(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    faults = NetworkFaults(loss=0.2, jitter_s=0.06, duplicate=0.2)
    server = await stage.server(settings=LENIENT, faults=VoiceFaults(to_bots=faults, seed=4))
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect()
    await server.join_person(alice, GUILD, CHANNEL)

    await alice.speak(tone)
    await asyncio.sleep(0.1)  # longer than the last packet can take

    numbers = [header.sequence for header, _ in await client.packets(client.waiting)]
    assert len(set(numbers)) < len(tone.packets) + 5  # lost
    assert len(set(numbers)) < len(numbers)  # doubled
    assert numbers != sorted(numbers)  # overtaken


async def test_people_put_what_a_bot_says_in_order_again(stage: Stage, tone: Speech) -> None:
    faults = NetworkFaults(jitter_s=0.09, duplicate=0.5)
    server = await stage.server(settings=LENIENT, faults=VoiceFaults(from_bots=faults))
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect()
    await server.join_person(alice, GUILD, CHANNEL)
    await client.send(5, {"speaking": 1, "delay": 0, "ssrc": client.ssrc})
    await client.send(3, {"t": 1})
    await client.expect(6)

    for index, opus in enumerate(tone.packets):
        client.send_audio(65_530 + index & 0xFFFF, opus)
        await asyncio.sleep(0.02)
    await alice.wait_for_quiet(BOT, for_s=0.3)

    assert [frame.opus for frame in alice.heard(BOT).frames] == list(tone.packets)
    assert alice.ears.duplicates > 0


async def test_whose_audio_it_is_can_stay_unknown_or_come_late(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server(faults=VoiceFaults(speaking_delay_s=None))
    bot, alice = await stage.bot(server), stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await alice.speak(tone)
    await eventually(lambda: len(bot.received) == len(tone.packets) + 5)
    assert bot.users == {}
    assert bot.heard() == []

    server.faults = VoiceFaults(speaking_delay_s=0.3, video_announcements=True)
    bot.received.clear()
    speaking = asyncio.create_task(alice.speak(tone))
    await eventually(lambda: len(bot.received) > 8)
    assert bot.users == {}
    assert 12 in bot.opcodes()
    await speaking
    await eventually(lambda: ALICE in bot.users.values())


async def test_damaged_packets_can_be_decrypted_by_nobody(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot, alice = await stage.bot(server), stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    alice.garble(10)

    await alice.speak(tone)
    await eventually(lambda: len(bot.received) == len(tone.packets) + 5)

    assert bot.heard() == list(tone.packets[10:])


async def test_a_frame_without_encryption_is_refused_by_discord_py(
    stage: Stage, tone: Speech, eventually: Eventually
) -> None:
    server = await stage.server()
    bot, alice = await stage.bot(server), stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)

    await alice.speak(tone, encrypted=False)

    await eventually(lambda: len(bot.received) == len(tone.packets) + 5)
    assert bot.heard() == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_people_come_go_and_move_at_random_while_one_speaks_and_no_packet_is_lost(
    stage: Stage, recording: str, eventually: Eventually, seed: int
) -> None:
    chance = random.Random(seed)
    server = await stage.server()
    bot, alice = await stage.bot(server), stage.person(ALICE)
    others = [stage.person(ALICE + 1 + index) for index in range(4)]
    await server.join_person(alice, GUILD, CHANNEL)
    speech = await asyncio.to_thread(Speech.from_file, recording)
    speech = Speech(speech.packets[:250], speech.levels_db[:250])
    speaking = asyncio.create_task(alice.speak(speech))

    changes = 0
    while not speaking.done():
        person = chance.choice(others)
        if person.in_call and chance.random() < 0.5:
            await server.leave_person(person)
        else:
            await server.join_person(person, GUILD, chance.choice([CHANNEL, OTHER_CHANNEL]))
        changes += 1
        if chance.random() < 0.2:
            server.corrupt_next_commit(GUILD, CHANNEL, person.user_id)
        await asyncio.sleep(chance.random() * 0.1)
    said = await speaking

    assert changes > 20
    assert said.is_whole
    await eventually(lambda: bot.heard() == list(speech.packets))
