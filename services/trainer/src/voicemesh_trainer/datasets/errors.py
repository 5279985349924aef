"""What can go wrong with datasets, beyond the errors of the whole service.

x InvalidArgumentError
  - UnreadableFileError       the upload cannot be read as what it is
x NotFoundError
  - ArchiveNotFoundError      the tenant has no such archive
x AlreadyExistsError
  - DatasetNameTakenError     another dataset of the tenant has the name
x FailedPreconditionError
  - ArchiveDamagedError       the archive is not what was packed
  - DatasetArchivedError      the dataset's examples are packed away
  - DatasetTooSmallError      there is too little in it
  - LastArchiveError          the archive holds the only copy of a dataset
x OverloadedError
  - ImportsBusyError          as many uploads as may be are being taken
x DeadlineExceededError
  - UploadTimeoutError        the upload came too slowly, or could not be read in time
x ServiceError (ABORTED)
  - DatasetChangedError       the dataset was changed meanwhile
x UnimplementedError
  - ParquetMissingError       this server cannot write Parquet
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    AlreadyExistsError,
    Code,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OverloadedError,
    ServiceError,
    UnimplementedError,
)

__all__ = (
    "ArchiveDamagedError",
    "ArchiveNotFoundError",
    "DatasetArchivedError",
    "DatasetChangedError",
    "DatasetNameTakenError",
    "DatasetTooSmallError",
    "ImportsBusyError",
    "LastArchiveError",
    "ParquetMissingError",
    "UnreadableFileError",
    "UploadTimeoutError",
)


class UnreadableFileError(InvalidArgumentError):
    """The upload cannot be read as what it is; nothing was imported."""

    reason = "UNREADABLE_FILE"

    def __init__(self, message: str, *, field: str = "content") -> None:
        super().__init__(message, field=field)


class ArchiveNotFoundError(NotFoundError):
    """The tenant has no archive of this id."""

    reason = "ARCHIVE_NOT_FOUND"


class DatasetNameTakenError(AlreadyExistsError):
    """Another dataset of the tenant has this name, but for the case of its letters."""

    reason = "DATASET_NAME_TAKEN"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message, metadata={"field": field})
        self.field = field


class ArchiveDamagedError(FailedPreconditionError):
    """The archive is not what was packed; nothing was restored."""

    reason = "ARCHIVE_DAMAGED"


class DatasetArchivedError(FailedPreconditionError):
    """The dataset's examples are packed away; it must be restored first."""

    reason = "DATASET_ARCHIVED"


class DatasetTooSmallError(FailedPreconditionError):
    """The dataset has too few examples for what was asked."""

    reason = "DATASET_TOO_SMALL"


class LastArchiveError(FailedPreconditionError):
    """The archive holds the only copy of a dataset's examples."""

    reason = "LAST_ARCHIVE"


class ImportsBusyError(OverloadedError):
    """As many uploads as may be at once are being taken."""

    reason = "IMPORTS_BUSY"


class UploadTimeoutError(DeadlineExceededError):
    """The upload came too slowly, or could not be read in time; nothing was imported."""

    reason = "UPLOAD_TIMEOUT"


class DatasetChangedError(ServiceError):
    """The dataset was changed while it was being worked on; the same call may succeed."""

    code = Code.ABORTED
    reason = "DATASET_CHANGED"
    retryable = True


class ParquetMissingError(UnimplementedError):
    """This server was installed without what writes Parquet."""

    reason = "PARQUET_MISSING"
