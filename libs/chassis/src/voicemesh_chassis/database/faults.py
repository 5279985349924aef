"""Says in the errors of services what is wrong with a database."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy import event

from voicemesh_chassis.database.errors import DatabaseUnavailableError, StorageFullError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.engine import ExceptionContext

__all__ = ("cause_of", "full_error", "translate_faults", "unavailable_error")

# https://www.sqlite.org/rescode.html; of extended codes, the low byte is the primary one.
_SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_SQLITE_BROKEN = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
    }
)
"""After these a new connection may find what the old one has lost."""

_POSTGRESQL_READ_ONLY = "25006"

# https://www.postgresql.org/docs/current/errcodes-appendix.html: whole classes, then single codes.
_POSTGRESQL_AWAY_CLASSES = frozenset({"08", "28", "53", "57", "58"})
_POSTGRESQL_AWAY = frozenset(
    {
        _POSTGRESQL_READ_ONLY,  # a standby, after another server took over
        "25P03",  # the transaction was idle for too long
        "3D000",  # no such database
        "40001",  # two transactions wanted the same
        "40P01",
        "55P03",  # a lock was not had in time
        "XX001",  # damaged data
        "XX002",
    }
)
_POSTGRESQL_FULL = "53100"

_ROOM_BYTES = 1024 * 1024
"""With less room, it is the room that an input or output error is about."""


def unavailable_error() -> DatabaseUnavailableError:
    """The error of a database that does not answer."""
    return DatabaseUnavailableError("the database cannot be used at the moment; try again later")


def full_error() -> StorageFullError:
    """The error of a database that has no room."""
    return StorageFullError("the database has no room left; nothing was recorded")


def cause_of(error: Exception) -> str:
    """What stands behind one of these errors, for the log; no statements and no words of people."""
    cause = error.__cause__
    if cause is None:
        return "unknown"
    name = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    return str(name or type(cause).__name__)


def translate_faults(
    engine: Engine, directory: Path | None = None, *, for_reading: bool = False
) -> None:
    """Makes all connections of an engine raise errors of services for faults of the database.

    Errors of statements, such as that a row is there already, stay SQLAlchemy's.

    Args:
        engine: whose connections.
        directory: where SQLite's file is; None of other databases.
        for_reading: whether SQLite refuses writing on these connections.
    """

    def translate(context: ExceptionContext) -> BaseException | None:
        if context.is_pre_ping:
            return None
        original = context.original_exception
        if not isinstance(original, Exception):
            return None  # the task was cancelled, and is to end by that
        if isinstance(original, sqlite3.Error):
            if for_reading and _code(original) == sqlite3.SQLITE_READONLY:
                return None  # the mistake is ours
            return _of_sqlite(original, context, directory)
        # Waiting is over, or the line is cut: nobody knows what is left on this connection.
        if isinstance(original, OSError):
            context.is_disconnect = True
            return unavailable_error()
        code = getattr(original, "sqlstate", None) or ""
        options = {} if context.connection is None else context.connection.get_execution_options()
        if code == _POSTGRESQL_READ_ONLY and options.get("postgresql_readonly"):
            return None  # the mistake is ours
        if code == _POSTGRESQL_FULL:
            return full_error()
        if (
            context.is_disconnect
            or code[:2] in _POSTGRESQL_AWAY_CLASSES
            or code in _POSTGRESQL_AWAY
        ):
            return unavailable_error()
        return None

    event.listen(engine, "handle_error", translate)


def _of_sqlite(
    error: sqlite3.Error, context: ExceptionContext, directory: Path | None
) -> BaseException | None:
    code = _code(error) & 0xFF
    if code == sqlite3.SQLITE_FULL or (
        code == sqlite3.SQLITE_IOERR and directory is not None and _is_full(directory)
    ):
        return full_error()
    if code not in _SQLITE_AWAY:
        return None
    if code in _SQLITE_BROKEN and context.connection is not None:
        context.is_disconnect = True
    return unavailable_error()


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0)


def _is_full(directory: Path) -> bool:
    try:
        return shutil.disk_usage(directory).free < _ROOM_BYTES
    except OSError:
        return False
