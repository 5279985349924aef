"""What the person at the terminal reads."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from voicemesh_launcher.actions import Action, AllReady, Died, Ready, Stopped, Stopping, TooSlow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from voicemesh_launcher.programs import Program

__all__ = ("Announcements",)

_NAME_WIDTH = 8
_ADDRESS_WIDTH = 21


class Announcements:
    """Writes one line for each thing that happens; see `fleet.Announcer`."""

    def __init__(
        self,
        programs: Sequence[Program],
        log_dir: Path,
        write: Callable[[str], None],
        *,
        last_line: str = "",
        tells_of_stops: bool = True,
    ) -> None:
        """Makes an announcer.

        Args:
            programs: those that are run.
            log_dir: where their log files are.
            write: takes lines.
            last_line: written when all are ready.
            tells_of_stops: whether stopping as asked is worth a line.
        """
        self._addresses: Mapping[str, str] = {
            program.name: program.endpoints["grpc"].address for program in programs
        }
        self._log_dir = log_dir
        self._write = write
        self._last_line = last_line
        self._tells_of_stops = tells_of_stops

    def tell(self, notice: Action, tail: Sequence[str]) -> None:
        """Writes what a decision means to the person."""
        match notice:
            case Ready():
                again = "again " if notice.again else ""
                self._line(notice.name, f"ready {again}in {notice.seconds:.1f} s", address=True)
            case AllReady():
                if self._last_line:
                    self._write(self._last_line)
            case TooSlow():
                self._line(notice.name, f"not ready after {notice.seconds:.0f} s, killed")
            case Died():
                self._died(notice, tail)
            case Stopping() | Stopped() if not self._tells_of_stops:
                pass
            case Stopping():
                self._write("stopping; Ctrl-C again ends everything at once")
            case Stopped():
                self._line(notice.name, "killed" if notice.killed else "stopped")
            case _:
                pass

    def complain(self, name: str, line: str) -> None:
        """Writes a warning of a program under its name."""
        self._line(name, line)

    def _line(self, name: str, text: str, *, address: bool = False) -> None:
        where = f"{self._addresses[name]:<{_ADDRESS_WIDTH}} " if address else ""
        self._write(f"{name:<{_NAME_WIDTH}} {where}{text}")

    def _died(self, died: Died, tail: Sequence[str]) -> None:
        how = _how_it_ended(died.status)
        if died.restart_s is not None:
            self._line(died.name, f"{how}; starting it again in {died.restart_s:g} s")
        else:
            self._line(died.name, f"{how} before everything was ready")
        for line in tail:
            self._write(f"  {died.name} | {line}")
        self._write(f"  all of its log is in {self._log_dir / f'{died.name}.log'}")


def _how_it_ended(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name}"
