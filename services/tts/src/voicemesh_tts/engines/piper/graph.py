"""Cuts the graph of a VITS voice in two: from phonemes to frames, and from frames to sound.

The first half looks at the whole sentence. The second, the decoder, is a chain of convolutions, so
each sample of it depends on a few frames only, and it can be run on a piece of the frames at a
time. Where it begins and how far it looks is read off the graph, not off the names in it, so any
voice will do that is built like this; of others `split` says why not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import onnx
from onnx import helper

from voicemesh_tts.engines.piper.decoders import SPEAKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from onnx import GraphProto, ModelProto, NodeProto

__all__ = ("Halves", "UnsplittableError", "split")

_OPERATIONS = """
Abs Add Cast Clip Cos Div Elu Erf Exp Gelu HardSigmoid Identity LeakyRelu Log Mul Neg Pow PRelu
Reciprocal Relu Sigmoid Sin Softplus Sqrt Sub Tanh
"""
_EACH_ALONE = frozenset(_OPERATIONS.split())
"""Operations of which a sample depends on the same sample of what comes in."""

_CONVOLUTIONS = frozenset({"Conv", "ConvTranspose"})


class UnsplittableError(Exception):
    """The graph is not built as it would have to be; the text says how it differs."""


@dataclass(frozen=True)
class Halves:
    """A voice in two."""

    encoder: ModelProto
    """From the inputs of the voice to the frames and, where known, the length of each phoneme."""

    decoder: ModelProto
    """From the frames (and the speaker) to the samples."""

    hop: int
    """Samples of one frame."""

    before: int
    """How many frames before its own a sample depends on."""

    after: int
    """How many after."""


def split(model: ModelProto) -> Halves:
    """Both halves of a voice.

    Raises:
        UnsplittableError: if it is not a voice whose decoder can be cut off.
    """
    graph = model.graph
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in graph.initializer):
        msg = "its weights lie in another file"
        raise UnsplittableError(msg)
    if not graph.output:
        msg = "it has no output"
        raise UnsplittableError(msg)
    sound = graph.output[0].name
    first = _first_of_decoder(graph, sound)
    frames = first.input[0]
    decoder = _needed(graph, [sound], {frames})
    rates = _rates(graph, decoder, frames, sound)
    before, after = _reach(graph, decoder, rates, sound)[frames]
    lengths = _lengths(graph)
    encoder = _needed(graph, [frames, *lengths], set())
    channels = _weights(graph, first.input[1]).dims[1] * _attribute(first, "group", 1)
    described = helper.make_tensor_value_info(
        frames, onnx.TensorProto.FLOAT, [1, channels, "frames"]
    )
    inputs = [each for each in graph.input if each.name not in _initial(graph)]
    speaker = [each for each in inputs if each.name == SPEAKER and _reads(decoder, SPEAKER)]
    durations = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, "phonemes"])
        for name in lengths
    ]
    return Halves(
        encoder=_model(model, encoder, inputs, [described, *durations]),
        decoder=_model(model, decoder, [described, *speaker], [graph.output[0]]),
        hop=rates[sound],
        before=max(0, -before),
        after=max(0, after),
    )


def _first_of_decoder(graph: GraphProto, sound: str) -> NodeProto:
    """The first convolution from which on nothing but the frames (and the speaker) matters."""
    given = {each.name for each in graph.input} - _initial(graph) - {SPEAKER}
    # Looked at once, because every look into a node of protobuf is slow.
    wires = [(tuple(_inputs(node)), tuple(node.output)) for node in graph.node]
    given.update(
        name for node in graph.node if node.op_type.startswith("Random") for name in node.output
    )
    for node in graph.node:
        if node.op_type == "Conv" and _missing(wires, sound, node.input[0]).isdisjoint(given):
            return node
    msg = "no convolution is all that the sound depends on"
    raise UnsplittableError(msg)


def _missing(
    wires: Sequence[tuple[Sequence[str], Sequence[str]]], wanted: str, known: str
) -> set[str]:
    """All that `wanted` depends on, if `known` is given; each wire is what is read and made."""
    missing = {wanted}
    for read, made in reversed(wires):
        if not missing.isdisjoint(made):
            missing.update(read)
            missing.discard(known)
    return missing


def _needed(graph: GraphProto, wanted: Sequence[str], known: set[str]) -> list[NodeProto]:
    """The nodes that `wanted` depends on, in order, if the tensors `known` are given."""
    missing = set(wanted) - known
    found: list[NodeProto] = []
    for node in reversed(graph.node):
        if not missing.isdisjoint(node.output):
            found.append(node)
            missing.update(name for name in _inputs(node) if name not in known)
    return found[::-1]


def _inputs(node: NodeProto) -> Iterator[str]:
    yield from node.input
    # What a branch or a loop takes from around it.
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _inputs(inner)


def _reads(nodes: Sequence[NodeProto], name: str) -> bool:
    return any(name in _inputs(node) for node in nodes)


def _lengths(graph: GraphProto) -> list[str]:
    """The frames of each phoneme; VITS rounds them up, and nothing else."""
    found = [name for node in graph.node if node.op_type == "Ceil" for name in node.output]
    return found if len(found) == 1 else []


def _rates(
    graph: GraphProto, nodes: Sequence[NodeProto], frames: str, sound: str
) -> dict[str, int]:
    """Samples of a frame, of each tensor that depends on the frames; the sound's is the hop."""
    rates = {frames: 1}
    uneven = _uneven(graph, nodes)
    for node in nodes:
        moving = [rates[name] for name in node.input if name in rates]
        if not moving:
            continue
        rate = moving[0]
        if node.op_type in _CONVOLUTIONS:
            if len(moving) > 1:
                msg = "a convolution has weights that change"
                raise UnsplittableError(msg)
            rate *= _convolution(graph, node).stride
        elif node.op_type in _EACH_ALONE and uneven.isdisjoint(node.input):
            if set(moving) != {rate}:
                msg = "its decoder mixes sounds of different rates"
                raise UnsplittableError(msg)
        # The last step gives the sound its shape, and the number of samples stays.
        elif node.op_type not in {"Squeeze", "Unsqueeze"} or sound not in node.output:
            msg = f"its decoder has an operation {node.op_type}"
            raise UnsplittableError(msg)
        rates.update(dict.fromkeys(node.output, rate))
    return rates


def _reach(
    graph: GraphProto, nodes: Sequence[NodeProto], rates: dict[str, int], sound: str
) -> dict[str, tuple[int, int]]:
    """The first and the last sample of each tensor that the sound of the frame 0 depends on."""
    reach = {sound: (0, rates[sound] - 1)}
    for node in reversed(nodes):
        wanted = [reach[name] for name in node.output if name in reach]
        if not wanted:
            continue
        first, last = min(low for low, _ in wanted), max(high for _, high in wanted)
        if node.op_type in _CONVOLUTIONS:
            first, last = _convolution(graph, node).source(first, last)
        for name in node.input:
            if name in rates:
                low, high = reach.get(name, (first, last))
                reach[name] = min(low, first), max(high, last)
    return reach


@dataclass(frozen=True)
class _Convolution:
    """One that keeps the number of samples, or multiplies it by its stride."""

    width: int
    """Distance of the first from the last sample under its kernel."""

    left: int
    """Zeros put before the sound."""

    stride: int = 1

    transposed: bool = False

    def source(self, first: int, last: int) -> tuple[int, int]:
        """What the result from one sample to another depends on."""
        if not self.transposed:
            return first - self.left, last - self.left + self.width
        # Sample t comes of those samples s for which s * stride - left lies in [t - width, t].
        low = -((self.width - self.left - first) // self.stride)
        return low, (last + self.left) // self.stride


def _convolution(graph: GraphProto, node: NodeProto) -> _Convolution:
    kernel = _weights(graph, node.input[1]).dims[2:]
    if len(kernel) != 1 or _attribute(node, "auto_pad", b"NOTSET") != b"NOTSET":
        msg = "a convolution of its decoder is not of one dimension, or pads by itself"
        raise UnsplittableError(msg)
    (stride,) = _attribute(node, "strides", [1])
    (dilation,) = _attribute(node, "dilations", [1])
    left, right = _attribute(node, "pads", [0, 0])
    width = (kernel[0] - 1) * dilation
    transposed = node.op_type == "ConvTranspose"
    if transposed:
        (more,) = _attribute(node, "output_padding", [0])
        keeps = width + 1 - left - right + more == stride
        keeps = keeps and not _attribute(node, "output_shape", [])
    else:
        keeps = stride == 1 and left + right == width
    if not keeps:
        msg = "a convolution of its decoder changes the length"
        raise UnsplittableError(msg)
    return _Convolution(width, left, stride, transposed)


def _uneven(graph: GraphProto, nodes: Sequence[NodeProto]) -> set[str]:
    """Constants that are not the same for every sample, and so tell the decoder where it is."""
    constants = {each.name: list(each.dims) for each in graph.initializer}
    for node in nodes:
        if node.op_type == "Constant":
            value = _attribute(node, "value", None)
            constants[node.output[0]] = list(value.dims) if value is not None else []
    return {name for name, dims in constants.items() if dims and dims[-1] != 1}


def _weights(graph: GraphProto, name: str) -> onnx.TensorProto:
    for tensor in graph.initializer:
        if tensor.name == name:
            return tensor
    msg = "the weights of a convolution are worked out at run time"
    raise UnsplittableError(msg)


def _attribute(node: NodeProto, name: str, default: Any) -> Any:
    for attribute in node.attribute:
        if attribute.name == name:
            return helper.get_attribute_value(attribute)
    return default


def _initial(graph: GraphProto) -> set[str]:
    return {each.name for each in graph.initializer}


def _model(
    whole: ModelProto,
    nodes: Sequence[NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> ModelProto:
    read = {name for node in nodes for name in _inputs(node)}
    weights = [each for each in whole.graph.initializer if each.name in read]
    graph = helper.make_graph(nodes, whole.graph.name or "voice", inputs, outputs, weights)
    return helper.make_model(
        graph,
        functions=whole.functions,
        opset_imports=whole.opset_import,
        ir_version=whole.ir_version,
    )
