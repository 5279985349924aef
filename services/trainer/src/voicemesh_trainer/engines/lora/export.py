"""The adapter as a GGUF file, as llama.cpp loads it beside its base model, and back.

Tensors are named as the `gguf` package maps them, `blk.0.attn_q.weight.lora_a` [rank, in] and
`…lora_b` [out, rank], with `general.type` `adapter`, `adapter.type` `lora` and
`adapter.lora.alpha`, as llama.cpp's `convert_lora_to_gguf.py` writes them. llama.cpp adds
`alpha / rank * B A x` to what the matrix makes of x, times the scale that it is told at run time
(1 is as trained):

    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0)]

Where the conversion of a kind of model to GGUF permutes the heads of queries and keys, the rows of
`lora_b` follow.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import torch

from voicemesh_trainer.engines.lora.faults import TrainingFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ("Shape", "adapter_rank", "read_adapter", "write_adapter")

_HEADS = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
_PERMUTED = ("llama", "mistral", "mixtral", "granite")
"""`model_type` of the kinds that `convert_hf_to_gguf.py` treats as Llama."""
_ARCHITECTURES = {
    "gemma3_text": "gemma3",
    "mistral": "llama",
    "mixtral": "llama",
    "qwen2_moe": "qwen2moe",
    "qwen3_moe": "qwen3moe",
    "cohere": "command-r",
}
"""llama.cpp's names of kinds, where they are not `model_type`."""
_WEIGHT = re.compile(r"^(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")


@dataclass(frozen=True)
class Shape:
    """What of the base model decides how its adapters are written."""

    model_type: str
    """As `transformers` names its kind."""
    layers: int
    """Layers."""
    heads: Mapping[str, int]
    """Heads of the matrices that are permuted, by the last part of their name."""

    @classmethod
    def of(cls, config: Any) -> Shape:
        """Reads a configuration of `transformers`."""
        kind = config.model_type
        heads = {}
        if kind in _PERMUTED:
            heads = {name: getattr(config, setting) for name, setting in _HEADS.items()}
        return cls(kind, config.num_hidden_layers, heads)

    @property
    def architecture(self) -> str:
        """llama.cpp's name of its kind."""
        return _ARCHITECTURES.get(self.model_type, self.model_type)

    def place(self, name: str) -> tuple[str, int]:
        """Name in GGUF of a matrix that `peft` named, and the heads to permute, 0 for none.

        Raises:
            TrainingFault: if llama.cpp has no such matrix.
        """
        found = _WEIGHT.match(name)
        kinds = {value: key for key, value in gguf.MODEL_ARCH_NAMES.items()}
        if found is None or self.architecture not in kinds:
            msg = f"llama.cpp knows no adapters for models of the kind {self.model_type}"
            raise TrainingFault(msg)
        names = gguf.get_tensor_name_map(kinds[self.architecture], self.layers)
        module, side = found["module"], found["side"].lower()
        mapped = names.get_name(module)
        if mapped is None:
            msg = f"llama.cpp has no matrix for {module} of {self.model_type}"
            raise TrainingFault(msg)
        heads = self.heads.get(module.rpartition(".")[2], 0) if side == "b" else 0
        return f"{mapped}.weight.lora_{side}", heads


def write_adapter(
    path: Path, weights: Mapping[str, torch.Tensor], shape: Shape, alpha: float, name: str
) -> None:
    """Writes an adapter; the file is there as a whole or not at all.

    Args:
        path: where to.
        weights: A [rank, in] and B [out, rank] of each matrix, as `Adapted.weights` names them.
        shape: of the base.
        alpha: strength.
        name: what the file calls itself.

    Raises:
        TrainingFault: if llama.cpp knows no such adapters.
    """
    partial = path.with_name(f".{path.name}.partial")
    writer = gguf.GGUFWriter(partial, shape.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    writer.add_name(name)
    for source, weight in weights.items():
        target, heads = shape.place(source)
        array = weight.detach().float().cpu().numpy()
        writer.add_tensor(target, _permuted(array, heads) if heads else array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def adapter_rank(path: Path) -> int:
    """The rank of an adapter.

    Raises:
        TrainingFault: if it cannot be read.
    """
    tensors, _alpha = _tensors(path)
    ranks = {each.shape[-1] for name, each in tensors.items() if name.endswith(".lora_b")}
    if len(ranks) != 1:
        msg = "the adapter to start from has no rank, or several"
        raise TrainingFault(msg)
    return int(ranks.pop())


def read_adapter(
    path: Path, names: list[str], shape: Shape
) -> tuple[dict[str, torch.Tensor], float]:
    """Reads an adapter back.

    Args:
        path: what `write_adapter`, or llama.cpp's own converter, wrote.
        names: of the matrices wanted, as `Adapted.weights` names them.
        shape: of the base.

    Returns:
        The matrices by name, and alpha.

    Raises:
        TrainingFault: if it is not one, or of another kind of model.
    """
    tensors, alpha = _tensors(path)
    weights = {}
    for name in names:
        target, heads = shape.place(name)
        if target not in tensors:
            msg = "the adapter to start from leaves out matrices of the base model"
            raise TrainingFault(msg)
        array = tensors[target]
        weights[name] = torch.from_numpy(_unpermuted(array, heads) if heads else array.copy())
    return weights, alpha


def _tensors(path: Path) -> tuple[dict[str, NDArray[np.float32]], float]:
    try:
        reader = gguf.GGUFReader(path)
        field = reader.get_field(gguf.Keys.Adapter.LORA_ALPHA)
        alpha = float(field.contents()) if field is not None else 0.0
        tensors = {
            each.name: gguf.dequantize(each.data, each.tensor_type).astype(np.float32)
            for each in reader.tensors
        }
    except (OSError, ValueError, KeyError, IndexError) as error:
        msg = "the adapter to start from cannot be read"
        raise TrainingFault(msg) from error
    return tensors, alpha


def _permuted(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """The rows in GGUF's order: the two halves of each head interleaved (`LlamaModel.permute`)."""
    halves = rows.reshape(heads, 2, rows.shape[0] // heads // 2, -1)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))


def _unpermuted(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, -1)
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows.shape))
