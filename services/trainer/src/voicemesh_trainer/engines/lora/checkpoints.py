"""Where a run came to, as one file that holds numbers and nothing that could be executed.

Everything that looks like chance is made from the seed and the number of the epoch, and nothing
else (no dropout), so the adapter, the optimizer's two moments and the number of the step are all
that a run needs to go on as if it had not been interrupted.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from voicemesh_trainer.engines.lora.faults import TrainingFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

__all__ = ("Saved", "read_checkpoint", "write_checkpoint")


@dataclass(frozen=True)
class Saved:
    """What a checkpoint holds."""

    step: int
    """Steps done."""
    identity: str
    """What the run is of: data, settings and base model. Only the same run may go on from it."""
    tensors: Mapping[str, torch.Tensor]
    """By name."""


def write_checkpoint(path: Path, saved: Saved) -> None:
    """Writes a file that is there as a whole or not at all, also after a loss of power."""
    partial = path.with_name(f".{path.name}.partial")
    metadata = {"step": str(saved.step), "identity": saved.identity}
    save_file({name: each.contiguous() for name, each in saved.tensors.items()}, partial, metadata)
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(path)


def read_checkpoint(path: Path, identity: str) -> Saved:
    """Reads what `write_checkpoint` wrote.

    Raises:
        TrainingFault: if it is of another run, or no checkpoint.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        msg = "the checkpoint cannot be read"
        raise TrainingFault(msg) from error
    if metadata.get("identity") != identity:
        msg = "the checkpoint is of other data, settings or another base model"
        raise TrainingFault(msg)
    return Saved(int(metadata["step"]), identity, tensors)
