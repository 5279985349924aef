"""RTP packets as Discord sends them (RFC 3550, section 5.1; extensions: RFC 8285)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from discordsim.errors import MalformedMessageError

__all__ = ("OPUS_PAYLOAD_TYPE", "VIDEO_PAYLOAD_TYPE", "Header", "Rtp", "parse_header")

OPUS_PAYLOAD_TYPE = 120
VIDEO_PAYLOAD_TYPE = 105  # H.264, the second of those that Discord's clients announce

_FIXED = struct.Struct(">BBHII")
_EXTENSION = struct.Struct(">HH")
_VERSION = 2 << 6
_PADDED, _EXTENDED, _CSRC_COUNT = 0x20, 0x10, 0x0F
_MARKED = 0x80


@dataclass(frozen=True, slots=True)
class Rtp:
    """What of a packet matters to people; how it is wrapped is the network's choice."""

    ssrc: int
    sequence: int
    """0 to 65535."""
    timestamp: int
    """In 1/48000 s, modulo 2**32."""
    payload: bytes = field(repr=False)
    """An Opus packet, encrypted end to end or not."""
    payload_type: int = OPUS_PAYLOAD_TYPE
    marker: bool = False
    """Whether speech begins with it, after silence."""

    def header(
        self, *, csrc: tuple[int, ...] = (), extension_words: int | None = None, padded: bool
    ) -> bytes:
        """Return the clear part: header, contributing sources, and the extension's own header.

        Args:
            csrc: at most 15 contributing sources.
            extension_words: words of the extension, whose body goes into the payload; None for no
                extension.
            padded: whether the payload ends with padding.
        """
        first = _VERSION | len(csrc)
        first |= _PADDED if padded else 0
        first |= 0 if extension_words is None else _EXTENDED
        second = self.payload_type | (_MARKED if self.marker else 0)
        found = _FIXED.pack(first, second, self.sequence, self.timestamp, self.ssrc)
        found += b"".join(struct.pack(">I", each) for each in csrc)
        if extension_words is not None:
            found += _EXTENSION.pack(0xBEDE, extension_words)
        return found


@dataclass(frozen=True, slots=True)
class Header:
    """The clear part of a packet that arrived."""

    ssrc: int
    sequence: int
    timestamp: int
    payload_type: int
    marker: bool
    size: int
    """Bytes that are sent in the clear, the extension's own header included."""
    extension_size: int
    """Bytes of the extension's body, which stand in front of the payload."""
    padded: bool

    def strip(self, plain: bytes) -> bytes:
        """Return the payload without extension and padding.

        Raises:
            MalformedMessageError: the padding cannot be.
        """
        if not self.padded:
            return plain[self.extension_size :]
        payload = plain[self.extension_size :]
        length = payload[-1] if payload else 0
        if not 0 < length <= len(payload):
            raise MalformedMessageError(f"has {length} bytes of padding in {len(payload)} bytes")
        return payload[:-length]


def parse_header(packet: bytes) -> Header:
    """Read the clear part of a packet.

    Raises:
        MalformedMessageError: it is no RTP, or cut off.
    """
    if len(packet) < _FIXED.size or packet[0] & 0xC0 != _VERSION:
        raise MalformedMessageError("is no RTP packet of version 2")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(packet)
    size = _FIXED.size + 4 * (first & _CSRC_COUNT)
    extension_size = 0
    if first & _EXTENDED:
        if len(packet) < size + _EXTENSION.size:
            raise MalformedMessageError("ends inside its header")
        extension_size = 4 * _EXTENSION.unpack_from(packet, size)[1]
        size += _EXTENSION.size
    return Header(
        ssrc=ssrc,
        sequence=sequence,
        timestamp=timestamp,
        payload_type=second & 0x7F,
        marker=bool(second & _MARKED),
        size=size,
        extension_size=extension_size,
        padded=bool(first & _PADDED),
    )
