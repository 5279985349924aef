"""The end of a turn by Smart Turn v3 through onnxruntime: the sound says more than the words.

The model is Whisper's encoder with a small head, and hears how a sentence falls or hangs. It was
trained on turns that end in a short silence, the last 8 s of them, padded with zeros in front
(pipecat-ai/smart-turn, and `LocalSmartTurnAnalyzerV3` of pipecat-ai 1.14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from faster_whisper.feature_extractor import FeatureExtractor

from voicemesh_stt.ports import SAMPLE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ("SmartTurnModel", "log_mel")

_WINDOW_S = 8
_WINDOW_SAMPLES = _WINDOW_S * SAMPLE_RATE_HERTZ
_LEAST_VARIANCE = 1e-7

_extractor: Any = FeatureExtractor(chunk_length=_WINDOW_S)


class SmartTurnModel:
    """An `EndOfTurnModel`. Loads in `__init__`, which takes about a tenth of a second."""

    def __init__(self, file: Path) -> None:
        """Loads it.

        Args:
            file: the ONNX model of Smart Turn 3.x.
        """
        options = onnxruntime.SessionOptions()
        # 40 ms on one thread are soon enough; more would only take the engine's cores.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def probability(self, audio: Samples) -> float:
        """Whether the speaker has finished; see `ports.EndOfTurnModel`."""
        (found,) = self._session.run(None, {"input_features": log_mel(audio)[np.newaxis]})
        return min(1.0, max(0.0, float(np.ravel(found)[0])))


def log_mel(audio: Samples) -> npt.NDArray[np.float32]:
    """What the model is given of a turn: Whisper's log-mel of its last 8 s, float32 [80, 800].

    Silence goes in front, so that the end of the turn is the end of the window; then the samples,
    silence included, are brought to a mean of 0 and a variance of 1.
    """
    last = audio[-_WINDOW_SAMPLES:].astype(np.float32, copy=False)
    window = np.pad(last, (_WINDOW_SAMPLES - len(last), 0))
    scaled = (window - window.mean()) / np.sqrt(window.var() + _LEAST_VARIANCE)
    features: npt.NDArray[np.float32] = _extractor(scaled, padding=0).astype(np.float32)
    return features
