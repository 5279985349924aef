"""Runs a module as `python -m MODULE` does, in a process that does not outlive its launcher.

    python -m voicemesh_launcher.tether LAUNCHER_PID MODULE

On Linux the kernel is asked to kill the process when its parent ends, which holds whatever either
of them is doing; elsewhere a thread waits for the end of standard input, which the launcher holds
open. So `kill -9` of the launcher leaves nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import platform
import runpy
import signal
import sys
import threading

__all__ = ("main",)

_PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
_STDIN = 0


def main(arguments: list[str]) -> None:
    """Runs the module; does not return where the process is replaced."""
    launcher_pid, module = int(arguments[0]), arguments[1]
    if platform.system() == "Linux":
        _end_with_parent(launcher_pid)
        os.execv(sys.executable, [sys.executable, "-m", module])  # noqa: S606 - our own module
    threading.Thread(target=_end_with_input, name="tether", daemon=True).start()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _end_with_parent(launcher_pid: int) -> None:
    # Survives execv, as the program that is executed has no special rights (prctl(2)).
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != launcher_pid:  # it ended before the kernel was asked
        sys.exit(1)


def _end_with_input() -> None:
    while os.read(_STDIN, 4096):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
