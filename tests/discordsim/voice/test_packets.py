"""Packets: how they are encrypted, wrapped, lost, and how messages are numbered."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.secret import Aead

from discordsim.errors import MalformedMessageError
from discordsim.network import NetworkFaults, Path
from discordsim.voice import PacketFaults, VoiceFaults, VoiceSettings
from discordsim.voice.outbox import Outbox
from discordsim.voice.rtp import OPUS_PAYLOAD_TYPE, Rtp, parse_header
from discordsim.voice.transport import Transport, TransportMode, hchacha20
from discordsim.voice.wrapping import Wrapping

pytestmark = pytest.mark.unit

KEY = bytes(range(32))


def test_hchacha20_gives_what_the_draft_says() -> None:
    # draft-irtf-cfrg-xchacha-03, section 2.2.1
    nonce = bytes.fromhex("000000090000004a0000000031415927")

    key = hchacha20(bytes(range(32)), nonce)

    assert key.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


def test_xchacha20_packets_are_those_of_libsodium() -> None:
    packet = Transport(TransportMode.XCHACHA20, KEY).seal(b"header", b"audio")

    assert packet[:6] == b"header"
    assert Aead(KEY).decrypt(packet[6:-4], b"header", packet[-4:] + bytes(20)) == b"audio"


@pytest.mark.parametrize("mode", list(TransportMode))
@given(plain=st.binary(max_size=200), header=st.binary(min_size=12, max_size=76))
def test_what_is_sealed_can_be_opened_and_nothing_else(
    mode: TransportMode, plain: bytes, header: bytes
) -> None:
    packet = Transport(mode, KEY).seal(header, plain)
    receiver = Transport(mode, KEY)

    assert receiver.open(packet, len(header)) == plain
    for damaged in (b"x" + packet[1:] if packet[0] != 120 else b"y" + packet[1:], packet[:-1]):
        with pytest.raises(MalformedMessageError):
            receiver.open(damaged, len(header))
    with pytest.raises(MalformedMessageError):
        Transport(mode, bytes(32)).open(packet, len(header))


def test_no_two_packets_have_the_same_nonce() -> None:
    transport = Transport(TransportMode.AES256_GCM, KEY)

    assert len({transport.seal(b"", b"")[-4:] for _ in range(1000)}) == 1000


@given(
    ssrc=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**16 - 1),
    timestamp=st.integers(0, 2**32 - 1),
    payload=st.binary(min_size=1, max_size=100),
    words=st.none() | st.integers(0, 8),
    sources=st.integers(0, 15),
    padding=st.integers(1, 255),
    share=st.sampled_from([0.0, 1.0]),
)
def test_however_it_is_wrapped_the_payload_comes_out(
    ssrc: int,
    sequence: int,
    timestamp: int,
    payload: bytes,
    words: int | None,
    sources: int,
    padding: int,
    share: float,
) -> None:
    faults = PacketFaults(
        extension_words=words, sources=sources, padding=share, padding_bytes=padding
    )
    packet = Rtp(ssrc, sequence, timestamp, payload, marker=True)

    ((header, plain),) = Wrapping(1).wrap(packet, faults)
    parsed = parse_header(header)

    assert parsed.size == len(header)
    assert (parsed.ssrc, parsed.sequence, parsed.timestamp) == (ssrc, sequence, timestamp)
    assert (parsed.payload_type, parsed.marker) == (OPUS_PAYLOAD_TYPE, True)
    assert parsed.strip(plain) == payload


def test_empty_packets_take_sequence_numbers_of_their_own() -> None:
    wrapping = Wrapping(1)
    faults = PacketFaults(empty=1.0)

    headers = [
        parse_header(header)
        for index in range(3)
        for header, _ in wrapping.wrap(Rtp(7, 65_534 + index, 960 * index, b"x"), faults)
    ]

    assert [each.sequence for each in headers] == [65_534, 65_535, 0, 1, 2, 3]
    assert [each.timestamp for each in headers] == [0, 0, 960, 960, 1920, 1920]


def test_what_travels_along_is_no_audio() -> None:
    found = Wrapping(1).wrap(Rtp(7, 1, 2, b"x"), PacketFaults(reports=1.0, video=1.0))

    assert [header[1] for header, _ in found] == [OPUS_PAYLOAD_TYPE, 200, 105]


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        (b"\x80\x78", b""),
        (b"\x40" + bytes(30), b""),
        (b"\x90\x78" + bytes(11), b""),
        (b"\xa0\x78" + bytes(10), b"\x00"),
        (b"\xa0\x78" + bytes(10), b"\x09"),
        (b"\xa0\x78" + bytes(10), b""),
    ],
)
def test_what_is_no_rtp_or_cannot_be_padded_so_is_refused(header: bytes, plain: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        parse_header(header).strip(plain)


def test_a_clean_network_delivers_everything_at_once() -> None:
    assert [Path(NetworkFaults(), 1).deliveries() for _ in range(100)] == [(0.0,)] * 100


def test_a_bad_network_does_what_it_is_told_and_the_same_in_every_run() -> None:
    faults = NetworkFaults(loss=0.1, delay_s=0.02, jitter_s=0.06, duplicate=0.1, reorder=0.1)

    runs = [[path.deliveries() for _ in range(5000)] for path in (Path(faults, 3), Path(faults, 3))]

    assert runs[0] == runs[1]
    copies = [len(each) for each in runs[0]]
    assert copies.count(0) / 5000 == pytest.approx(0.1, abs=0.02)
    assert copies.count(2) / 5000 == pytest.approx(0.09, abs=0.02)
    delays = [delay for each in runs[0] for delay in each]
    assert min(delays) >= 0.02
    assert max(delays) <= 0.02 + 0.06 + 0.05
    held_up = sum(delay > 0.08 for delay in delays) / len(delays)
    assert 0.05 < held_up < 0.1


@pytest.mark.parametrize(
    "make",
    [
        lambda: NetworkFaults(loss=1.1),
        lambda: NetworkFaults(jitter_s=-1),
        lambda: PacketFaults(padding=2.0),
        lambda: PacketFaults(padding_bytes=0),
        lambda: PacketFaults(sources=16),
        lambda: PacketFaults(extension_words=65),
        lambda: VoiceFaults(speaking_delay_s=-1),
        lambda: VoiceSettings(modes=()),
        lambda: VoiceSettings(resume_window_s=0),
        lambda: VoiceSettings(resume_buffer=0),
        lambda: VoiceSettings(closing_delay_s=11),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(make) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(ValueError, match=r"[a-z]+_?[a-z]+"):
        make()


def test_messages_are_numbered_and_those_about_a_connection_are_not() -> None:
    outbox = Outbox(10)

    assert json.loads(outbox.add(2, {"a": 1})) == {"op": 2, "d": {"a": 1}, "seq": 1}
    assert json.loads(outbox.add(9, {})) == {"op": 9, "d": {}}
    assert outbox.add(25, b"body") == b"\x00\x02\x19body"


def test_what_a_client_has_not_seen_is_sent_again_in_order() -> None:
    outbox = Outbox(3)
    wires = [outbox.add(5, {"index": index}) for index in range(5)]

    assert outbox.since(5) == []
    assert outbox.since(3) == wires[3:]
    assert outbox.since(2) == wires[2:]
    assert outbox.since(1) is None
    assert outbox.since(-1) is None
    assert outbox.since(77) is None
    assert Outbox(3).since(0) == []


def test_numbers_go_on_from_zero_after_the_last() -> None:
    outbox = Outbox(4)
    for _ in range(65_535):
        outbox.add(13, b"")

    assert outbox.add(13, b"x") == b"\x00\x00\x0dx"
    assert outbox.since(65_535) == [b"\x00\x00\x0dx"]
