"""Runs the programs: carries out what `supervision` decides and tells it what happens."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from voicemesh_launcher.actions import Action, AllReady, Kill, Start, Terminate
from voicemesh_launcher.children import Child
from voicemesh_launcher.output import Output
from voicemesh_launcher.readiness import until_ready
from voicemesh_launcher.supervision import Planned, Policy, Supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from voicemesh_launcher.programs import Program

__all__ = ("Announcer", "Fleet")

_NOT_STARTED = 127

# An exit and a readiness of each program wait at once; what is left over is for impatient people.
_MOST_EVENTS = 64


class Announcer(Protocol):
    """Tells the person what happens; called in the event loop, must not block or raise."""

    def tell(self, notice: Action, tail: Sequence[str]) -> None:
        """Tells of a decision; `tail` has the last lines of the program that it is about."""

    def complain(self, name: str, line: str) -> None:
        """Passes on a line of a program that is a warning or worse."""


@dataclass(frozen=True)
class _BecameReady:
    name: str


@dataclass(frozen=True)
class _Exited:
    name: str
    status: int


@dataclass(frozen=True)
class _StopAsked:
    pass


class Fleet:
    """The programs, from their start to their end. `run` is called once.

    Attributes:
        all_ready: set when all programs have become ready for the first time.
        pids: process ids of what runs, by program.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        log_dir: Path,
        announcer: Announcer,
        *,
        environ: Mapping[str, str] | None = None,
        policy: Policy | None = None,
    ) -> None:
        """Prepares to run programs.

        Args:
            programs: in order of start, with their ports chosen.
            log_dir: existing directory for a log file of each.
            announcer: tells the person.
            environ: environment of the programs; None is that of this process.
            policy: how patient to be.
        """
        self.all_ready = asyncio.Event()
        self.pids: dict[str, int] = {}
        self._programs = {program.name: program for program in programs}
        self._log_dir = log_dir
        self._announcer = announcer
        self._environ = dict(os.environ if environ is None else environ)
        plans = [Planned(program.name, program.needs) for program in programs]
        self._supervision = Supervision(plans, policy)
        self._events: asyncio.Queue[_BecameReady | _Exited | _StopAsked]
        self._events = asyncio.Queue(_MOST_EVENTS)
        self._children: dict[str, Child] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._outputs: dict[str, Output] = {}

    def stop(self) -> None:
        """Asks everything to stop; a second call kills what still runs. May be a signal handler."""
        if self._events.qsize() < _MOST_EVENTS // 2:
            self._events.put_nowait(_StopAsked())

    async def run(self) -> int:
        """Starts the programs and returns the exit status when all have ended.

        Cancelling it kills them.
        """
        with ExitStack() as files:
            for name in self._programs:
                output = Output(self._log_dir / f"{name}.log", self._complainer(name))
                self._outputs[name] = files.enter_context(output)
            try:
                return await self._supervise()
            finally:
                await self._end_runs()

    def _complainer(self, name: str) -> Callable[[str], None]:
        return lambda line: self._announcer.complain(name, line)

    async def _supervise(self) -> int:
        self._carry_out(self._supervision.begin(time.monotonic()))
        while (status := self._supervision.outcome) is None:
            try:
                async with asyncio.timeout(self._remaining_s()):
                    event = await self._events.get()
            except TimeoutError:
                self._carry_out(self._supervision.tick(time.monotonic()))
            else:
                self._carry_out(self._decide(event, time.monotonic()))
        return status

    def _remaining_s(self) -> float | None:
        deadline = self._supervision.next_deadline
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _decide(self, event: _BecameReady | _Exited | _StopAsked, now: float) -> list[Action]:
        match event:
            case _BecameReady():
                return self._supervision.became_ready(event.name, now)
            case _Exited():
                return self._supervision.exited(event.name, event.status, now)
            case _StopAsked():
                return self._supervision.stop(now)

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Start():
                    run = self._run(self._programs[action.name])
                    self._runs[action.name] = asyncio.create_task(run, name=action.name)
                case Terminate():
                    self._signal(action.name, Child.terminate)
                case Kill():
                    self._signal(action.name, Child.kill)
                case AllReady():
                    self.all_ready.set()
                    self._announcer.tell(action, ())
                case _:
                    name = getattr(action, "name", "")
                    tail = self._outputs[name].tail if name else ()
                    self._announcer.tell(action, tail)

    def _signal(self, name: str, send: Callable[[Child], None]) -> None:
        child = self._children.get(name)
        if child is not None:
            send(child)
        elif (run := self._runs.get(name)) is not None:
            run.cancel()  # between the decision to start and the process

    async def _run(self, program: Program) -> None:
        """One run of a program, told to the supervision."""
        output, name = self._outputs[program.name], program.name
        output.forget()
        status = _NOT_STARTED
        try:
            child = await Child.start(program, self._environ, output)
            self._children[name], self.pids[name] = child, child.pid
            watch = asyncio.create_task(self._watch(program), name=f"watch {name}")
            try:
                status = await child.ended()
            finally:
                watch.cancel()
        except OSError as error:
            output.feed(f"cannot be started: {error}\n".encode())
        finally:
            self._children.pop(name, None)
            self.pids.pop(name, None)
            self._events.put_nowait(_Exited(name, status))

    async def _watch(self, program: Program) -> None:
        await until_ready(program.endpoints["metrics"])
        self._events.put_nowait(_BecameReady(program.name))

    async def _end_runs(self) -> None:
        runs = [run for run in self._runs.values() if not run.done()]
        for run in runs:
            run.cancel()
        if runs:
            await asyncio.wait(runs)
