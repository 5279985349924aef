"""What datasets need from outside: where they, their archives, and large files are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from voicemesh_trainer.domain.datasets import (
        Archive,
        Dataset,
        DatasetLimits,
        Example,
        Staged,
        Statistics,
    )

__all__ = (
    "ArchiveFiles",
    "ArchiveStore",
    "DatasetCatalogue",
    "ExampleStore",
    "KeptFile",
)


class DatasetCatalogue(Protocol):
    """Keeps datasets. What a call returns from is durable.

    Every method raises `DatasetNotFoundError` for a dataset that the tenant does not have, and
    `DatabaseUnavailableError` if the database cannot be reached.
    """

    async def create(self, tenant: str, name: str, limits: DatasetLimits) -> Dataset:
        """Makes an empty dataset.

        Raises:
            DatasetNameTakenError: if another one has the name.
            LimitExceededError: if the tenant has as many as it may.
        """

    async def find(self, tenant: str, dataset_id: str) -> Dataset:
        """One dataset."""

    async def page(
        self, tenant: str, before: str, count: int, *, archived: bool
    ) -> Sequence[Dataset]:
        """Datasets, newest first.

        Args:
            tenant: whose.
            before: id of the last one of the page before; empty for the first page.
            count: most to return.
            archived: whether archived ones are among them.
        """

    async def select(self, tenant: str, dataset_id: str) -> Dataset:
        """Makes a dataset the one that training uses by default.

        Raises:
            DatasetArchivedError: if it is archived.
        """

    async def delete(self, tenant: str, dataset_id: str) -> None:
        """Deletes a dataset with its examples."""


class ExampleStore(Protocol):
    """Keeps the examples of datasets. Raises as `DatasetCatalogue` does."""

    async def examples(
        self, tenant: str, dataset_id: str, after: int, count: int
    ) -> Sequence[Example]:
        """Examples of a dataset in their order, those after a position (-1: from the first).

        Raises:
            DatasetArchivedError: if they are packed away.
        """

    async def known(self, tenant: str, dataset_id: str, keys: Sequence[str]) -> set[str]:
        """Which of these content keys, at most 500, the dataset has."""

    async def add(
        self,
        tenant: str,
        dataset_id: str,
        batches: AsyncIterator[Sequence[Staged]],
        limits: DatasetLimits,
        request: tuple[str, str],
        result: Callable[[Dataset, int], dict[str, Any]],
    ) -> dict[str, Any]:
        """Adds the examples that are not there yet, all in one transaction.

        Args:
            tenant: whose dataset.
            dataset_id: which one.
            batches: the examples, each once.
            limits: how many a tenant may have.
            request: id of the request (may be empty) and the SHA-256 of all that it asks for.
            result: makes what is returned of the dataset afterwards and the number of examples
                added.

        Returns:
            What `result` made, now or when the same request came first.

        Raises:
            DatasetArchivedError: if the dataset is archived.
            LimitExceededError: if the tenant would have too many examples.
            RequestReusedError: if the id named another request before.
        """

    async def split(
        self,
        tenant: str,
        dataset_id: str,
        names: tuple[str, str],
        is_first: Callable[[str], bool],
        limits: DatasetLimits,
    ) -> tuple[Dataset, Dataset]:
        """Copies the examples of a dataset into two new ones, all in one transaction.

        Args:
            tenant: whose.
            dataset_id: which one.
            names: of the new ones.
            is_first: whether an example goes to the first, told its key: that of its question, or
                of its content if it has none.
            limits: how many datasets and examples a tenant may have.
        """

    async def statistics(self, tenant: str, dataset_id: str) -> Statistics:
        """What is in a dataset. Raises `DatasetArchivedError`."""

    def keys(self, tenant: str, dataset_id: str) -> AsyncIterator[Sequence[str]]:
        """The key of each example as `split` has it, in batches. Raises `DatasetArchivedError`."""


class ArchiveStore(Protocol):
    """Keeps what is known of archives.

    Raises as `DatasetCatalogue` does, and `ArchiveNotFoundError` for an archive that the tenant
    does not have.
    """

    async def put_away(self, archive: Archive, content_sha256: str) -> None:
        """Records an archive, removes the examples of its dataset and marks that as archived.

        Args:
            archive: what was packed.
            content_sha256: of the examples that were.

        Raises:
            DatasetChangedError: if the dataset has other examples by now.
            DatasetArchivedError: if it is archived already.
        """

    async def bring_back(
        self,
        archive: Archive,
        name: str,
        batches: AsyncIterator[Sequence[Staged]],
        limits: DatasetLimits,
    ) -> Dataset:
        """Fills the archived dataset, or a new one, with the examples of an archive.

        Args:
            archive: where they are from.
            name: of the dataset; empty: the old one.
            batches: the examples, each once.
            limits: how many datasets and examples a tenant may have.

        Raises:
            DatasetNameTakenError: if another dataset has the name.
            LimitExceededError: if the tenant would have too much.
        """

    async def find(self, tenant: str, archive_id: str) -> Archive:
        """One archive."""

    async def page(self, tenant: str, before: str, count: int) -> Sequence[Archive]:
        """Archives, newest first; see `DatasetCatalogue.page`."""

    async def delete(self, tenant: str, archive_id: str) -> Archive:
        """Forgets an archive; its file is no longer needed then.

        Raises:
            LastArchiveError: if the examples of an archived dataset are nowhere else.
        """


class KeptFile(Protocol):
    """A file that was kept."""

    @property
    def name(self) -> str:
        """What to ask for it by."""

    @property
    def sha256(self) -> str:
        """Of its bytes, in lower-case hexadecimal digits."""

    @property
    def byte_count(self) -> int:
        """Its size."""


class ArchiveFiles(Protocol):
    """Keeps files. Raises `FilesUnavailableError` and `StorageFullError`."""

    async def write(self, name_prefix: str, source: AsyncIterator[bytes] | bytes) -> KeptFile:
        """Keeps a file under a name that begins so; it is durable when the call returns."""

    def open(self, name: str) -> AsyncIterator[bytes]:
        """The bytes of a file."""

    async def delete(self, name: str) -> None:
        """Deletes a file, if it is there."""
