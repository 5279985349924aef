"""Voice activity by Silero VAD through onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from voicemesh_stt.ports import FRAME_SAMPLES, SAMPLE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("SileroDetector", "SileroModel")

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
    """A `VoiceDetector`."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, dtype=np.float32)

    def probabilities(self, audio: Samples) -> list[float]:
        """The probability of a voice in each further frame; see `ports.VoiceDetector`."""
        found: list[float] = []
        for frame in audio.reshape(-1, FRAME_SAMPLES):
            given = np.concatenate((self._context, frame))[np.newaxis]
            probability, self._state = self._model.run(given, self._state)
            self._context = frame[-_CONTEXT_SAMPLES:]
            found.append(probability)
        return found
