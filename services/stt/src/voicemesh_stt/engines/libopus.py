"""libopus by ctypes: what PyAV's decoder lacks is concealment of lost packets and in-band FEC.

The library is the one that PyAV's wheel carries beside the package; where PyAV was built from
source, the system's. Types and rules are those of the Opus API (opus-codec.org/docs, "Opus
Decoder") and of RFC 6716.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import weakref
from pathlib import Path

import numpy as np
import numpy.typing as npt

from voicemesh_chassis.media import bundled
from voicemesh_chassis.service import StartupError

__all__ = ("LibOpus", "OpusDecoder", "OpusError", "candidates", "load_libopus")

_MONO = 1
_MOST_SAMPLES_S = 0.12
"""The longest packet that RFC 6716 section 3.4 allows."""


class OpusError(Exception):
    """libopus refused a packet."""


class LibOpus:
    """The loaded library, with the types of what is called. Thread-safe."""

    def __init__(self, file: str) -> None:
        """Loads it.

        Args:
            file: path, or name as the system's linker knows it.

        Raises:
            OSError: if it cannot be loaded.
            AttributeError: if it is not libopus 1.5 or later.
        """
        library = ctypes.CDLL(file)
        self._text = library.opus_strerror
        self._text.argtypes, self._text.restype = [ctypes.c_int], ctypes.c_char_p
        self._create = library.opus_decoder_create
        self._create.argtypes = [ctypes.c_int32, ctypes.c_int, ctypes.POINTER(ctypes.c_int)]
        self._create.restype = ctypes.c_void_p
        self._destroy = library.opus_decoder_destroy
        self._destroy.argtypes, self._destroy.restype = [ctypes.c_void_p], None
        self._decode = library.opus_decode_float
        self._decode.argtypes = [
            ctypes.c_void_p,
            ctypes.c_char_p,
            ctypes.c_int32,
            ctypes.c_void_p,
            ctypes.c_int,
            ctypes.c_int,
        ]
        self._decode.restype = ctypes.c_int
        self._has_copy = library.opus_packet_has_lbrr
        self._has_copy.argtypes = [ctypes.c_char_p, ctypes.c_int32]
        self._has_copy.restype = ctypes.c_int

    def decoder(self, rate_hertz: int) -> OpusDecoder:
        """A new decoder to mono; packets in stereo are mixed by libopus.

        Args:
            rate_hertz: samples a second that come out: 8000, 12000, 16000, 24000 or 48000.

        Raises:
            OpusError: if it cannot be made.
        """
        code = ctypes.c_int(0)
        state = self._create(rate_hertz, _MONO, ctypes.byref(code))
        self.checked(code.value)
        return OpusDecoder(self, state, rate_hertz)

    def destroy(self, state: int) -> None:
        """Frees a decoder's state, which must not be used again."""
        self._destroy(state)

    def has_copy(self, packet: bytes) -> bool:
        """Whether a packet holds a coarse copy of the one before it (in-band FEC)."""
        found: int = self._has_copy(packet, len(packet))
        return found > 0

    def decode(
        self, state: int, packet: bytes | None, into: npt.NDArray[np.float32], *, fec: bool
    ) -> int:
        """Calls `opus_decode_float`; see `OpusDecoder.decode_float`."""
        size = 0 if packet is None else len(packet)
        count = self._decode(state, packet, size, into.ctypes.data, len(into), int(fec))
        return self.checked(count)

    def checked(self, code: int) -> int:
        """A result of libopus, which is an error if it is negative.

        Raises:
            OpusError: with libopus's own words.
        """
        if code < 0:
            raise OpusError(self._text(code).decode("ascii"))
        return code


class OpusDecoder:
    """The state of one stream's decoder; one call at a time, from any thread.

    ctypes lets other threads run during a call.
    """

    def __init__(self, library: LibOpus, state: int, rate_hertz: int) -> None:
        """Takes over a state of libopus, and frees it when nobody needs it any more."""
        self._library = library
        self._state = state
        self._room = np.empty(round(rate_hertz * _MOST_SAMPLES_S), dtype=np.float32)
        weakref.finalize(self, library.destroy, state)

    def decode_float(
        self, packet: bytes | None, samples: int | None = None, *, fec: bool = False
    ) -> npt.NDArray[np.float32]:
        """The next samples, float32 [samples] at the decoder's rate, about [-1, 1].

        Args:
            packet: a packet; None to conceal a lost one.
            samples: exactly how many are missing, a whole number of 2.5 ms up to 120 ms; only
                where something was lost.
            fec: whether what is wanted is not the packet but what was lost just before it. What
                it has no copy of is concealed.

        Raises:
            OpusError: if the packet is damaged; the state is then as it was.
        """
        into = self._room if samples is None else self._room[:samples]
        count = self._library.decode(self._state, packet, into, fec=fec)
        return into[:count].copy()


@functools.cache
def load_libopus() -> LibOpus:
    """The library, loaded once.

    Raises:
        StartupError: if there is none that can be loaded.
    """
    tried: list[str] = []
    for file in candidates():
        try:
            return LibOpus(file)
        except (OSError, AttributeError) as error:
            tried.append(f"{file}: {error}")
    msg = (
        "libopus, which decodes Opus packets, was not found; install PyAV from its wheel "
        f"(pip install --only-binary av av), or libopus 1.5 or later ({'; '.join(tried) or 'none'})"
    )
    raise StartupError(msg)


def candidates() -> list[str]:
    """Where libopus may be: beside PyAV (Linux and Windows, macOS), then in the system."""
    # libopusfile and libopusenc are other libraries.
    found = [
        file
        for file in bundled("libopus")
        if not Path(file).name.startswith(("libopusf", "libopuse"))
    ]
    system = ctypes.util.find_library("opus")
    return found if system is None else [*found, system]
