"""Runs networks that are built like Kokoro's, but fit on a screen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from voicemesh_chassis.service import StartupError
from voicemesh_tts.engines.kokoro.network import FRAME_SAMPLES, open_network, vocabulary_of

pytestmark = pytest.mark.unit

FLOAT, INT64, INT32 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.INT32


def network(*, timed: bool = True, speed: int = FLOAT, tokens: str = "tokens") -> onnx.ModelProto:
    """Each symbol lasts as many frames as its number over the speed says, at least one."""
    nodes = [
        helper.make_node("Cast", [tokens], ["numbers"], to=FLOAT),
        helper.make_node("Cast", ["speed"], ["pace"], to=FLOAT),
        helper.make_node("Div", ["numbers", "pace"], ["wished"]),
        helper.make_node("Round", ["wished"], ["whole"]),
        helper.make_node("Clip", ["whole", "one"], ["frames"])
        if timed
        else helper.make_node("Add", ["whole", "one"], ["frames"]),
        helper.make_node("ReduceSum", ["frames"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "hop"], ["length"]),
        helper.make_node("Cast", ["length"], ["count"], to=INT64),
        helper.make_node("Reshape", ["count", "vector"], ["shape"]),
        helper.make_node("Expand", ["level", "shape"], ["flat"]),
        helper.make_node("ReduceMean", ["style"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["flat", "mean"], ["audio"]),
    ]
    graph = helper.make_graph(
        nodes,
        "kokoro",
        [
            helper.make_tensor_value_info(tokens, INT64, [1, None]),
            helper.make_tensor_value_info("style", FLOAT, [1, 256]),
            helper.make_tensor_value_info("speed", speed, [1]),
        ],
        [helper.make_tensor_value_info("audio", FLOAT, [None])],
        [
            helper.make_tensor("one", FLOAT, [], [1.0]),
            helper.make_tensor("hop", FLOAT, [], [float(FRAME_SAMPLES)]),
            helper.make_tensor("vector", INT64, [1], [1]),
            helper.make_tensor("level", FLOAT, [1], [1.0]),
        ],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def saved(directory: Path, model: onnx.ModelProto) -> Path:
    onnx.save(model, str(directory / "kokoro.onnx"))
    return directory / "kokoro.onnx"


STYLE = np.full(256, 0.25, np.float32)


def test_the_network_says_how_long_each_symbol_lasts(tmp_path: Path) -> None:
    opened = open_network(saved(tmp_path, network()), threads=1)

    sound = opened.run([3, 4, 9], STYLE, 2.0)

    assert sound.lengths is not None
    assert (sound.lengths // FRAME_SAMPLES).tolist() == [1, 2, 2, 4, 1]
    assert len(sound.samples) == sound.lengths.sum()
    assert sound.samples == pytest.approx(0.25)


def test_a_network_that_does_not_say_speaks_nevertheless(tmp_path: Path) -> None:
    sound = open_network(saved(tmp_path, network(timed=False)), threads=1).run([3], STYLE, 1.0)

    assert sound.lengths is None
    assert len(sound.samples) == (1 + 4 + 1) * FRAME_SAMPLES


def test_exports_may_name_and_type_their_inputs_otherwise(tmp_path: Path) -> None:
    other = network(speed=INT32, tokens="input_ids")

    opened = open_network(saved(tmp_path, other), threads=1)

    assert not opened.takes_speed
    assert len(opened.run([3], STYLE, 1.0).samples) == (1 + 3 + 1) * FRAME_SAMPLES


def test_where_no_file_can_be_written_it_is_loaded_from_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = saved(tmp_path, network())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))

    assert open_network(model, threads=1).run([3], STYLE, 1.0).lengths is not None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    model = tmp_path / "kokoro.onnx"
    for content in (b"", b"not a network", saved(tmp_path, network()).read_bytes()[:-200]):
        model.write_bytes(content)

        with pytest.raises(StartupError, match=r"kokoro\.onnx cannot be loaded"):
            open_network(model, threads=1)


@pytest.mark.parametrize("name", ["vocab.json", "config.json"])
def test_the_vocabulary_lies_beside_the_model(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(json.dumps({"vocab": {"a": 43}, "n_token": 178}))

    assert vocabulary_of(tmp_path / "kokoro.onnx") == {"a": 43}


@pytest.mark.parametrize("content", [None, "", "[]", '{"vocab": ["a"]}', '{"vocab": {"a": "b"}}'])
def test_a_model_without_its_vocabulary_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "vocab.json").write_text(content)

    with pytest.raises(StartupError, match=r"vocab.json"):
        vocabulary_of(tmp_path / "kokoro.onnx")
