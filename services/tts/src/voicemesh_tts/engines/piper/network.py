"""Runs the network of a voice: numbers of phonemes in, sound out piece by piece."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from voicemesh_tts.engines.piper.splits import AFTER, BEFORE, HOP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from voicemesh_tts.ports import Samples

__all__ = (
    "LONGEST_S",
    "SPEAKER",
    "Crowd",
    "Network",
    "Scales",
    "Sound",
    "SplitNetwork",
    "WholeNetwork",
    "stretches",
)

SPEAKER = "sid"
"""The input that names the speaker, of voices of several."""

LONGEST_S = 2.0
"""Longest piece, in seconds; nobody else is served while it is made."""

_GROWTH = 4.0


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


class Crowd:
    """Counts who is at work, on any voice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    @contextmanager
    def joined(self) -> Iterator[bool]:
        """One more for a while; says whether there is no other."""
        with self._lock:
            self._count += 1
            alone = self._count == 1
        try:
            yield alone
        finally:
            with self._lock:
                self._count -= 1


class SplitNetwork:
    """A voice whose decoder runs apart from the rest, on a stretch of frames at a time."""

    def __init__(
        self,
        encoder: InferenceSession,
        decoder: InferenceSession,
        frugal: InferenceSession,
        crowd: Crowd,
        sample_rate_hertz: int,
    ) -> None:
        """Takes the halves.

        Args:
            encoder: from phonemes to frames.
            decoder: from frames to sound, in as many threads as there may be.
            frugal: the same in one thread, which takes a sixth less of the machine. For when
                others are at work.
            crowd: who is at work.
            sample_rate_hertz: rate of the sound.

        Raises:
            KeyError, ValueError: if the decoder does not say how it is to be run.
        """
        facts = decoder.get_modelmeta().custom_metadata_map
        self._hop, self._before, self._after = (int(facts[fact]) for fact in (HOP, BEFORE, AFTER))
        self._rate = sample_rate_hertz
        self._encoder = encoder
        self._decoder = decoder
        self._frugal = frugal
        self._crowd = crowd
        self._speaker = SPEAKER in _inputs(decoder)
        self._frames = decoder.get_inputs()[0].name

    def say(self, ids: Sequence[int], scales: Scales, speaker: int | None, first_s: float) -> Sound:
        """See `Network`."""
        with self._crowd.joined():
            frames, *more = self._encoder.run(None, _feed(self._encoder, ids, scales, speaker))
        lengths = _lengths(more, self._hop, len(ids))
        return Sound(frames.shape[2] * self._hop, self._parts(frames, speaker, first_s), lengths)

    def _parts(
        self, frames: NDArray[np.float32], speaker: int | None, first_s: float
    ) -> Iterator[Samples]:
        count = frames.shape[2]
        longest = round(LONGEST_S * self._rate / self._hop)
        first = round(first_s * self._rate / self._hop)
        for start, end in stretches(count, first, longest):
            # What lies further away makes no difference.
            begin, stop = max(0, start - self._before), min(count, end + self._after)
            feed: dict[str, Any] = {self._frames: frames[:, :, begin:stop]}
            if self._speaker:
                feed[SPEAKER] = np.array([speaker or 0], np.int64)
            with self._crowd.joined() as alone:
                (sound,) = (self._decoder if alone else self._frugal).run(None, feed)
            offset = (start - begin) * self._hop
            # A copy, so that the sound of the frames around it is not kept with it.
            yield np.array(sound.reshape(-1)[offset : offset + (end - start) * self._hop])


class WholeNetwork:
    """A voice that could not be split: all of its sound comes at once."""

    def __init__(self, session: InferenceSession, hop: int) -> None:
        self._session = session
        self._hop = hop

    def say(self, ids: Sequence[int], scales: Scales, speaker: int | None, first_s: float) -> Sound:
        """See `Network`."""
        sound, *more = self._session.run(None, _feed(self._session, ids, scales, speaker))
        samples = np.ascontiguousarray(sound, np.float32).reshape(-1)
        return Sound(len(samples), iter([samples]), _lengths(more, self._hop, len(ids)))


def stretches(count: int, first: int, longest: int) -> Iterator[tuple[int, int]]:
    """Where pieces of a sound begin and end: the first is short, the next longer and longer.

    A rest too short to be worth a piece of its own goes with the piece before it.

    Args:
        count: frames of the whole sound.
        first: frames of the first piece.
        longest: frames of the longest, but for such a rest.
    """
    start, size = 0, min(max(1, first), max(1, longest))
    while start < count:
        end = min(count, start + size)
        size = min(longest, round(size * _GROWTH))
        if count - end < size // 4:
            end = count
        yield start, end
        start = end


def _feed(
    session: InferenceSession, ids: Sequence[int], scales: Scales, speaker: int | None
) -> dict[str, Any]:
    feed = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([scales.noise, scales.length, scales.noise_w], np.float32),
        SPEAKER: np.array([speaker or 0], np.int64),
    }
    return {name: feed[name] for name in _inputs(session)}


def _inputs(session: InferenceSession) -> list[str]:
    return [each.name for each in session.get_inputs()]


def _lengths(outputs: Sequence[Any], hop: int, count: int) -> NDArray[np.int64] | None:
    if not outputs:
        return None
    lengths = np.asarray(outputs[0]).reshape(-1).astype(np.int64) * hop
    return lengths if len(lengths) == count else None
