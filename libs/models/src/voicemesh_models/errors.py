"""What can go wrong with model files, as one tree.

* ModelError
  x CatalogueError          models.toml cannot be read, or a key in it is wrong
  x UnknownModelError       no model or group has that name
  x ModelMissingError       the model is not in the model directory
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
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
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
    """The catalogue file cannot be used; the message names file, model and key."""

    def __init__(self, path: Path, where: str, problem: str) -> None:
        place = f"{path}: {where}" if where else str(path)
        super().__init__(f"{place}: {problem}")


class UnknownModelError(ModelError):
    """No model or group of the catalogue has this name.

    Attributes:
        model: The name that was asked for.
    """

    def __init__(self, model: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no model or group is called {model!r}; known are {', '.join(known)}")
        self.model = model


class ModelMissingError(ModelError):
    """The model has not been pulled into this directory.

    Attributes:
        model: The model's name.
    """

    def __init__(self, model: str, root: Path) -> None:
        super().__init__(f"model {model} is not in {root}; run `voicemesh models pull {model}`")
        self.model = model


class ModelCorruptError(ModelError):
    """A file of an installed model is missing or is not the pinned bytes.

    Attributes:
        model: The model's name.
        file: Path of the first file found wrong.
    """

    def __init__(self, model: str, file: Path, problem: str) -> None:
        super().__init__(
            f"model {model} is damaged: {file} {problem}; run `voicemesh models pull {model}` "
            "to fetch it again"
        )
        self.model = model
        self.file = file


class PullError(ModelError):
    """A pull did not finish. Nothing half-written is visible, and a new pull resumes.

    Attributes:
        cause: What failed, without the model's name.
        model: The model's name; empty until the store has added it.
    """

    def __init__(self, cause: str, *, model: str = "") -> None:
        retry = f"; run `voicemesh models pull {model}` to try again" if model else ""
        about = f"model {model} was not pulled: " if model else ""
        super().__init__(f"{about}{cause}{retry}")
        self.cause = cause
        self.model = model

    def about(self, model: str) -> Self:
        """Return the same error, naming the model and how to try again."""
        return type(self)(self.cause, model=model)


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
