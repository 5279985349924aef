"""What can be switched on to make a voice client's life hard."""

from __future__ import annotations

from dataclasses import dataclass

from discordsim.network import CLEAN, NetworkFaults

__all__ = ("PacketFaults", "VoiceFaults")

_LONGEST_PADDING = 255
_MOST_SOURCES = 15


@dataclass(frozen=True, slots=True)
class PacketFaults:
    """How audio is wrapped on its way to bots, and what comes along with it.

    All of it is legal and is seen from Discord's servers; the default is the plainest packet.
    """

    extension_words: int | None = None
    """Words of four bytes in a header extension; None for no extension."""
    padding: float = 0.0
    """Share of packets with padding, 0 to 1."""
    padding_bytes: int = 4
    """How much padding those have, 1 to 255."""
    sources: int = 0
    """Contributing sources (CSRC) in each header, 0 to 15."""
    empty: float = 0.0
    """Share of packets that a packet of nothing but padding follows. It has a sequence number and
    the same timestamp, as a bandwidth probe has."""
    reports: float = 0.0
    """Share of packets that an RTCP sender report follows."""
    video: float = 0.0
    """Share of packets that a video packet of the same person follows."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: one does not hold.
        """
        for name in ("padding", "empty", "reports", "video"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a share, from 0 to 1")
        if not 1 <= self.padding_bytes <= _LONGEST_PADDING:
            raise ValueError("padding_bytes is not in [1, 255]")
        if not 0 <= self.sources <= _MOST_SOURCES:
            raise ValueError("sources is not in [0, 15]")
        if self.extension_words is not None and not 0 <= self.extension_words <= 64:
            raise ValueError("extension_words is not in [0, 64]")


@dataclass(frozen=True, slots=True)
class VoiceFaults:
    """Everything that can go wrong between bots and a voice server. The default is nothing.

    What is given by method instead, because it happens once: `VoiceServer.drop`,
    `VoiceServer.corrupt_next_commit`, `PersonVoice.garble`.
    """

    to_bots: NetworkFaults = CLEAN
    """UDP from the server to bots."""
    from_bots: NetworkFaults = CLEAN
    """UDP from bots to the server."""
    packets: PacketFaults = PacketFaults()
    """How packets to bots are wrapped."""
    speaking_delay_s: float | None = 0.0
    """How late bots are told whose audio it is (opcode 5); None: never."""
    video_announcements: bool = False
    """Whether people are announced by opcode 12 too, which Discord documents nowhere: it names the
    audio and video sources of a user with a camera."""
    mute_gateway: bool = False
    """Whether the gateway takes messages and answers none, as a server that hangs."""
    seed: int = 0
    """What chance is drawn from."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: one does not hold.
        """
        if self.speaking_delay_s is not None and not 0 <= self.speaking_delay_s <= 60:
            raise ValueError("speaking_delay_s is not in [0, 60] seconds")
