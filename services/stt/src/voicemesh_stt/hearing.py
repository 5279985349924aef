"""From what a caller sends to frames with voice probabilities; runs on an audio thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.domain import Packet
from voicemesh_stt.packets import PacketSequencer
from voicemesh_stt.turns import FRAME_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_stt.ports import LiveDecoder, Samples, VoiceDetector

__all__ = ("Frame", "Hearing")


@dataclass(frozen=True, eq=False)
class Frame:
    """32 ms of a stream."""

    audio: Samples
    """512 samples."""
    probability: float
    """Of a voice."""


class Hearing:
    """Decodes one stream and listens for voices. Not thread-safe; one call at a time."""

    def __init__(self, decoder: LiveDecoder, detector: VoiceDetector) -> None:
        self._decoder = decoder
        self._detector = detector
        self._sequencer = PacketSequencer()
        self._rest = np.zeros(0, dtype=np.float32)

    def hear(self, item: bytes | Packet) -> list[Frame]:
        """The frames that are complete now.

        Raises:
            UnreadableAudioError: if the item is not of the stream's encoding.
        """
        items = self._sequencer.push(item) if isinstance(item, Packet) else [item]
        return self._frames(self._decoder.decode(part) for part in items)

    def quiet(self, samples: int) -> list[Frame]:
        """The frames of a time in which no packet came, in samples at 48 kHz.

        Packets that were held back for a missing one come first: they were said before it.
        """
        items = [*self._sequencer.flush(), self._sequencer.fill(samples)]
        return self._frames(self._decoder.decode(item) for item in items)

    def settle(self, *, ended: bool) -> list[Frame]:
        """What is still held back, filled up with silence to a whole frame.

        Args:
            ended: whether nothing follows, so that the decoder may give its last samples too.
        """
        parts = [self._decoder.decode(item) for item in self._sequencer.flush()]
        if ended:
            parts.append(self._decoder.flush())
        missing = -(len(self._rest) + sum(len(part) for part in parts)) % FRAME_SAMPLES
        parts.append(np.zeros(missing, dtype=np.float32))
        return self._frames(parts)

    def _frames(self, parts: Iterable[Samples]) -> list[Frame]:
        audio = np.concatenate([self._rest, *parts])
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        if whole == 0:
            return []
        frames = audio[:whole].reshape(-1, FRAME_SAMPLES)
        found = self._detector.probabilities(audio[:whole])
        return [Frame(frame, p) for frame, p in zip(frames, found, strict=True)]
