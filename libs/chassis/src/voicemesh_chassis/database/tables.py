"""What a service says of its tables, so that a database can be opened on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData

__all__ = ("Tables",)


@dataclass(frozen=True)
class Tables:
    """The tables of one service."""

    service: str
    """Its short name, such as `trainer`; in sentences, metrics and PostgreSQL's list of clients."""

    metadata: MetaData
    """The tables as they are now."""

    migrations: str
    """Alembic's directory, as `package:directory`."""

    lock: int
    """Any number of at most 63 bits, as long as no other service has it: whoever changes the
    tables holds PostgreSQL's advisory lock of this number."""

    settings_prefix: str
    """Variables with `__DATABASE_URL` and `__DATA_DIR` behind this say where the database is."""

    version_table: str = "alembic_version"
    """Where Alembic notes the revision; services with names of their own can share a database."""

    @property
    def url_variable(self) -> str:
        """Name of the variable that says where the database is."""
        return f"{self.settings_prefix}__DATABASE_URL"
