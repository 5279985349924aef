"""What XTTS knows of a cloned voice, kept in a file of plain numbers."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ("LATENTS_NAME", "Latents")

LATENTS_NAME = "latents.npz"
"""Name of the file in a voice's directory."""

_FORMAT = 1


@dataclass(frozen=True)
class Latents:
    """A speaker as XTTS hears it."""

    conditioning: NDArray[np.float32]
    """For its language model, float32 [1, tokens, width]."""

    embedding: NDArray[np.float32]
    """For its decoder, float32 [1, width, 1]."""

    model: str = ""
    """Name of the model that made it, which alone understands it; empty for its own speakers."""

    def save(self, directory: Path) -> None:
        """Writes it into a directory.

        Raises:
            OSError: if that is not possible.
        """
        with (directory / LATENTS_NAME).open("wb") as file:
            np.savez(
                file,
                format=np.int64(_FORMAT),
                model=np.frombuffer(self.model.encode(), np.uint8),
                conditioning=self.conditioning,
                embedding=self.embedding,
            )

    @classmethod
    def load(cls, directory: Path) -> Latents:
        """Reads it back. Only numbers are read: the file cannot run anything.

        Raises:
            StartupError: if the file is missing or is not one of these.
        """
        path = directory / LATENTS_NAME
        try:
            with np.load(path, allow_pickle=False) as table:
                version = int(table["format"])
                found = cls(
                    np.asarray(table["conditioning"], np.float32),
                    np.asarray(table["embedding"], np.float32),
                    bytes(table["model"]).decode(),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            msg = f"the cloned voice in {path} cannot be read; delete the voice and clone it anew"
            raise StartupError(msg) from error
        if version != _FORMAT or found.conditioning.ndim != 3 or found.embedding.ndim != 3:
            msg = f"the cloned voice in {path} is of another version; clone it anew"
            raise StartupError(msg)
        return found
