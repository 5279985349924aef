"""A decoder in two dimensions makes the sound that it makes in one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from voicemesh_tts.engines.piper.graph import split
from voicemesh_tts.engines.piper.planes import in_planes

pytestmark = pytest.mark.unit

MakeModel = Callable[..., onnx.ModelProto]
SPEAKERS = 3


def sound(decoder: onnx.ModelProto, speaker: int) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        decoder.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    frames = np.random.default_rng(5).normal(size=(1, 8, 50)).astype(np.float32)
    given = {"frames": frames, "sid": np.array([speaker])}
    (made,) = session.run(None, {each.name: given[each.name] for each in session.get_inputs()})
    assert made.shape == (1, 1, 1, 50 * 32)
    return np.asarray(made)


def slopes(model: onnx.ModelProto) -> None:
    """Another slope for each channel, as a weight of two dimensions."""
    active = next(each for each in model.graph.node if each.output[0] == "active.1")
    active.op_type = "PRelu"
    active.input.append("slopes")
    values = np.linspace(0.1, 0.8, 8, dtype=np.float32)[:, None]
    model.graph.initializer.append(numpy_helper.from_array(values, "slopes"))


def constant(model: onnx.ModelProto) -> None:
    """A constant that is a node, not a weight."""
    value = numpy_helper.from_array(np.full((1, 8, 1), 0.5, np.float32))
    at = next(at for at, each in enumerate(model.graph.node) if each.output[0] == "sum.1")
    total = model.graph.node[at]
    model.graph.node.insert(at, helper.make_node("Constant", [], ["half"], value=value))
    more = helper.make_node("Mul", [total.input[0], "half"], ["halved"])
    model.graph.node.insert(at + 1, more)
    next(each for each in model.graph.node if each.output[0] == "sum.1").input[0] = "halved"


def nothing(model: onnx.ModelProto) -> None:
    """As it is."""


@pytest.mark.parametrize("change", [nothing, slopes, constant])
@pytest.mark.parametrize("speaker", [None, 0, SPEAKERS - 1])
def test_the_sound_is_the_same(
    make_model: MakeModel, change: Callable[[onnx.ModelProto], None], speaker: int | None
) -> None:
    model = make_model(speakers=1 if speaker is None else SPEAKERS)
    change(model)
    decoder = split(model).decoder

    planes = in_planes(decoder)

    onnx.checker.check_model(planes, full_check=True)
    one, other = (sound(each, speaker or 0) for each in (decoder, planes))
    assert np.abs(one).max() > 0.1
    # Where tanh does not flatten them, the samples of random weights are in the hundreds.
    assert np.abs(one - other).max() < 3e-5


def test_every_convolution_of_the_frames_has_two_dimensions_and_no_weight_is_kept_twice(
    make_model: MakeModel,
) -> None:
    decoder = split(make_model()).decoder
    planes = in_planes(decoder)

    weights = {each.name: each for each in planes.graph.initializer}
    convolutions = [each for each in planes.graph.node if each.op_type.startswith("Conv")]
    assert len(convolutions) == 6
    assert {len(weights[each.input[1]].dims) for each in convolutions} == {4}
    assert planes.ByteSize() < 1.2 * decoder.ByteSize()
    assert [len(each.dims) for each in decoder.graph.initializer].count(4) == 0


def test_something_of_unknown_shape_is_refused(make_model: MakeModel) -> None:
    decoder = split(make_model(speakers=2)).decoder
    at = next(at for at, each in enumerate(decoder.graph.node) if each.output[0] == "cond")
    decoder.graph.node.insert(at + 1, helper.make_node("Unheard", ["cond"], ["odd"], domain="x"))
    decoder.opset_import.append(helper.make_opsetid("x", 1))
    coloured = next(each for each in decoder.graph.node if each.output[0] == "coloured")
    coloured.input[1] = "odd"

    with pytest.raises(ValueError, match="odd"):
        in_planes(decoder)
