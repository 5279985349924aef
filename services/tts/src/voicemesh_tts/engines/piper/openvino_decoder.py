"""The decoder of a voice as OpenVINO runs it.

It takes a quarter less of the machine than ONNX Runtime, and less than half where the processor
works with bfloat16.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_tts.engines.piper.decoders import SPEAKER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from voicemesh_tts.engines.piper.precision import Precision
    from voicemesh_tts.ports import Samples

__all__ = ("OpenVinoDecoder", "PrecisionError", "import_openvino")

_DEVICE = "CPU"

_NEVER = ("openvino_telemetry", "openvino.tools.ovc")
"""What `import openvino` would import as well, if it could: what reports its use to Google
Analytics, and the converter of models, which is what reports."""

_importing = threading.Lock()


class PrecisionError(Exception):
    """The processor has no bfloat16 of its own."""


def import_openvino() -> Any:
    """OpenVINO, without anything that could send reports.

    Raises:
        ImportError: if it is not installed, or not for this machine.
    """
    with _importing:
        kept = {name: sys.modules[name] for name in _NEVER if name in sys.modules}
        # None in the table of modules is how Python is told that there is no such module.
        sys.modules.update(dict.fromkeys(_NEVER))  # type: ignore[arg-type]
        try:
            import openvino
        finally:
            for name in _NEVER:
                del sys.modules[name]
            sys.modules.update(kept)
        return openvino


class OpenVinoDecoder:
    """See `decoders.Decoder`.

    All callers take turns at one stream of all threads: that takes no more of the machine than a
    thread for each, and the one whose turn it is is done sooner.
    """

    def __init__(
        self, model: Path | bytes, threads: int, precision: Precision, sizes: Sequence[int]
    ) -> None:
        """Loads it, and makes its kernels for each size, in about 40 ms each.

        Args:
            model: the decoder in planes.
            threads: threads of OpenVINO.
            precision: how exact it is to be.
            sizes: how many frames it is to be given at a time.

        Raises:
            ImportError: if there is no OpenVINO.
            PrecisionError: if the processor does not work with what is asked for.
            RuntimeError: if OpenVINO cannot run it.
        """
        openvino = import_openvino()
        core = openvino.Core()
        native = "BF16" in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
        if precision == "bfloat16" and not native:
            msg = "this processor does not work with bfloat16"
            raise PrecisionError(msg)
        rough = native and precision != "float32"
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "bf16" if rough else "f32",
            "NUM_STREAMS": 1,
            # Other services run on the same cores.
            "ENABLE_CPU_PINNING": False,
        }
        read = core.read_model(model)
        self._request = core.compile_model(read, _DEVICE, options).create_infer_request()
        self._lock = threading.Lock()
        self.sizes = tuple(sizes)
        self._names = [each.get_any_name() for each in read.inputs]
        frames = next(each for each in read.inputs if each.get_any_name() != SPEAKER)
        self._frames = frames.get_any_name()
        channels = frames.get_partial_shape()[1].get_length()
        # The longest first, so that memory is asked for once.
        for size in reversed(self.sizes):
            self.decode(np.zeros((1, channels, size), np.float32), 0)

    def decode(self, frames: NDArray[np.float32], speaker: int) -> Samples:
        """See `decoders.Decoder`. A length that is not one of its sizes takes 50 ms more."""
        given = {self._frames: frames, SPEAKER: np.array([speaker], np.int64)}
        # It would read a view of more frames as if it were these alone.
        feed = {name: np.ascontiguousarray(given[name]) for name in self._names}
        with self._lock:
            self._request.infer(feed)
            sound: Samples = np.array(self._request.get_output_tensor(0).data, np.float32)
        return sound.reshape(-1)
