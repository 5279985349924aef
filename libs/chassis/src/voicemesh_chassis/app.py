"""Runs a service as a process: settings, logs, signals, drain and exit status.

A service's `__main__` is `main(SttSettings, build)` and nothing more.

Exit status: 0 after a drain, 78 for a setting, 69 if something needed is not there (a port, a
model), 70 for a fault in the program, 128 + n if a second signal n ended it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, NoReturn, TypeVar

from voicemesh_chassis.command_line import read_command_line
from voicemesh_chassis.host import Host
from voicemesh_chassis.last_words import tell_reason
from voicemesh_chassis.logs import configure_logging, get_logger
from voicemesh_chassis.service import exit_status
from voicemesh_chassis.settings import ServiceSettings, load_settings, service_name
from voicemesh_chassis.stop_signals import stop_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from voicemesh_chassis.service import Service

__all__ = ("main", "serve")

_logger = get_logger(__name__)

_EX_SOFTWARE = 70
_LEAVE_S = 2.0

S = TypeVar("S", bound=ServiceSettings)


async def serve(
    service: Service, settings: ServiceSettings, *, until: asyncio.Event | None = None
) -> None:
    """Runs the service until SIGTERM or SIGINT, or until `until` is set, then drains.

    A stop that is asked for while the service is starting cancels `Service.start`.

    Raises:
        StartupError: if it cannot start.
    """
    stop = asyncio.Event() if until is None else until
    host = Host(service, settings)
    with stop_signals(stop.set):
        stopped = asyncio.create_task(stop.wait())
        try:
            await host.bind()
            await _start_unless(host, stopped)
            await stopped
        finally:
            stopped.cancel()
            await host.aclose()


async def _start_unless(host: Host, stopped: asyncio.Task[bool]) -> None:
    """Starts the host, or cancels that and returns if `stopped` comes first."""
    starting = asyncio.create_task(host.start())
    try:
        await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting}, timeout=_LEAVE_S)
    if not starting.done():
        _logger.error("the start ignores being cancelled; leaving it behind")
    elif not starting.cancelled():
        starting.result()


def main(settings_class: type[S], build: Callable[[S], Service]) -> NoReturn:
    """Loads the settings, configures logs, serves what `build` returns, and ends the process.

    Args:
        settings_class: the service's settings.
        build: makes the service; called inside the event loop, may raise `StartupError`.

    Raises:
        SystemExit: always; a failed start has put one sentence on standard error.
    """
    name = service_name(settings_class)
    read_command_line(settings_class, name)
    settings = load_settings(settings_class)
    configure_logging(settings.log, name)

    async def program() -> None:
        await serve(build(settings), settings)

    _leave(_run(program(), as_json=settings.log.format == "json"))


def _run(program: Coroutine[None, None, None], *, as_json: bool) -> int:
    # asyncio.run would wait for every thread of the default executor, which may be in the middle
    # of loading a model that nobody needs any more; closing the loop by hand does not.
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(program)
    except KeyboardInterrupt:  # before the signals were ours
        return 128 + signal.SIGINT
    except Exception as error:  # the last place to tell of it
        return _told(error, as_json=as_json)
    finally:
        _cancel_rest(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    return 0


def _told(error: Exception, *, as_json: bool) -> int:
    """Says why the process ends, and returns the status with which it does."""
    status = exit_status(error)
    if status is not None:
        tell_reason(str(error), as_json=as_json)
        return status
    _logger.critical("the service failed", exc_info=error)
    if not as_json:
        cause = f"the service failed by a fault of its own ({type(error).__name__})"
        tell_reason(f"{cause}: the log above has the cause.", as_json=False)
    return _EX_SOFTWARE


def _cancel_rest(loop: asyncio.AbstractEventLoop) -> None:
    rest = asyncio.all_tasks(loop)
    for task in rest:
        task.cancel()
    if rest:
        loop.run_until_complete(asyncio.wait(rest, timeout=_LEAVE_S))


def _leave(status: int) -> NoReturn:
    """Ends the process, and does not wait for a thread that is still busy."""
    deadline = time.monotonic() + _LEAVE_S
    others = [
        thread
        for thread in threading.enumerate()
        if thread is not threading.current_thread() and not thread.daemon
    ]
    for thread in others:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in others):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
