"""The decoder on OpenVINO: the same sound, in turn, and without a word to anybody."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from voicemesh_tts.engines.piper.decoders import Crowd, OnnxDecoder, OnnxModel
from voicemesh_tts.engines.piper.openvino_decoder import (
    OpenVinoDecoder,
    PrecisionError,
    import_openvino,
)
from voicemesh_tts.engines.piper.splits import SplitVoice, make_split

pytestmark = [
    pytest.mark.unit,
    # Looked for, not imported, because that would load what must not be loaded.
    pytest.mark.skipif(
        importlib.util.find_spec("openvino") is None, reason="OpenVINO is for x86-64 only"
    ),
]

SIZES = (16, 40)


@pytest.fixture(params=[1, 2])
def halves(
    request: pytest.FixtureRequest,
    put_voice: Callable[..., Path],
    make_model: Callable[..., object],
) -> SplitVoice:
    """The halves of a voice of one speaker, and of two."""
    made = make_split(put_voice(model=make_model(speakers=request.param)))
    assert made is not None
    return made


def onnx_decoder(halves: SplitVoice) -> OnnxDecoder:
    session = onnxruntime.InferenceSession(str(halves.decoder), providers=["CPUExecutionProvider"])
    return OnnxDecoder(OnnxModel(session, session, Crowd()))


def frames(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 8, count)).astype(np.float32)


@pytest.mark.parametrize("count", [16, 40, 23])
@pytest.mark.parametrize("in_memory", [False, True])
def test_it_makes_the_sound_that_onnx_runtime_makes(
    halves: SplitVoice, count: int, in_memory: bool
) -> None:
    assert isinstance(halves.planes, Path)
    model = halves.planes.read_bytes() if in_memory else halves.planes
    decoder = OpenVinoDecoder(model, 2, "float32", SIZES)
    # A view, as the network gives it.
    given = frames(count + 10)[:, :, 5:-5]

    made = decoder.decode(given, 1)

    assert made.shape == (count * 32,)
    assert np.abs(made - onnx_decoder(halves).decode(given, 1)).max() < 3e-5


def test_callers_at_once_get_each_their_own_sound(halves: SplitVoice) -> None:
    assert isinstance(halves.planes, Path)
    decoder = OpenVinoDecoder(halves.planes, 2, "float32", SIZES)
    given = [frames(SIZES[seed % 2], seed) for seed in range(64)]
    alone = [decoder.decode(each, 0) for each in given]

    with ThreadPoolExecutor(8) as callers:
        together = list(callers.map(lambda each: decoder.decode(each, 0), given))

    for one, other in zip(alone, together, strict=True):
        assert (one == other).all()


def test_bfloat16_is_near_where_the_processor_has_it_and_refused_where_not(
    halves: SplitVoice,
) -> None:
    assert isinstance(halves.planes, Path)
    native = "BF16" in import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if not native:
        with pytest.raises(PrecisionError):
            OpenVinoDecoder(halves.planes, 2, "bfloat16", SIZES)
        return
    rough = OpenVinoDecoder(halves.planes, 2, "bfloat16", SIZES).decode(frames(40), 0)
    auto = OpenVinoDecoder(halves.planes, 2, "auto", SIZES).decode(frames(40), 0)
    exact = onnx_decoder(halves).decode(frames(40), 0)

    assert (rough == auto).all()
    assert 0 < np.mean((rough - exact) ** 2) < 1e-3 * np.mean(exact**2)


def test_what_reports_to_its_makers_is_not_loaded(halves: SplitVoice) -> None:
    """OpenVINO comes with a package that reports its use, and imports it if it is let."""
    program = f"""
import sys
import numpy as np
from voicemesh_tts.engines.piper.openvino_decoder import OpenVinoDecoder
decoder = OpenVinoDecoder(__import__("pathlib").Path({str(halves.planes)!r}), 1, "float32", (16,))
assert decoder.decode(np.zeros((1, 8, 16), np.float32), 0).size
unwanted = ("openvino_telemetry", "openvino.tools")
print("loaded:", [name for name in sys.modules if name.startswith(unwanted)])
"""
    run = [sys.executable, "-c", program]
    said = subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout

    assert said.strip() == "loaded: []"


def test_without_openvino_there_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)

    with pytest.raises(ImportError):
        import_openvino()
    assert "openvino_telemetry" not in sys.modules
