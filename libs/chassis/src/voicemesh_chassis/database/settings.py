"""Settings that every service with a database has."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

import os
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from voicemesh_chassis.database.limits import DatabaseLimits

__all__ = ("DatabaseSettings",)


class DatabaseSettings(BaseModel):
    """Where what must not be lost is kept; a service subclasses it with its own name."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    service: ClassVar[str] = ""

    data_dir: Path | None = None
    """Directory of the SQLite database, on a disk of this machine (SQLite's WAL does not work on
    network file systems). Unset means one in the user's data directory, named after the service."""

    database_url: SecretStr | None = None
    """The database: `sqlite:///FILE`, or `postgresql://USER:PASSWORD@HOST/NAME`, which several
    machines can share. Unset means a file in `data_dir`, named after the service."""

    connections: int = Field(default=8, ge=1, le=1000)
    """Connections to the database at once."""

    wait_s: float = Field(default=10.0, gt=0, le=300)
    """Longest wait for a connection, and for a lock that somebody else holds, in seconds; then the
    call fails with DATABASE_UNAVAILABLE."""

    statement_s: float = Field(default=30.0, gt=0, le=3600)
    """Longest run of one statement, in seconds; PostgreSQL only."""

    start_s: float = Field(default=30.0, ge=0, le=3600)
    """Longest wait at the start for a database server that is not there yet, in seconds."""

    @property
    def directory(self) -> Path:
        """`data_dir`, with the default filled in."""
        return (self.data_dir or _users_data_dir() / self.service).expanduser().absolute()

    @property
    def database(self) -> str:
        """The database's address, with the default filled in."""
        if self.database_url is None:
            return f"sqlite:///{self.directory / f'{self.service}.db'}"
        return self.database_url.get_secret_value()

    @property
    def limits(self) -> DatabaseLimits:
        """The bounds as the database takes them."""
        return DatabaseLimits(
            connections=self.connections,
            wait_s=self.wait_s,
            statement_s=self.statement_s,
            start_s=self.start_s,
        )


def _users_data_dir() -> Path:
    """`voicemesh` in the user's data directory (XDG_DATA_HOME or `~/.local/share`)."""
    data_home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path here must be ignored.
    base = Path(data_home) if Path(data_home).is_absolute() else Path.home() / ".local" / "share"
    return base / "voicemesh"
