"""Opus as discord.py binds it, with the library that PyAV's wheel carries beside the package.

discord.py looks for a libopus of the system, which few machines have. Without either the bot still
speaks, because tts makes the packets; only its volume cannot be changed.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from discord import opus

from voicemesh_bot.voice.errors import CodecError
from voicemesh_bot.voice.frames import FRAME_SAMPLES
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.media import bundled

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("OpusCodec", "load_libopus")

_BITRATE_KBPS = 64
"""Of both channels together: twice what one channel of tts has, which are alike here."""

_SAMPLES_BYTES = FRAME_SAMPLES * 2

_logger = get_logger(__name__)


def load_libopus(files: Iterable[str] | None = None) -> bool:
    """Makes discord.py know an Opus library; takes some milliseconds, once for each process.

    Args:
        files: libraries to try in turn, before the system's; None means what PyAV brought along.

    Returns:
        Whether there is one, so that `OpusCodec` can be used.
    """
    for file in () if opus.is_loaded() else bundled("libopus") if files is None else files:
        try:
            opus.load_opus(file)
        except (OSError, AttributeError) as error:
            _logger.warning("libopus cannot be loaded", file=file, error=str(error))
        else:
            break
    try:
        opus.Decoder.get_opus_version()  # looks for the system's if none is loaded
    except opus.OpusNotLoaded:
        _logger.warning("no libopus: the voice is not made softer when somebody speaks")
        return False
    return True


class OpusCodec:
    """`voice.ports.PacketCodec` of a stream whose two channels, if it has two, are alike."""

    delay_samples = 120
    """2.5 ms, which is all that a "lowdelay" encoder looks ahead (libopus, OPUS_GET_LOOKAHEAD)."""

    def __init__(self) -> None:
        """Opens decoder and encoder.

        Raises:
            CodecError: there is no Opus library; see `load_libopus`.
        """
        try:
            self._decoder = opus.Decoder()  # type: ignore[no-untyped-call]
            # The packets are few and their loss is no concern: no copies for error correction.
            self._encoder = opus.Encoder(
                application="lowdelay",
                bitrate=_BITRATE_KBPS,
                fec=False,
                signal_type="voice",
            )
        except (opus.OpusNotLoaded, opus.OpusError) as error:
            msg = "Opus cannot be opened"
            raise CodecError(msg) from error

    def decode(self, packet: bytes) -> bytes:
        """The samples of the next packet, as the port says."""
        try:
            both = self._decoder.decode(packet, fec=False)
        except opus.OpusError as error:
            msg = "a packet could not be decoded"
            raise CodecError(msg) from error
        samples = array("h", both)[::2].tobytes()
        if len(samples) != _SAMPLES_BYTES:
            msg = f"a packet has {len(samples) // 2} samples, not {FRAME_SAMPLES}"
            raise CodecError(msg)
        return samples

    def encode(self, samples: bytes) -> bytes:
        """The next packet, as the port says."""
        one = array("h", samples)
        both = array("h", bytes(2 * len(samples)))
        both[::2] = both[1::2] = one
        try:
            return self._encoder.encode(both.tobytes(), FRAME_SAMPLES)
        except opus.OpusError as error:
            msg = "samples could not be encoded"
            raise CodecError(msg) from error
