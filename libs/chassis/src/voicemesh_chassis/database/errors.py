"""What can go wrong with a database, beside mistakes in statements.

ServiceError
├── OverloadedError
│   └── StorageFullError            there is no room to write to
└── UnavailableError
    └── DatabaseUnavailableError    the database does not answer, or cannot be written to
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.errors import OverloadedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("DatabaseUnavailableError", "StorageFullError")


class StorageFullError(OverloadedError):
    """There is no room for what was to be written; nothing of it was kept."""

    reason = "STORAGE_FULL"

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        # Somebody has to make room; a program that comes back sooner only fills the log.
        super().__init__(message, retry_after_s=60.0, metadata=metadata)


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, or cannot be written to at the moment.

    Nothing was changed, unless the connection was lost while a change was being made durable.
    """

    reason = "DATABASE_UNAVAILABLE"

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message, retry_after_s=2.0, metadata=metadata)
