"""Cutting a voice in two: where, how far the decoder looks, and what cannot be cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper

from voicemesh_tts.engines.piper.graph import UnsplittableError, split

pytestmark = pytest.mark.unit

MakeModel = Callable[..., onnx.ModelProto]


def run(model: onnx.ModelProto, **feed: Any) -> list[Any]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return list(session.run(None, feed))


def feed_of(ids: NDArray[np.int64], **more: Any) -> dict[str, Any]:
    scales = np.array([0, 1, 0], np.float32)
    lengths = np.array([len(ids)])
    return {"input": ids[None], "input_lengths": lengths, "scales": scales, **more}


def node(model: onnx.ModelProto, name: str) -> onnx.NodeProto:
    return next(each for each in model.graph.node if each.output[0] == name)


def test_both_halves_together_say_what_the_whole_says(
    make_model: MakeModel, phoneme_ids: NDArray[np.int64]
) -> None:
    model = make_model()
    feed = feed_of(phoneme_ids)
    (whole,) = run(model, **feed)

    halves = split(model)
    names = [each.name for each in halves.encoder.graph.input]
    frames, lengths = run(halves.encoder, **{name: feed[name] for name in names})
    (sound,) = run(halves.decoder, **{halves.decoder.graph.input[0].name: frames})

    assert (sound == whole).all()
    assert lengths.sum() == frames.shape[2] == whole.size / halves.hop


def test_the_reach_of_the_decoder_is_exact(
    make_model: MakeModel, phoneme_ids: NDArray[np.int64]
) -> None:
    """A change of one frame is heard as far away as the graph says, and no further."""
    halves = split(make_model())
    frames = np.random.default_rng(3).normal(size=(1, 8, 60)).astype(np.float32)
    changed = frames.copy()
    changed[:, :, 30] += 1

    (one,) = run(halves.decoder, frames=frames)
    (other,) = run(halves.decoder, frames=changed)

    heard = np.flatnonzero(one != other) / halves.hop
    assert 30 - halves.after <= heard.min() < 31 - halves.after
    assert 30 + halves.before <= heard.max() < 31 + halves.before


def test_a_voice_of_several_keeps_its_speakers_in_both_halves(
    make_model: MakeModel, phoneme_ids: NDArray[np.int64]
) -> None:
    model = make_model(speakers=3)
    halves = split(model)
    said = []
    for speaker in range(3):
        sid = np.array([speaker])
        feed = feed_of(phoneme_ids, sid=sid)
        names = [each.name for each in halves.encoder.graph.input]
        frames, _ = run(halves.encoder, **{name: feed[name] for name in names})
        (sound,) = run(halves.decoder, frames=frames, sid=sid)
        (whole,) = run(model, **feed)
        assert (sound == whole).all()
        said.append(sound)

    assert [each.name for each in halves.decoder.graph.input] == ["frames", "sid"]
    assert said[0].shape != said[1].shape or (said[0] != said[1]).any()


def test_the_decoder_takes_its_own_weights_only(make_model: MakeModel) -> None:
    halves = split(make_model())

    encoder = {each.name for each in halves.encoder.graph.initializer}
    decoder = {each.name for each in halves.decoder.graph.initializer}
    assert "emb.weight" in encoder - decoder
    assert "conv_pre.weight" in decoder - encoder


def test_without_lengths_a_voice_is_split_but_knows_no_times(make_model: MakeModel) -> None:
    model = make_model()
    node(model, "w_ceil").op_type = "Floor"

    assert [each.name for each in split(model).encoder.graph.output] == ["frames"]


def across_time(model: onnx.ModelProto) -> None:
    tanh = node(model, "tanh")
    tanh.op_type = "Softmax"
    tanh.attribute.append(helper.make_attribute("axis", 2))


def with_shorter_sound(model: onnx.ModelProto) -> None:
    del node(model, "conv_post").attribute[:]


def with_two_rates(model: onnx.ModelProto) -> None:
    node(model, "sum.1").input[1] = "sum.0"


def with_places_as_weights(model: onnx.ModelProto) -> None:
    place = onnx.numpy_helper.from_array(np.ones((1, 8, 7), np.float32), "place_weights")
    model.graph.initializer.append(place)
    tanh = node(model, "tanh")
    tanh.op_type = "Add"
    tanh.input.append("place_weights")


def with_weights_elsewhere(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL


def without_output(model: onnx.ModelProto) -> None:
    del model.graph.output[:]


def with_noise_at_the_end(model: onnx.ModelProto) -> None:
    tanh = node(model, "tanh")
    (noise,) = (helper.make_node("RandomNormalLike", ["conv_post"], ["hiss"]),)
    model.graph.node.insert(list(model.graph.node).index(tanh), noise)
    tanh.op_type = "Add"
    tanh.input.append("hiss")


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (across_time, "Softmax"),
        (with_shorter_sound, "changes the length"),
        (with_two_rates, "different rates"),
        (with_places_as_weights, "operation Add"),
        (with_weights_elsewhere, "another file"),
        (without_output, "no output"),
        (with_noise_at_the_end, "no convolution"),
    ],
)
def test_what_cannot_be_split_says_why(
    make_model: MakeModel, spoil: Callable[[onnx.ModelProto], None], cause: str
) -> None:
    model = make_model()
    spoil(model)

    with pytest.raises(UnsplittableError, match=cause):
        split(model)
