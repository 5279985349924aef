"""Voice activity by Silero VAD through onnxruntime; needs the extra `silero`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = (
    "FRAME_SAMPLES",
    "SAMPLE_RATE_HERTZ",
    "SILERO_FILE",
    "SILERO_MODEL",
    "SileroDetector",
    "SileroModel",
)

SILERO_MODEL = "silero-vad"
"""Its name in the catalogue."""
SILERO_FILE = "silero_vad_16k_op15.onnx"
"""The network, among the files of the model."""
SAMPLE_RATE_HERTZ = 16_000
"""Samples a second of what it hears."""
FRAME_SAMPLES = 512
"""Samples that it judges at a time."""

_CONTEXT_SAMPLES = 64
"""Samples of the frame before that the 16 kHz model wants in front of each frame."""


class SileroModel:
    """The loaded network, shared by all streams."""

    def __init__(self, file: Path) -> None:
        """Loads it.

        Args:
            file: the 16 kHz ONNX model of silero-vad 5 or 6.
        """
        options = onnxruntime.SessionOptions()
        # A frame takes 0.1 ms; more threads would only take the engine's cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(SAMPLE_RATE_HERTZ, dtype=np.int64)

    def detector(self) -> SileroDetector:
        """A detector for one stream."""
        return SileroDetector(self)

    def run(self, frame: Any, state: Any) -> tuple[float, Any]:
        """The probability of a voice in a frame, and the next state. Thread-safe."""
        output, following = self._session.run(
            None, {"input": frame, "state": state, "sr": self._rate}
        )
        return float(output[0, 0]), following


class SileroDetector:
    """Hears one stream; keeps state between calls, so one per stream."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, dtype=np.float32)

    def probabilities(self, audio: NDArray[np.float32]) -> list[float]:
        """The probability of a voice in each further frame.

        Args:
            audio: float32 [samples] at 16 kHz, whole frames of 512.
        """
        found: list[float] = []
        for frame in audio.reshape(-1, FRAME_SAMPLES):
            given = np.concatenate((self._context, frame))[np.newaxis]
            probability, self._state = self._model.run(given, self._state)
            self._context = frame[-_CONTEXT_SAMPLES:]
            found.append(probability)
        return found
