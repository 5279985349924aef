"""Which datagrams are audio, and how RTP wraps it (RFC 3550 section 5.1, RFC 8285).

Discord's sockets carry more than audio: answers to IP discovery, RTCP, echoes of keepalives and
video. The same guards as in discord.js (pull request 11449).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ("MARK_OF_ENCRYPTION", "SILENCE", "RtpHeader", "read_header", "unwrap")

SILENCE = b"\xf8\xff\xfe"
"""The Opus packet that clients send five times before they stop, and that Discord's servers make
themselves; it is never encrypted end to end when it is theirs."""

MARK_OF_ENCRYPTION = b"\xfa\xfa"
"""The last two bytes of every frame that is encrypted end to end (DAVE's "magic marker")."""

_LEAST_BYTES = 16
_VERSION = 2
_OPUS = 0x78
_FIXED = 12
_TAG_AND_NONCE = 20
_EXTENDED, _PADDED = 0x10, 0x20


@dataclass(frozen=True, slots=True)
class RtpHeader:
    """The clear part of an audio packet."""

    sequence: int
    """0 to 65535."""
    timestamp: int
    """Samples at 48 kHz, 0 to 4294967295."""
    ssrc: int
    """The source."""
    size: int
    """Bytes in the clear, which are authenticated: header, contributing sources, and the first four
    bytes of an extension."""
    extension_bytes: int
    """Bytes of the extension that the ciphertext begins with."""
    padded: bool
    """Whether the plaintext ends with padding."""


def read_header(datagram: bytes) -> RtpHeader | None:
    """The header of an audio packet; None for everything else that comes on the socket."""
    if len(datagram) < _LEAST_BYTES or datagram[0] >> 6 != _VERSION or datagram[1] & 0x7F != _OPUS:
        return None
    first = datagram[0]
    size, extension_bytes = _FIXED + 4 * (first & 0x0F), 0
    if first & _EXTENDED:
        if len(datagram) < size + 4:
            return None
        extension_bytes = 4 * int.from_bytes(datagram[size + 2 : size + 4], "big")
        size += 4
    if len(datagram) < size + _TAG_AND_NONCE:
        return None
    sequence, timestamp, ssrc = struct.unpack_from(">HII", datagram, 2)
    return RtpHeader(sequence, timestamp, ssrc, size, extension_bytes, bool(first & _PADDED))


def unwrap(header: RtpHeader, plaintext: bytes) -> bytes:
    """What was decrypted without the extension's body and the padding; empty if that was all.

    Padding must go before the end-to-end encryption is looked at: that marks the end of a frame.

    Raises:
        ValueError: extension and padding do not fit into the packet.
    """
    if header.extension_bytes > len(plaintext):
        msg = "the header extension is longer than the packet"
        raise ValueError(msg)
    payload = plaintext[header.extension_bytes :]
    if not header.padded:
        return payload
    padding = payload[-1] if payload else 0
    if not 0 < padding <= len(payload):
        msg = f"the packet says it has {padding} bytes of padding, and has {len(payload)} in all"
        raise ValueError(msg)
    return payload[:-padding]
