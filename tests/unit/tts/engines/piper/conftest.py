# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet
"""A voice that is built like Piper's, of a few thousand random weights, for one speaker or two."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper

CHANNELS = 8
PHONEMES = [
    "_",
    "^",
    "$",
    " ",
    ".",
    ",",
    "?",
    "a",
    "b",
    "d",
    "e",
    "h",
    "l",
    "o",
    "r",
    "w",
    "ə",
    "ˈ",
]
RATE = 8_000
HOP = 32

MakeModel = Callable[..., onnx.ModelProto]
MakeVoice = Callable[..., Path]


class Graph:
    """Nodes and weights as they are added."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(7)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def drawn(self, name: str, *shape: int) -> str:
        return self.weight(name, self.random.normal(0, 0.3, shape).astype(np.float32))

    def add(self, operation: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def convolved(self, source: str, name: str, width: int, out: int, dilation: int = 1) -> str:
        weights = self.drawn(f"{name}.weight", out, CHANNELS, width)
        side = (width - 1) * dilation // 2
        pads, dilations = [side, side], [dilation]
        return self.add("Conv", [source, weights], name, pads=pads, dilations=dilations)

    def upsampled(self, source: str, name: str, stride: int) -> str:
        weights = self.drawn(f"{name}.weight", CHANNELS, CHANNELS, 2 * stride)
        pads = [stride // 2, stride // 2]
        return self.add("ConvTranspose", [source, weights], name, strides=[stride], pads=pads)


def add_encoder(graph: Graph, *, speakers: int) -> str:
    """From the phonemes' numbers to frames, as many for each phoneme as a convolution says."""
    add, weight = graph.add, graph.weight
    table = graph.drawn("emb.weight", len(PHONEMES), CHANNELS)
    known = add(
        "Transpose", [add("Gather", [table, "input"], "embedded")], "turned", perm=[0, 2, 1]
    )
    known = graph.convolved(known, "enc", 3, CHANNELS)
    width = add("Softplus", [graph.convolved(known, "dp", 1, 1)], "positive")
    one, zero = weight("one", np.int64(1)), weight("zero", np.int64(0))
    longer = add("Gather", ["scales", one], "length_scale")
    width = add("Add", [add("Mul", [width, longer], "scaled"), longer], "width")
    widths = add("Ceil", [width], "w_ceil")
    ends = add("CumSum", [widths, weight("two", np.int64(2))], "ends")
    total = add("Cast", [add("ReduceMax", [ends], "total", keepdims=0)], "count", to=7)
    places = add("Range", [zero, total, one], "places")
    column = weight("column", np.array([1], np.int64))
    place = add("Unsqueeze", [add("Cast", [places], "place", to=1), column], "place_column")
    row = add("Reshape", [ends, weight("row_shape", np.array([1, -1], np.int64))], "ends_row")
    passed = add("Cast", [add("GreaterOrEqual", [place, row], "passed")], "passed_count", to=7)
    which = add("ReduceSum", [passed, column], "which", keepdims=0)
    frames = add("Gather", [known, which], "spread", axis=2)
    noise = add("RandomNormalLike", [frames], "noise")
    noise = add("Mul", [noise, add("Gather", ["scales", zero], "noise_scale")], "noise_scaled")
    frames = add("Add", [frames, noise], "noisy")
    if speakers > 1:
        frames = add("Add", [frames, "speaker"], "flow")
    mask = add("Cast", [add("Less", [places, total], "inside")], "mask", to=1)
    return add("Mul", [frames, mask], "frames")


def add_decoder(graph: Graph, frames: str, *, speakers: int) -> str:
    """From frames to 32 samples each."""
    add = graph.add
    sound = graph.convolved(frames, "conv_pre", 7, CHANNELS)
    if speakers > 1:
        sound = add("Add", [sound, graph.convolved("speaker", "cond", 1, CHANNELS)], "coloured")
    for number, stride in enumerate((8, 4)):
        active = add("LeakyRelu", [sound], f"active.{number}")
        sound = graph.upsampled(active, f"ups.{number}", stride)
        inner = graph.convolved(sound, f"res.{number}", 3, CHANNELS, dilation=5)
        sound = add("Add", [inner, sound], f"sum.{number}")
    sound = add("Tanh", [graph.convolved(sound, "conv_post", 7, 1)], "tanh")
    return add("Unsqueeze", [sound, graph.weight("axis", np.array([1], np.int64))], "output")


def tiny_model(speakers: int = 1) -> onnx.ModelProto:
    """The model, of one speaker or of several."""
    graph = Graph()
    inputs = [
        helper.make_tensor_value_info("input", onnx.TensorProto.INT64, [1, "phonemes"]),
        helper.make_tensor_value_info("input_lengths", onnx.TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", onnx.TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", onnx.TensorProto.INT64, [1]))
        who = graph.add("Gather", [graph.drawn("emb_g", speakers, CHANNELS), "sid"], "who")
        axis = graph.weight("last", np.array([-1], np.int64))
        graph.add("Unsqueeze", [who, axis], "speaker")
    frames = add_encoder(graph, speakers=speakers)
    add_decoder(graph, frames, speakers=speakers)
    output = helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [1, 1, 1, "samples"])
    made = helper.make_graph(graph.nodes, "tiny", inputs, [output], graph.weights)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    onnx.checker.check_model(model)
    return model


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """Makes such models: `make_model(speakers=2)`."""
    return tiny_model


@pytest.fixture
def put_voice(tmp_path: Path) -> MakeVoice:
    """Puts a voice into the test's directory; gives its model file."""

    def put(
        name: str = "xx_XX-tiny-low", model: onnx.ModelProto | None = None, **more: Any
    ) -> Path:
        path = tmp_path / f"{name}.onnx"
        onnx.save(tiny_model() if model is None else model, path)
        config = {
            "audio": {"sample_rate": RATE},
            "espeak": {"voice": "en-us"},
            "phoneme_id_map": {phoneme: [at] for at, phoneme in enumerate(PHONEMES)},
            "num_symbols": len(PHONEMES),
            "num_speakers": 1,
            "hop_length": HOP,
            "inference": {"noise_scale": 0, "noise_w": 0},
            **more,
        }
        path.with_name(f"{name}.onnx.json").write_text(json.dumps(config), encoding="utf-8")
        return path

    return put


@pytest.fixture(scope="session")
def phoneme_ids() -> NDArray[np.int64]:
    """Numbers of sixty phonemes."""
    return np.random.default_rng(1).integers(3, len(PHONEMES), 60)
