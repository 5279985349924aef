"""Datasets: uploads, examples, and archives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.archives import Archives
from voicemesh_trainer.datasets.imports import ImportOptions, Imports
from voicemesh_trainer.domain.datasets import DatasetLimits
from voicemesh_trainer.rpc.datasets import DatasetServicer, DatasetWork
from voicemesh_trainer.stores.archives import ArchiveTable
from voicemesh_trainer.stores.datasets import DatasetTable
from voicemesh_trainer.stores.examples import ExampleTable

if TYPE_CHECKING:
    from voicemesh_trainer.settings import TrainerSettings
    from voicemesh_trainer.stores.database import Database
    from voicemesh_trainer.stores.files import FileStore

__all__ = ("Datasets",)


class Datasets:
    """The parts of datasets, and their life.

    Attributes:
        servicer: answers the calls of DatasetService.
    """

    def __init__(self, settings: TrainerSettings, database: Database, files: FileStore) -> None:
        """Puts them together; `open` makes them ready."""
        wanted = settings.datasets
        self._directory = settings.storage.directory / "uploads"
        limits = DatasetLimits(
            upload_bytes=wanted.upload_bytes,
            unpacked_bytes=wanted.unpacked_bytes,
            archive_files=wanted.archive_files,
            rows=wanted.rows,
            row_characters=wanted.row_characters,
            field_characters=wanted.field_characters,
            datasets=wanted.datasets,
            examples=wanted.examples,
        )
        options = ImportOptions(
            uploads=wanted.uploads,
            silence_s=wanted.silence_s,
            total_s=wanted.total_s,
            directory=self._directory,
        )
        catalogue, examples = DatasetTable(database), ExampleTable(database)
        archive_store = ArchiveTable(database)
        self._imports = Imports(catalogue, examples, limits, options)
        self._archives = Archives(
            (catalogue, examples), archive_store, files, limits, self._directory
        )
        self.servicer = DatasetServicer(
            DatasetWork(
                catalogue=catalogue,
                examples=examples,
                archive_store=archive_store,
                archives=self._archives,
                imports=self._imports,
                limits=limits,
                upload_s=wanted.total_s,
                silence_s=wanted.silence_s,
            )
        )

    async def open(self) -> None:
        """Makes the directory of uploads, once storage is open."""
        await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)

    async def aclose(self) -> None:
        """Ends the threads, before storage is closed. Safe to call before `open`."""
        await self._imports.aclose()
        await self._archives.aclose()
