"""From packets to frames."""

from __future__ import annotations

import numpy as np
import pytest

from voicemesh_stt.domain import Packet, Silence
from voicemesh_stt.hearing import Hearing
from voicemesh_stt.ports import Samples

pytestmark = pytest.mark.unit


class Decoder:
    """Makes one frame of each packet, with the packet's number in it, and zeros of silence."""

    def decode(self, item: bytes | Packet | Silence) -> Samples:
        if isinstance(item, Packet):
            return np.full(512, item.sequence, dtype=np.float32)
        return np.zeros(item.samples // 3 if isinstance(item, Silence) else 0, dtype=np.float32)

    def flush(self) -> Samples:
        return np.zeros(0, dtype=np.float32)


class Detector:
    """Says the number of the packet in place of a probability."""

    def probabilities(self, audio: Samples) -> list[float]:
        return [float(p) for p in audio.reshape(-1, 512).max(axis=1)]


def test_packets_held_back_for_a_lost_one_are_heard_before_the_silence_after_them() -> None:
    hearing = Hearing(Decoder(), Detector())
    for number in (1, 3, 4):
        hearing.hear(Packet(b"x", number, number * 960))

    frames = hearing.quiet(512 * 3 * 4)

    numbers = [frame.probability for frame in frames]
    assert list(dict.fromkeys(numbers)) == [3, 4, 0]
