"""Where in a recording somebody speaks, by Silero VAD through onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

from voicemesh_chassis.service import StartupError
from voicemesh_models import ModelError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicemesh_models import ModelStore

__all__ = ("SileroSpeechDetector",)

_MODEL = "silero-vad"
_THRESHOLD = 0.5


class SileroSpeechDetector:
    """A `ports.SpeechDetector`; it is loaded for each recording, which takes some milliseconds."""

    def __init__(self, store: ModelStore) -> None:
        """Takes the store that has the model; `check` says whether it has."""
        self._store = store

    def check(self) -> None:
        """Says at the start what would be missing later.

        Raises:
            StartupError: if the model or onnxruntime is not installed.
        """
        try:
            import onnxruntime  # noqa: F401 - whether it is there
        except ImportError as error:
            msg = "cloning voices needs onnxruntime; install it with `pip install onnxruntime`"
            raise StartupError(msg) from error
        try:
            self._store.require(_MODEL)
        except ModelError as error:
            raise StartupError(str(error)) from error

    def speech(self, reference: Samples) -> NDArray[np.bool_]:
        """Where somebody speaks; see `ports.SpeechDetector`."""
        # Imports onnxruntime, which is there only where voices can be cloned.
        from voicemesh_models import silero

        model = silero.SileroModel(self._store.require(_MODEL) / silero.SILERO_FILE)
        audio = soxr.resample(reference, REFERENCE_RATE_HERTZ, silero.SAMPLE_RATE_HERTZ)
        audio = np.pad(audio.astype(np.float32), (0, -len(audio) % silero.FRAME_SAMPLES))
        found = np.array(model.detector().probabilities(audio)) >= _THRESHOLD
        step = silero.FRAME_SAMPLES * REFERENCE_RATE_HERTZ // silero.SAMPLE_RATE_HERTZ
        return np.repeat(found, step)[: len(reference)]
