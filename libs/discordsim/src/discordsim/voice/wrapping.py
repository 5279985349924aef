"""How one client's packets of audio look: extensions, padding, and what travels between them."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

from discordsim.voice.rtp import VIDEO_PAYLOAD_TYPE, Rtp

if TYPE_CHECKING:
    from discordsim.voice.faults import PacketFaults

__all__ = ("Wrapping",)

_SENDER_REPORT = 200
_VIDEO_BYTES = 900
_SOURCE = 0xC0DE0000


class Wrapping:
    """Turns what somebody says into packets for one client: pairs of header and payload to seal."""

    def __init__(self, seed: int) -> None:
        """Draw from `seed`."""
        self._random = random.Random(seed)  # noqa: S311 - repeatable, no secret
        self._inserted: dict[int, int] = {}  # by SSRC: packets sent beyond those of the speaker

    def wrap(self, packet: Rtp, faults: PacketFaults) -> list[tuple[bytes, bytes]]:
        """Return the packet and what follows it."""
        draw = self._random.random
        audio = replace(packet, sequence=self._sequence(packet))
        found = [self._audio(audio, faults)]
        if draw() < faults.empty:
            self._inserted[packet.ssrc] = self._inserted.get(packet.ssrc, 0) + 1
            probe = replace(packet, sequence=self._sequence(packet), marker=False)
            found.append((probe.header(padded=True), _padding(255)))
        if draw() < faults.reports:
            header = struct.pack(">BBHI", 0x80, _SENDER_REPORT, 6, packet.ssrc)
            found.append((header, self._random.randbytes(20)))
        if draw() < faults.video:
            # A camera's source is the next number, as in Discord's opcode 12.
            video = replace(packet, ssrc=packet.ssrc + 1, payload_type=VIDEO_PAYLOAD_TYPE)
            found.append((video.header(padded=False), self._random.randbytes(_VIDEO_BYTES)))
        return found

    def _sequence(self, packet: Rtp) -> int:
        return (packet.sequence + self._inserted.get(packet.ssrc, 0)) & 0xFFFF

    def _audio(self, packet: Rtp, faults: PacketFaults) -> tuple[bytes, bytes]:
        padded = self._random.random() < faults.padding
        header = packet.header(
            csrc=tuple(_SOURCE + index for index in range(faults.sources)),
            extension_words=faults.extension_words,
            padded=padded,
        )
        extension = self._random.randbytes(4 * (faults.extension_words or 0))
        return header, extension + packet.payload + (
            _padding(faults.padding_bytes) if padded else b""
        )


def _padding(size: int) -> bytes:
    return bytes(size - 1) + bytes([size])
