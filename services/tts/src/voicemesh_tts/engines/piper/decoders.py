"""The decoder of a voice, from frames to sound, as ONNX Runtime runs it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from voicemesh_tts.ports import Samples

__all__ = ("SPEAKER", "Crowd", "Decoder", "OnnxDecoder", "OnnxModel")

SPEAKER = "sid"
"""The input that names the speaker, of voices of several."""


class Decoder(Protocol):
    """Makes sound of frames. Threads may use it at once."""

    @property
    def sizes(self) -> Sequence[int]:
        """How many frames it wants at a time, rising; empty if any number will do."""
        ...

    def decode(self, frames: NDArray[np.float32], speaker: int) -> Samples:
        """The sound of a stretch of frames, all of it. Blocks.

        Args:
            frames: float32 [1, channels, frames].
            speaker: who speaks; a voice of one does not mind.
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


class OnnxModel:
    """A model in two sessions: the quickest for who is alone, the most frugal in a crowd.

    Args:
        quick: in as many threads as there may be.
        frugal: in one thread, which takes less of the machine.
        crowd: who is at work.
    """

    def __init__(self, quick: InferenceSession, frugal: InferenceSession, crowd: Crowd) -> None:
        self._quick = quick
        self._frugal = frugal
        self._crowd = crowd
        self.inputs = tuple(each.name for each in quick.get_inputs())
        """Names of what it takes."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What the file says of itself."""
        facts: dict[str, str] = self._quick.get_modelmeta().custom_metadata_map
        return facts

    def run(self, given: Mapping[str, Any]) -> list[Any]:
        """What comes out; of what is given it takes what it knows. Blocks."""
        feed = {name: given[name] for name in self.inputs}
        with self._crowd.joined() as alone:
            return list((self._quick if alone else self._frugal).run(None, feed))


class OnnxDecoder:
    """A decoder on ONNX Runtime; see `Decoder`.

    With several threads its kernels of one dimension are quicker than those of two, and with one
    thread it is the other way about.
    """

    sizes: Sequence[int] = ()

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        (self._frames,) = (name for name in model.inputs if name != SPEAKER)

    def decode(self, frames: NDArray[np.float32], speaker: int) -> Samples:
        """See `Decoder`."""
        given = {self._frames: frames, SPEAKER: np.array([speaker], np.int64)}
        (sound,) = self._model.run(given)
        samples: Samples = np.asarray(sound, np.float32).reshape(-1)
        return samples
