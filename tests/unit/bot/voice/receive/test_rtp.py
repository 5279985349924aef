"""Which datagrams are audio, and what wraps it."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from voicemesh_bot.voice.receive.rtp import read_header, unwrap
from voicemesh_bot.voice.receive.transport import ForgedPacketError, TransportMode, open_packet

pytestmark = pytest.mark.unit

KEY = bytes(range(32))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        bytes(8),
        b"\0\2\0\x46" + bytes(70),
        b"\x80\xc8" + bytes(40),
        b"\x80\xc9" + bytes(40),
        b"\x80\x67" + bytes(40),
        b"\x00\x78" + bytes(40),
        b"\x40\x78" + bytes(40),
        b"\x80\x78" + bytes(13),
        b"\x80\x78" + bytes(29),
        b"\x90\x78" + bytes(12),
        b"\x9f\x78" + bytes(40),
    ],
    ids=[
        "nothing", "keepalive", "ip discovery", "sender report", "receiver report", "video",
        "version 0", "version 1", "header alone", "no room for the tag", "extension cut off",
        "sources cut off",
    ],
)  # fmt: skip
def test_what_is_not_audio_is_left_alone(datagram: bytes) -> None:
    assert read_header(datagram) is None


def test_a_header_is_read_with_and_without_the_marker(wire: Any) -> None:
    for marker in (False, True):
        header = read_header(wire(b"abc", sequence=65_535, timestamp=5, ssrc=9, marker=marker))
        assert header is not None
        assert (header.sequence, header.timestamp, header.ssrc) == (65_535, 5, 9)
        assert (header.size, header.extension_bytes, header.padded) == (12, 0, False)


@pytest.mark.parametrize("mode", list(TransportMode))
@pytest.mark.parametrize("padding", [0, 1, 255])
@pytest.mark.parametrize("extension", [None, b"", bytes(8), bytes(36)])
@pytest.mark.parametrize("sources", [0, 2, 15])
def test_whatever_wraps_a_frame_comes_off_in_both_modes(
    wire: Any, mode: TransportMode, padding: int, extension: bytes | None, sources: int
) -> None:
    wire.mode = mode
    datagram = wire(b"the frame", padding=padding, extension=extension, sources=sources)
    header = read_header(datagram)
    assert header is not None
    assert unwrap(header, open_packet(mode, KEY, header, datagram)) == b"the frame"


def test_the_nonce_is_used_as_it_comes(wire: Any) -> None:
    for number in (0, 1, 0x01000000, 0xFFFFFFFE):
        wire.nonce = number
        datagram = wire(b"frame")
        header = read_header(datagram)
        assert header is not None
        assert open_packet(wire.mode, KEY, header, datagram) == b"frame"


@pytest.mark.parametrize("mode", list(TransportMode))
@pytest.mark.parametrize("place", [1, 3, 5, 13, 20, -1])
def test_a_packet_that_was_touched_is_refused(wire: Any, mode: TransportMode, place: int) -> None:
    wire.mode = mode
    datagram = bytearray(wire(b"frame"))
    datagram[place] ^= 0x80
    header = read_header(bytes(datagram))
    assert header is not None
    with pytest.raises(ForgedPacketError):
        open_packet(mode, KEY, header, bytes(datagram))


@pytest.mark.parametrize("last", [0, 6, 255])
def test_padding_that_does_not_fit_is_refused(wire: Any, last: int) -> None:
    header = read_header(wire(b"x", padding=1))
    assert header is not None
    with pytest.raises(ValueError, match="padding"):
        unwrap(header, b"abcd" + bytes([last]))


def test_an_extension_longer_than_its_packet_is_refused(wire: Any) -> None:
    head = struct.pack(">BBHIIHH", 0x90, 0x78, 1, 1, 7, 0xBEDE, 1000)
    header = read_header(wire.seal(head, b"short"))
    assert header is not None
    with pytest.raises(ValueError, match="extension"):
        unwrap(header, b"short")


def test_nothing_but_padding_leaves_nothing(wire: Any) -> None:
    header = read_header(wire(b"", padding=9))
    assert header is not None
    assert unwrap(header, bytes(8) + b"\x09") == b""
