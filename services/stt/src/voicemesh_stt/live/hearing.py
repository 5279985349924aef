"""From what a caller sends to frames with voice probabilities; runs on an audio thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.domain import Packet, Silence
from voicemesh_stt.live.packets import Ordered, PacketSequencer
from voicemesh_stt.ports import FRAME_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from voicemesh_stt.ports import LiveDecoder, Samples, VoiceDetector

__all__ = ("Frame", "Hearing")

_PER_SAMPLE = 3
"""Samples at 48 kHz, as silence is measured, for each one at 16 kHz."""
_FRAME = FRAME_SAMPLES * _PER_SAMPLE
"""Samples of a frame at 48 kHz."""
_LISTENED = 48_000
"""Samples of a silence, 1 s, after which the detector need not be asked any more."""
_LONGEST_FRAMES = 314
"""Frames of a silence that follow them; with these it is 11 s, which no turn outlasts."""
_SILENT_FRAME = np.zeros(FRAME_SAMPLES, dtype=np.float32)
_SILENT_FRAME.flags.writeable = False


@dataclass(frozen=True, eq=False)
class Frame:
    """32 ms of a stream."""

    audio: Samples
    """512 samples."""
    probability: float
    """Of a voice; 0 where every sample is."""
    skipped: int = 0
    """Frames of silence after this one that were not made, because it is so long."""


class Hearing:
    """Decodes one stream and listens for voices. Not thread-safe; one call at a time."""

    def __init__(self, decoder: LiveDecoder, detector: VoiceDetector) -> None:
        self._decoder = decoder
        self._detector = detector
        self._sequencer = PacketSequencer()
        self._rest = np.zeros(0, dtype=np.float32)

    def hear(self, item: bytes | Packet, came_s: float = 0.0) -> list[Frame]:
        """The frames that are complete now.

        Args:
            item: what was sent.
            came_s: when it came; see `PacketSequencer.push`.

        Raises:
            UnreadableAudioError: if the item is not of the stream's encoding.
        """
        if isinstance(item, Packet):
            return self._heard(self._sequencer.push(item, came_s))
        return self._frames([self._decoder.decode(item)])

    def quiet(self, samples: int) -> list[Frame]:
        """The frames of a time in which no packet came, in samples at 48 kHz.

        Packets that were held back for a missing one come first: they were said before it.
        """
        whole = samples // _PER_SAMPLE * _PER_SAMPLE
        return self._heard([*self._sequencer.flush(), self._sequencer.fill(whole)])

    def settle(self, *, ended: bool) -> list[Frame]:
        """What is still held back.

        What is less than a frame waits for what follows: filled up with silence, it would move all
        later times.

        Args:
            ended: whether nothing follows, so that the decoder gives its last samples too and the
                last frame is filled up.
        """
        frames = self._heard(self._sequencer.flush())
        if not ended:
            return frames
        last = self._decoder.flush()
        missing = -(len(self._rest) + len(last)) % FRAME_SAMPLES
        return frames + self._frames([last, np.zeros(missing, dtype=np.float32)])

    def _heard(self, items: Iterable[Ordered]) -> list[Frame]:
        """Frames of all items; of a long silence only the start is decoded and listened to."""
        frames: list[Frame] = []
        parts: list[Samples] = []
        for item in items:
            if isinstance(item, Silence) and item.samples >= 2 * _LISTENED:
                unheard = (item.samples - _LISTENED) // _FRAME
                start = Silence(item.samples - unheard * _FRAME)
                frames += self._frames([*parts, self._decoder.decode(start)])
                frames += _unheard(unheard)
                parts = []
            else:
                parts.append(self._decoder.decode(item))
        return frames + self._frames(parts)

    def _frames(self, parts: Sequence[Samples]) -> list[Frame]:
        audio = np.concatenate([self._rest, *parts])
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        if whole == 0:
            return []
        found = self._detector.probabilities(audio[:whole])
        # A detector goes on hearing a voice for some frames after it; where there is no sound at
        # all there is none, and those frames would be waited for.
        return [
            Frame(frame, p if frame.any() else 0.0)
            for frame, p in zip(audio[:whole].reshape(-1, FRAME_SAMPLES), found, strict=True)
        ]


def _unheard(count: int) -> list[Frame]:
    """So many frames of silence, the last of them standing for all that are too many."""
    made = min(count, _LONGEST_FRAMES)
    frames = [Frame(_SILENT_FRAME, 0.0)] * (made - 1)
    return [*frames, Frame(_SILENT_FRAME, 0.0, skipped=count - made)]
