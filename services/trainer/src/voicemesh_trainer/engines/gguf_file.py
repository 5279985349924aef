"""Finds the GGUF file that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelError, UnknownModelError

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_models import ModelStore

__all__ = ("gguf_file",)


def gguf_file(store: ModelStore, model: str, file: Path | None) -> Path:
    """The file to load, verified if it is one of the catalogue's.

    Args:
        store: the model directory.
        model: name in the catalogue, used if `file` is None.
        file: a file that somebody chose instead.

    Raises:
        StartupError: if it is not there or not what it should be; says how to mend it.
    """
    if file is not None:
        if not file.is_file():
            msg = (
                f"VOICEMESH_TRAINER_LOCAL__MODEL_FILE names {file}, which is not a file; "
                "set it to a GGUF file or leave it out"
            )
            raise ConfigurationError(msg)
        return file
    try:
        directory = store.require(model)
    except UnknownModelError as error:
        msg = f"VOICEMESH_TRAINER_LOCAL__MODEL cannot be used: {error}"
        raise ConfigurationError(msg) from error
    except ModelError as error:
        raise StartupError(str(error)) from error
    files = sorted(directory.glob("*.gguf"))
    if not files:
        msg = f"VOICEMESH_TRAINER_LOCAL__MODEL is {model}, which is not a GGUF language model"
        raise ConfigurationError(msg)
    return files[0]
