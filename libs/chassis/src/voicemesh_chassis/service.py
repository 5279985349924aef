"""What a program hands to the chassis: its name, its APIs and how it starts and stops.

`app.serve` turns a `Service` into a running process; `testing.running` into a test fixture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.metrics import new_registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    import grpc.aio
    from prometheus_client import CollectorRegistry

__all__ = ("Api", "ConfigurationError", "Service", "StartupError", "exit_status")


class StartupError(Exception):
    """The service cannot start; the message is one sentence: what, where, how to mend.

    Attributes:
        exit_code: the status the process ends with, after sysexits.h.
    """

    exit_code: ClassVar[int] = 69  # EX_UNAVAILABLE


class ConfigurationError(StartupError):
    """The service cannot start because a setting, or a file that it names, is wrong."""

    exit_code: ClassVar[int] = 78  # EX_CONFIG


def exit_status(error: Exception) -> int | None:
    """The status with which a start ends that failed so; None for a fault in the program.

    An `exit_code` of the error that it came from decides, then its own. So a library says for
    itself what an operator has to mend, without knowing the chassis.
    """
    for each in (error.__cause__, error):
        code = getattr(each, "exit_code", None)
        if isinstance(code, int):
            return code
    return StartupError.exit_code if isinstance(error, ServiceError) else None


@dataclass(frozen=True)
class Api:
    """One gRPC service of the contract and how to put it on a server."""

    name: str
    """Full proto name, such as `voicemesh.stt.v1.SpeechToTextService`."""

    register: Callable[[grpc.aio.Server], None]
    """Adds the servicer to the server; called once, before `Service.start`."""


def _nothing() -> None:
    """What a service does that need not know of the drain."""


@dataclass(frozen=True)
class Service:
    """A program as the chassis sees it.

    `start` runs once, after the ports are bound; calls are refused with UNAVAILABLE until it
    returns. `stop` runs once after the drain, also when `start` failed or was cancelled, so it
    must cope with a half-started service. Both run in the event loop that serves the calls.
    """

    name: str
    """Short name, such as `stt`: the log field, metric label and error domain."""

    apis: Sequence[Api]
    """What is served; each gets a health status of its own, and reflection."""

    start: Callable[[], Awaitable[None]]
    """Loads and warms models. Raising `StartupError` or `ServiceError` ends the process."""

    stop: Callable[[], Awaitable[None]]
    """Releases what `start` took."""

    weights: Mapping[str, int] = field(default_factory=dict)
    """Admission weight by full method name (`/package.Service/Method`); 1 if absent, 0 is free."""

    registry: CollectorRegistry = field(default_factory=new_registry)
    """What `/metrics` shows; the service adds its own metrics to it."""

    drain: Callable[[], None] = _nothing
    """Told once when the drain begins. Calls that would go on for ever, such as live streams,
    should then end by themselves where nothing is lost by it; after the drain timeout they are cut.
    Must return at once and not raise."""
