"""How much may be asked of a database at once, and how long anything may take."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("DatabaseLimits",)


@dataclass(frozen=True)
class DatabaseLimits:
    """How many connections there are and how long anything may take."""

    connections: int = 8
    """Open at once: of SQLite, for reading, beside the one that writes."""
    wait_s: float = 10.0
    """Longest wait for a connection, and for a lock that somebody else holds, in seconds."""
    statement_s: float = 30.0
    """Longest run of one statement, in seconds; PostgreSQL only."""
    start_s: float = 30.0
    """Longest wait at the start for a database that is not there yet, in seconds."""
