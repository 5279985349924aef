"""Looks at a LoRA adapter before llama.cpp does.

llama.cpp refuses what does not fit, but only says that it failed; and an adapter for another model
of the same shape would load and talk nonsense.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gguf import GGUFReader

from voicemesh_trainer.engines.gguf_header import architecture_of
from voicemesh_trainer.errors import ModelUnusableError

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_trainer.domain.models import TunedModel

__all__ = ("check_adapter",)

_ENDINGS = (".lora_a", ".lora_b")


def check_adapter(model: TunedModel, adapter: Path, base: Path) -> None:
    """Checks that a file is the adapter that was registered, and belongs on a base model.

    Args:
        model: the row that the file belongs to.
        adapter: the LoRA adapter, GGUF.
        base: the model that it goes on, GGUF.

    Raises:
        ModelUnusableError: if it is not; the message says why.
    """
    try:
        with adapter.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unusable(model, "its adapter cannot be read") from error
    if model.adapter_sha256 is not None and sha256 != model.adapter_sha256:
        raise _unusable(model, "its adapter is not the file that training made")
    try:
        reader = GGUFReader(adapter)
        kind, method, architecture = (
            _text(reader, name) for name in ("general.type", "adapter.type", "general.architecture")
        )
        names = [tensor.name for tensor in reader.tensors]
    except (ValueError, IndexError, KeyError, OSError, UnicodeError) as error:
        raise _unusable(model, "its adapter is no GGUF file") from error
    if (kind, method) != ("adapter", "lora"):
        raise _unusable(model, "its adapter is no LoRA adapter")
    if not names or not all(name.endswith(_ENDINGS) for name in names):
        raise _unusable(model, "its adapter holds something else than LoRA matrices")
    wanted = architecture_of(base)
    if architecture != wanted:
        raise _unusable(model, f"its adapter is for {architecture}, and the model is {wanted}")


def _text(reader: GGUFReader, name: str) -> str:
    field = reader.get_field(name)
    return "" if field is None else str(field.contents())


def _unusable(model: TunedModel, why: str) -> ModelUnusableError:
    msg = f"model {model.name} cannot be used: {why}; roll back or promote another"
    return ModelUnusableError(msg, metadata={"model": model.name})
