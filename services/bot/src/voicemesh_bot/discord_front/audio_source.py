"""Sends packets by discord.py, which asks for one every 20 ms on a thread of its own.

discord.py's own pause, volume and end of a source are not used: it is one source after the other
that is read for as long as something is said, and each of them is read to its end. At that end
discord.py adds five frames of silence of its own, which do no harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("PacketSource", "VoiceLine")

_logger = get_logger(__name__)


class PacketSource(discord.AudioSource):
    """Opus packets from a function; an empty one is the end."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Read by `read`, on discord.py's thread."""
        self._read = read

    def read(self) -> bytes:
        """The next packet."""
        return self._read()

    def is_opus(self) -> bool:
        """True: nothing is left to encode."""
        return True


class VoiceLine:
    """`voice.ports.Line` over a voice connection.

    While the connection is being made again discord.py waits, and goes on with the packet that it
    has; if that takes too long, or somebody stops it, the line is closed.
    """

    def __init__(self, client: discord.VoiceClient) -> None:
        """Send by `client`, which nobody else may play by."""
        self._client = client

    def open(self, read: Callable[[], bytes], closed: Callable[[], None]) -> bool:
        """Begins to take packets, as the port says."""

        def after(error: Exception | None) -> None:
            if error is not None:
                _logger.error("playback failed", exc_info=error)
            closed()

        if not self._client.is_connected() or self._client.is_playing():
            return False
        try:
            self._client.play(PacketSource(read), after=after)
        except discord.ClientException:
            return False  # The connection was lost since it was asked.
        return True
