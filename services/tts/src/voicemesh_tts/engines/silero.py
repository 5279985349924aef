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
_FILE = "silero_vad_16k_op15.onnx"
_RATE_HERTZ = 16_000
_FRAME = 512
_CONTEXT = 64
"""Samples of the frame before that the model wants in front of each frame."""
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
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(self._store.require(_MODEL) / _FILE),
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )
        audio = soxr.resample(reference, REFERENCE_RATE_HERTZ, _RATE_HERTZ).astype(np.float32)
        audio = np.pad(audio, (0, -len(audio) % _FRAME))
        state = np.zeros((2, 1, 128), np.float32)
        before = np.zeros(_CONTEXT, np.float32)
        found: list[bool] = []
        for frame in audio.reshape(-1, _FRAME):
            given = np.concatenate((before, frame))[np.newaxis]
            output, state = session.run(
                None, {"input": given, "state": state, "sr": np.array(_RATE_HERTZ, np.int64)}
            )
            found.append(float(output[0, 0]) >= _THRESHOLD)
            before = frame[-_CONTEXT:]
        each = np.repeat(np.array(found, np.bool_), _FRAME * REFERENCE_RATE_HERTZ // _RATE_HERTZ)
        return each[: len(reference)]
