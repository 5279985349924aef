"""What the voice needs from the world outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Line", "PacketCodec")


class Line(Protocol):
    """Carries packets to the listeners, one every 20 ms while it is open."""

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        """Begins to take packets; never waits.

        Args:
            read: gives the next packet; an empty one closes the line. Called every 20 ms, on a
                thread of the line's own.
            closed: called once, on that thread, when no packet will be taken any more, for whatever
                reason; the line may then be opened again.

        Returns:
            Whether it is open; False while nobody is connected, in which case neither is called.
        """


class PacketCodec(Protocol):
    """Takes one stream of Opus packets apart and makes another; never used by two threads at once.

    Packets are of 20 ms at 48 kHz. Samples are signed 16-bit native-endian mono, 1,920 bytes a
    packet.
    """

    @property
    def delay_samples(self) -> int:
        """Samples by which the sound is later in what `encode` gives than in what it was given."""

    def decode(self, packet: bytes) -> bytes:
        """The samples of the next packet of the stream that is taken apart.

        Raises:
            CodecError: it is no Opus packet of 20 ms.
        """

    def encode(self, samples: bytes) -> bytes:
        """The next packet of the stream that is made.

        Raises:
            CodecError: the encoder refused.
        """
