"""Runs the network of Kokoro-82M: symbols and a style in, sound and times out."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from voicemesh_tts.ports import Samples

__all__ = (
    "FRAME_SAMPLES",
    "SAMPLE_RATE_HERTZ",
    "Network",
    "Sound",
    "open_network",
    "vocabulary_of",
)

_logger = get_logger(__name__)

SAMPLE_RATE_HERTZ = 24_000
FRAME_SAMPLES = 600
"""Each symbol lasts a whole number of frames of this many samples, at least one."""

_EDGE = 0
"""The symbol at both ends."""

_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
_VOCABULARIES = ("vocab.json", "config.json")


@dataclass(frozen=True)
class Sound:
    """What the network makes of some symbols."""

    samples: Samples
    """The sound, with the silence at both ends."""

    lengths: NDArray[np.int64] | None
    """Samples of the silence before, of each symbol, and of the silence behind; together all
    samples. None if the network does not say."""


class Network:
    """A network in memory. Threads may use it at once.

    Attributes:
        memory_bytes: what it takes up, about.
        takes_speed: whether it can speak faster and slower.
    """

    def __init__(self, session: InferenceSession, memory_bytes: int) -> None:
        import onnxruntime

        self.memory_bytes = memory_bytes
        self._session = session
        self._inputs = {each.name: _TYPES[each.type] for each in session.get_inputs()}
        self._options = onnxruntime.RunOptions()
        # A run of 200 symbols needs 400 MB; without this they would never be given back.
        self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self.takes_speed = self._inputs["speed"] is np.float32

    def run(self, symbols: Sequence[int], style: NDArray[np.float32], speed: float) -> Sound:
        """The sound of some symbols. Blocks.

        Args:
            symbols: their numbers, at most `styles.MOST_SYMBOLS`.
            style: float32 [256], of that many symbols.
            speed: how fast; 2 is twice as fast, about. 1 unless `takes_speed`.
        """
        values: dict[str, Any] = {"style": style.reshape(1, -1), "speed": [speed]}
        tokens = [[_EDGE, *symbols, _EDGE]]
        feed = {name: np.array(values.get(name, tokens), of) for name, of in self._inputs.items()}
        sound, *more = self._session.run(None, feed, self._options)
        samples = np.ascontiguousarray(sound, np.float32).reshape(-1)
        if not more:
            return Sound(samples, None)
        lengths = np.asarray(more[0]).reshape(-1).astype(np.int64) * FRAME_SAMPLES
        fits = len(lengths) == len(symbols) + 2 and int(lengths.sum()) == len(samples)
        return Sound(samples, lengths if fits else None)


def open_network(model: Path, threads: int) -> Network:
    """Loads a network.

    Args:
        model: an ONNX export of Kokoro-82M.
        threads: of ONNX Runtime, for one run.

    Raises:
        StartupError: if that cannot be done.
    """
    try:
        import onnx  # noqa: F401 - rather here than half-way
        import onnxruntime
    except ImportError as error:
        msg = (
            "the Kokoro engine needs the packages onnx and onnxruntime; install them with "
            "`pip install 'voicemesh-tts[kokoro]'`"
        )
        raise StartupError(msg) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the cores from the other services.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return Network(_session(model, options), model.stat().st_size)
    except Exception as error:  # whatever a damaged file makes the libraries raise
        msg = (
            f"the Kokoro model in {model} cannot be loaded ({type(error).__name__}: it must be an "
            "ONNX export of Kokoro-82M); replace it"
        )
        raise StartupError(msg) from error


def vocabulary_of(model: Path) -> Mapping[str, int]:
    """The number of each symbol, from the `vocab.json` or `config.json` beside a model.

    Raises:
        StartupError: if there is neither, or it cannot be used.
    """
    for name in _VOCABULARIES:
        try:
            found = json.loads((model.parent / name).read_bytes())["vocab"]
            return {str(symbol): int(number) for symbol, number in found.items()}
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{model.parent / name} is not the vocabulary of a Kokoro model; replace it"
            raise StartupError(msg) from error
    msg = f"the Kokoro model in {model} needs its vocabulary, vocab.json or config.json, beside it"
    raise StartupError(msg)


def _session(model: Path, options: Any) -> InferenceSession:
    import onnx
    from onnxruntime import InferenceSession

    providers = ["CPUExecutionProvider"]
    timed = _with_lengths(onnx.load(str(model)))
    if timed is None:
        return InferenceSession(str(model), options, providers=providers)
    try:
        # From a file, because ONNX Runtime keeps a copy of what it is given as bytes.
        with tempfile.TemporaryDirectory(prefix="voicemesh-kokoro-") as directory:
            onnx.save(timed, str(Path(directory) / model.name))
            return InferenceSession(str(Path(directory) / model.name), options, providers=providers)
    except OSError:
        return InferenceSession(timed.SerializeToString(), options, providers=providers)


def _with_lengths(model: Any) -> Any | None:
    """The same model with the length of each symbol as a second result, if that can be found.

    The lengths are what is rounded to whole frames and then kept from being nothing.
    """
    import onnx

    rounded = {name for node in model.graph.node if node.op_type == "Round" for name in node.output}
    lengths = [
        node.output[0]
        for node in model.graph.node
        if node.op_type in {"Clip", "Max"} and rounded.intersection(node.input)
    ]
    if len(lengths) != 1:
        _logger.warning("a Kokoro model does not say when its words are spoken")
        return None
    del model.graph.output[1:]
    model.graph.output.append(
        onnx.helper.make_tensor_value_info(lengths[0], onnx.TensorProto.FLOAT, None)
    )
    return model
