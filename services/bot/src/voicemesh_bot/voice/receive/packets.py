"""What is received: a packet of one person's speech, and what can become of a datagram."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ("Outcome", "VoicePacket")

_SEQUENCES = 1 << 16


@dataclass(frozen=True, slots=True)
class VoicePacket:
    """One Opus packet of a person, decrypted, in the order in which it was sent."""

    user_id: int
    """Who said it."""

    opus: bytes
    """The packet as RFC 6716 defines it; `F8 FF FE` is silence."""

    sequence: int
    """RTP sequence number, 0 to 65535, wrapping."""

    timestamp: int
    """RTP timestamp in samples at 48 kHz, wrapping at 2^32; a jump without one of the sequence is
    silence that was not sent."""

    lost_before: int = 0
    """How many packets before this one are lost; 0 where the sender began anew."""


class Outcome(StrEnum):
    """What became of a datagram. Each ends as exactly one of these but the last three."""

    HEARD = "heard"
    """Passed on as speech."""
    SILENCE = "silence"
    """Passed on; it says that nobody speaks."""
    UNWANTED = "unwanted"
    """Its sender is not listened to; it was not decrypted end to end."""
    NOT_AUDIO = "not_audio"
    """Video, RTCP, an answer to IP discovery, an echo of a keepalive, or noise."""
    NO_KEY = "no_key"
    """It came before the key of the transport was known."""
    FORGED = "forged"
    """It does not fit the key: an old key, damage, or somebody else's."""
    MALFORMED = "malformed"
    """Its extension or padding is longer than the packet, or its padding has no length."""
    EMPTY = "empty"
    """Nothing but padding."""
    DUPLICATE = "duplicate"
    """It had come before."""
    UNKNOWN_SOURCE = "unknown_source"
    """Nobody said in time whose it is."""
    NOT_READY = "not_ready"
    """The group of the end-to-end encryption did not come about in time."""
    NO_DECRYPTOR = "no_decryptor"
    """Its sender did not become a member of the group in time."""
    UNENCRYPTED = "unencrypted"
    """It is in the clear where that is not allowed."""
    UNDECRYPTABLE = "undecryptable"
    """No key of its sender fits."""
    LATE = "late"
    """It came after it had been given up."""
    OVERFLOW = "overflow"
    """Nobody took what had been received."""
    FAULT = "fault"
    """A fault of this program; it is in the log."""
    LOST = "lost"
    """Never came, by the sequence numbers around it; no datagram."""
    REORDERED = "reordered"
    """Came after a later one, but in time; counted beside its outcome."""
    BAD_MESSAGE = "bad_message"
    """A message of the voice gateway without the fields it should have; no datagram."""


def sequences_between(before: int, after: int) -> int:
    """How many packets `after` was sent after `before`, modulo 2^16; negative if before it."""
    steps = (after - before) % _SEQUENCES
    return steps - _SEQUENCES if steps >= _SEQUENCES // 2 else steps
