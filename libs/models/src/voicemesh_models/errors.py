"""What can go wrong with model files, as one tree.

* ModelError
  x CatalogueError          models.toml cannot be read, or a key in it is wrong
  x UnknownModelError       no model or group has that name
  x ModelMissingError       one or more models are not in the model directory
  x ModelCorruptError       a file is missing, changed, or not the pinned bytes
  x PullError               a pull did not finish; what was fetched is kept for the next one
    + FetchError            the registry or the hub cannot be reached, or refuses
      - AccessRefusedError  it wants credentials that a plain request does not carry
    + IntegrityError        the bytes that came are not the pinned ones
    + DiskError             no space, no permission, a read-only directory
    + LockTimeoutError      another process holds this model for too long

Each message is one sentence for a person: what failed, where, and how to mend it.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar, Self

from voicemesh_models.directories import pull_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = (
    "AccessRefusedError",
    "CatalogueError",
    "DiskError",
    "FetchError",
    "IntegrityError",
    "LockTimeoutError",
    "ModelCorruptError",
    "ModelError",
    "ModelMissingError",
    "PullError",
    "UnknownModelError",
)


class ModelError(Exception):
    """The root of this tree; its text can be shown to a person as it is."""


class CatalogueError(ModelError):
    """The catalogue file cannot be used; the message names file, model and key.

    Attributes:
        exit_code: The status of a program that it ends, after sysexits.h: a setting is wrong.
    """

    exit_code: ClassVar[int] = 78

    def __init__(self, path: Path, where: str, problem: str, *, variable: str = "") -> None:
        file = f"{variable} = {path}" if variable else str(path)
        place = f"{file}: {where}" if where else file
        mend = "; set it to a catalogue, or leave it out for the packaged one" if variable else ""
        super().__init__(f"{place}: {problem}{mend}")
        self._parts = (path, where, problem)

    def set_by(self, variable: str) -> CatalogueError:
        """Return the same error, naming the environment variable that chose the file."""
        return CatalogueError(*self._parts, variable=variable)


class UnknownModelError(ModelError):
    """No model or group of the catalogue has this name.

    Attributes:
        model: The name that was asked for.
    """

    def __init__(self, model: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no model or group is called {model!r}; known are {', '.join(known)}")
        self.model = model


class ModelMissingError(ModelError):
    """Models have not been pulled into this directory.

    Attributes:
        models: Their names.
    """

    def __init__(self, models: Sequence[str], root: Path) -> None:
        *others, last = models
        named = f"models {', '.join(others)} and {last} are" if others else f"model {last} is"
        super().__init__(f"{named} not in {root}; run `{pull_command(root, models)}`")
        self.models = tuple(models)


class ModelCorruptError(ModelError):
    """A file of an installed model is missing or is not the pinned bytes.

    Attributes:
        model: The model's name.
        file: Path of the first file found wrong.
    """

    def __init__(self, model: str, root: Path, file: Path, problem: str) -> None:
        super().__init__(
            f"model {model} is damaged: {file} {problem}; "
            f"run `{pull_command(root, [model])}` to fetch it again"
        )
        self.model = model
        self.file = file


class PullError(ModelError):
    """A pull did not finish. Nothing half-written is visible, and a new pull resumes.

    Attributes:
        cause: What failed, without the model's name.
        model: The model's name; empty until the store has added it.
    """

    def __init__(self, cause: str, *, model: str = "", root: Path | None = None) -> None:
        about = f"model {model} was not pulled: " if model else ""
        retry = f"; run `{pull_command(root, [model])}` to try again" if root else ""
        super().__init__(f"{about}{cause}{retry}")
        self.cause = cause
        self.model = model

    def about(self, model: str, root: Path) -> Self:
        """Return the same error, naming the model and how to try again."""
        return type(self)(self.cause, model=model, root=root)


class FetchError(PullError):
    """The registry or the hub cannot be reached, does not have it, or broke off."""


class AccessRefusedError(FetchError):
    """A server wants credentials or trust that a plain request does not carry."""


class IntegrityError(PullError):
    """The bytes that came are not the pinned ones."""


class DiskError(PullError):
    """The model directory cannot take the files."""

    @classmethod
    def from_os_error(cls, error: OSError, path: Path) -> DiskError:
        """Say in words what the operating system refused at `path`."""
        where = error.filename or path
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return cls(f"the disk that holds {where} is full")
        if error.errno in (errno.EACCES, errno.EPERM):
            return cls(f"{where} may not be written by this user")
        if error.errno == errno.EROFS:
            return cls(f"{where} is on a read-only file system")
        return cls(f"{where} cannot be written ({error.strerror or error})")


class LockTimeoutError(PullError):
    """Another process has been pulling this model for longer than the wait allowed."""
