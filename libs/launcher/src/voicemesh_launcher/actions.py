"""What the supervision decides: things to do, and things to tell the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = (
    "Action",
    "AllReady",
    "Died",
    "Kill",
    "Ready",
    "Start",
    "Stopped",
    "Stopping",
    "Terminate",
    "TooSlow",
)


@dataclass(frozen=True)
class Start:
    """Start the program now."""

    name: str


@dataclass(frozen=True)
class Terminate:
    """Ask the program to stop."""

    name: str


@dataclass(frozen=True)
class Kill:
    """End the program at once."""

    name: str


@dataclass(frozen=True)
class Ready:
    """Tell: the program is ready."""

    name: str
    seconds: float
    """Since it was started."""
    again: bool
    """Whether it has been ready before."""


@dataclass(frozen=True)
class AllReady:
    """Tell: all programs are ready, for the first time."""


@dataclass(frozen=True)
class Died:
    """Tell: the program ended by itself."""

    name: str
    status: int
    """Exit status; -n for signal n."""
    restart_s: float | None
    """Seconds until it is started again; None if everything is stopped because of it."""


@dataclass(frozen=True)
class TooSlow:
    """Tell: the program was not ready in time, and is killed."""

    name: str
    seconds: float
    """How long it was given."""


@dataclass(frozen=True)
class Stopping:
    """Tell: everything is being stopped."""


@dataclass(frozen=True)
class Stopped:
    """Tell: the program has ended as it was asked to."""

    name: str
    killed: bool
    """Whether it had to be killed."""


Action: TypeAlias = (
    Start | Terminate | Kill | Ready | AllReady | Died | TooSlow | Stopping | Stopped
)
"""What the machine asks for, in order."""
