"""The voice gateway as a client sees it that sends exactly what a test says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from discordsim.errors import NotInVoiceError
from discordsim.voice import VoiceFaults, VoiceSettings
from discordsim.voice.transport import TransportMode

if TYPE_CHECKING:
    from discordsim.people.speech import Speech
    from tests.discordsim.voice.conftest import Eventually, Stage

pytestmark = pytest.mark.integration

GUILD, CHANNEL, BOT, ALICE = 900_010, 900_020, 800_001, 700_001
LENIENT = VoiceSettings(dave_required=False)


@pytest.mark.parametrize("mode", list(TransportMode))
async def test_both_modes_of_transport_carry_audio_both_ways(
    stage: Stage, tone: Speech, mode: TransportMode
) -> None:
    server = await stage.server(settings=LENIENT)
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect(mode)
    await server.join_person(alice, GUILD, CHANNEL)

    await alice.speak(tone)
    packets = await client.packets(len(tone.packets) + 5)
    await client.send(5, {"speaking": 1, "delay": 0, "ssrc": client.ssrc})
    await client.send(3, {"t": 1, "seq_ack": 0})
    await client.expect(6)  # so opcode 5 has arrived
    client.send_audio(1, tone.packets[7])
    frame = await alice.wait_for_sound(BOT)

    assert [payload for _, payload in packets][:-5] == list(tone.packets)
    assert [header.sequence for header, _ in packets] == [
        (packets[0][0].sequence + index) & 0xFFFF for index in range(len(packets))
    ]
    assert frame.opus == tone.packets[7]


async def test_who_comes_and_who_goes_is_told_with_their_ids(stage: Stage, tone: Speech) -> None:
    server = await stage.server(settings=LENIENT)
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect()

    await server.join_person(alice, GUILD, CHANNEL)
    assert await client.expect(11) == {"user_ids": [str(ALICE)]}
    assert (await client.expect(18))["user_id"] == str(ALICE)
    await alice.speak(tone)
    spoke = await client.expect(5)
    assert (spoke["user_id"], spoke["speaking"]) == (str(ALICE), 1)
    assert (await client.expect(5))["speaking"] == 0
    await server.leave_person(alice)
    assert await client.expect(13) == {"user_id": str(ALICE)}


async def test_a_client_that_comes_back_gets_what_it_missed(stage: Stage, tone: Speech) -> None:
    server = await stage.server(settings=LENIENT)
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect()
    await server.drop(GUILD, BOT, 4015)
    assert await client.closed() == 4015
    await server.join_person(alice, GUILD, CHANNEL)

    again = await stage.open(server)
    await again.send(7, _resume(client.last_seq))

    await again.expect(9)
    assert await again.expect(11) == {"user_ids": [str(ALICE)]}
    assert server.is_connected(GUILD, BOT)
    await alice.speak(tone)
    assert len(await client.packets(len(tone.packets))) == len(tone.packets)  # the same UDP socket


async def test_a_connection_that_breaks_can_be_resumed_and_one_that_is_closed_cannot(
    stage: Stage, eventually: Eventually
) -> None:
    server = await stage.server(settings=LENIENT)
    client = await stage.client(server)
    await client.connect()
    await client.aclose()  # with code 1000: the client says that it leaves
    await eventually(lambda: not server.call(GUILD, CHANNEL).user_ids)

    again = await stage.open(server)
    await again.send(7, _resume(client.last_seq))

    assert await again.closed() == 4006


async def test_what_is_kept_no_longer_cannot_be_resumed_and_is_over(
    stage: Stage, eventually: Eventually
) -> None:
    settings = VoiceSettings(dave_required=False, resume_buffer=1, resume_window_s=0.3)
    server = await stage.server(settings=settings)
    client = await stage.client(server)
    await client.connect()
    await server.drop(GUILD, BOT, 4015)

    again = await stage.open(server)
    await again.send(7, _resume(0))

    assert await again.closed() == 4006
    await eventually(lambda: not server.call(GUILD, CHANNEL).user_ids)


async def test_a_session_that_nobody_resumes_is_over(stage: Stage, eventually: Eventually) -> None:
    settings = VoiceSettings(dave_required=False, resume_window_s=0.1)
    server = await stage.server(settings=settings)
    client = await stage.client(server)
    await client.connect()

    await server.drop(GUILD, BOT, 4015)

    assert server.call(GUILD, CHANNEL).user_ids == (BOT,)
    await eventually(lambda: not server.call(GUILD, CHANNEL).user_ids)


def _resume(acknowledged: int) -> dict[str, Any]:
    return {
        "server_id": str(GUILD),
        "session_id": "session",
        "token": "token",
        "seq_ack": acknowledged,
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "another"}, 4004),
        ({"max_dave_protocol_version": "x"}, 4002),
        ({"session_id": "another"}, 4006),
        ({"user_id": "1"}, 4006),
        ({"server_id": "no number"}, 4002),
    ],
)
async def test_who_identifies_wrongly_is_closed_with_a_code_that_says_so(
    stage: Stage, changes: dict[str, str], code: int
) -> None:
    client = await stage.client(await stage.server())

    await client.identify(dave=1, **changes)

    assert await client.closed() == code


async def test_a_client_without_dave_is_refused_unless_it_is_allowed(stage: Stage) -> None:
    client = await stage.client(await stage.server())

    await client.identify(dave=0)

    assert await client.closed() == 4017


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", 4002),
        ('{"d": 1}', 4002),
        ('{"op": 99, "d": {}}', 4001),
        ('{"op": 5, "d": {"speaking": 1}}', 4003),
        ('{"op": 7, "d": {"server_id": "1", "session_id": "?"}}', 4006),
    ],
)
async def test_what_cannot_be_meant_ends_the_connection(stage: Stage, text: str, code: int) -> None:
    client = await stage.client(await stage.server())

    await client.send_text(text)

    assert await client.closed() == code
    assert any(str(code) in line for line in stage.lines)


@pytest.mark.parametrize(
    ("protocol", "code"),
    [
        ({"protocol": "webrtc"}, 4012),
        ({"protocol": "udp", "data": {"mode": "xsalsa20_poly1305"}}, 4016),
    ],
)
async def test_only_udp_and_the_offered_modes_can_be_chosen(
    stage: Stage, protocol: dict[str, Any], code: int
) -> None:
    client = await stage.client(await stage.server())
    await client.identify(dave=1)
    await client.expect(2)

    await client.send(1, protocol)

    assert await client.closed() == code


@pytest.mark.parametrize("body", [b"", b"\x1a", b"\x1a" + bytes(40), b"\x1c" + bytes(40), b"\x63"])
async def test_a_binary_message_that_cannot_be_read_ends_the_connection(
    stage: Stage, body: bytes
) -> None:
    client = await stage.client(await stage.server())
    await client.connect(dave=1)

    await client.send_bytes(body)

    assert await client.closed() == 4002


async def test_silence_on_the_gateway_ends_the_connection(stage: Stage) -> None:
    server = await stage.server(settings=VoiceSettings(heartbeat_interval_s=0.05))
    client = await stage.client(server)

    assert await client.closed() == 4009


async def test_a_second_client_takes_the_place_of_the_first(stage: Stage) -> None:
    server = await stage.server(settings=LENIENT)
    first = await stage.client(server)
    await first.connect()
    second = await stage.open(server)

    await second.connect()

    assert await first.closed() == 4006
    assert server.call(GUILD, CHANNEL).user_ids == (BOT,)


async def test_a_gateway_that_hangs_answers_nothing(stage: Stage) -> None:
    server = await stage.server()
    client = await stage.client(server)
    server.faults = VoiceFaults(mute_gateway=True)

    await client.identify(dave=1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.expect(2)


async def test_keepalives_come_back_and_nonsense_does_not(stage: Stage, tone: Speech) -> None:
    server = await stage.server(settings=LENIENT)
    client, alice = await stage.client(server), stage.person(ALICE)
    await server.join_person(alice, GUILD, CHANNEL)
    await client.connect()

    client.send_datagram(bytes(74))
    client.send_datagram(b"\x80\x78" + bytes(30))
    client.send_audio(1, tone.packets[3])  # before opcode 5 has named its source
    client.send_datagram(b"keepaliv")

    assert await client.datagram() == b"keepaliv"
    assert not alice.heard(BOT)
    assert any("is not encrypted with this key" in line for line in stage.lines)


async def test_only_who_trusts_the_authority_can_connect(stage: Stage) -> None:
    server = await stage.server()

    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.ws_connect(f"wss://{server.endpoint}/?v=8")


async def test_nobody_can_be_moved_who_was_never_there(stage: Stage) -> None:
    server = await stage.server()

    with pytest.raises(NotInVoiceError):
        await server.move(GUILD, BOT, CHANNEL)
    await server.drop(GUILD, BOT, 4014)
    server.dismiss(GUILD, BOT)


async def test_a_server_ends_while_clients_are_connected(stage: Stage) -> None:
    server = await stage.server(settings=LENIENT)
    client, alice = await stage.client(server), stage.person(ALICE)
    await client.connect()
    await server.join_person(alice, GUILD, CHANNEL)

    await server.aclose()

    assert await client.closed() == 4014
    assert not alice.in_call
