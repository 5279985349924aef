"""Runs the network of a voice: numbers of phonemes in, sound out piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from voicemesh_tts.engines.piper.decoders import SPEAKER
from voicemesh_tts.engines.piper.splits import AFTER, BEFORE, HOP
from voicemesh_tts.engines.piper.windows import Reach, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from voicemesh_tts.engines.piper.decoders import Decoder, OnnxModel
    from voicemesh_tts.ports import Samples

__all__ = (
    "LONGEST_S",
    "Network",
    "Plan",
    "Scales",
    "Sound",
    "SplitNetwork",
    "WholeNetwork",
)

LONGEST_S = 2.0
"""Longest piece, in seconds; nobody else is served while it is made."""


@dataclass(frozen=True)
class Scales:
    """How the network is to speak."""

    noise: float
    """Variation of the sound."""

    length: float
    """Length of the phonemes."""

    noise_w: float
    """Variation of the rhythm."""


@dataclass(frozen=True)
class Sound:
    """What a network makes of some phonemes."""

    sample_count: int
    """How long it is."""

    parts: Iterator[Samples]
    """The sound, in order; each part is made when it is asked for."""

    lengths: NDArray[np.int64] | None
    """Samples of each of the phonemes' numbers; None if the voice does not say."""


@dataclass(frozen=True)
class Plan:
    """How the halves of a voice fit together."""

    hop: int
    """Samples of a frame."""

    reach: Reach
    """How far the decoder looks."""

    @staticmethod
    def of(facts: Mapping[str, str]) -> Plan:
        """The plan that `splits` has written into a file.

        Raises:
            KeyError, ValueError: if there is none.
        """
        return Plan(int(facts[HOP]), Reach(int(facts[BEFORE]), int(facts[AFTER])))


class Network(Protocol):
    """The network of a voice. Threads may use it at once."""

    def say(self, ids: Sequence[int], scales: Scales, speaker: int | None, first_s: float) -> Sound:
        """The sound of a run of phonemes. Blocks, as its parts do.

        Args:
            ids: the numbers of the phonemes.
            scales: how to speak.
            speaker: who speaks, of a voice of several.
            first_s: length of the first part, in seconds, if the voice can be heard in parts.
        """
        ...


class SplitNetwork:
    """A voice whose decoder runs apart from the rest, on a stretch of frames at a time."""

    def __init__(
        self, encoder: OnnxModel, decoder: Decoder, plan: Plan, sample_rate_hertz: int
    ) -> None:
        """Takes the halves.

        Args:
            encoder: from phonemes to frames.
            decoder: from frames to sound.
            plan: how they fit together.
            sample_rate_hertz: rate of the sound.
        """
        self._plan = plan
        self._rate = sample_rate_hertz
        self._encoder = encoder
        self._decoder = decoder

    def say(self, ids: Sequence[int], scales: Scales, speaker: int | None, first_s: float) -> Sound:
        """See `Network`."""
        frames, *more = self._encoder.run(_feed(ids, scales, speaker))
        hop = self._plan.hop
        lengths = _lengths(more, hop, len(ids))
        return Sound(frames.shape[2] * hop, self._parts(frames, speaker or 0, first_s), lengths)

    def _parts(
        self, frames: NDArray[np.float32], speaker: int, first_s: float
    ) -> Iterator[Samples]:
        hop = self._plan.hop
        longest, first = (round(length_s * self._rate / hop) for length_s in (LONGEST_S, first_s))
        sizes = self._decoder.sizes
        for window in windows(frames.shape[2], first, longest, self._plan.reach, sizes):
            # What lies further away makes no difference.
            sound = self._decoder.decode(frames[:, :, window.begin : window.stop], speaker)
            heard = slice((window.start - window.begin) * hop, (window.end - window.begin) * hop)
            # A copy, so that the sound of the frames around it is not kept with it.
            yield np.array(sound[heard])


class WholeNetwork:
    """A voice that could not be split: all of its sound comes at once."""

    def __init__(self, model: OnnxModel, hop: int) -> None:
        self._model = model
        self._hop = hop

    def say(self, ids: Sequence[int], scales: Scales, speaker: int | None, first_s: float) -> Sound:
        """See `Network`."""
        sound, *more = self._model.run(_feed(ids, scales, speaker))
        samples = np.ascontiguousarray(sound, np.float32).reshape(-1)
        return Sound(len(samples), iter([samples]), _lengths(more, self._hop, len(ids)))


def _feed(ids: Sequence[int], scales: Scales, speaker: int | None) -> dict[str, Any]:
    return {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([scales.noise, scales.length, scales.noise_w], np.float32),
        SPEAKER: np.array([speaker or 0], np.int64),
    }


def _lengths(outputs: Sequence[Any], hop: int, count: int) -> NDArray[np.int64] | None:
    if not outputs:
        return None
    lengths = np.asarray(outputs[0]).reshape(-1).astype(np.int64) * hop
    return lengths if len(lengths) == count else None
