"""A directory for a Unix socket that only this user can enter, and no litter of earlier ones.

A process that is killed cannot remove its own, so each new one removes those of dead processes.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from pathlib import Path

__all__ = ("SOCKET_NAME", "new_socket_directory")

SOCKET_NAME = "llama.sock"
"""Name of the socket in the directory."""

_PREFIX = "voicemesh-llama-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-\w+")
_KNOCK_S = 0.2


def new_socket_directory() -> Path:
    """A new directory in the temporary one; whoever asks for it removes it.

    Raises:
        OSError: if it cannot be made.
    """
    parent = Path(tempfile.gettempdir())
    for entry in parent.glob(f"{_PREFIX}*"):
        if _is_left_behind(entry):
            shutil.rmtree(entry, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))


def _is_left_behind(entry: Path) -> bool:
    named = _NAME.fullmatch(entry.name)
    # Containers may share the directory but not their process ids: nobody must answer either.
    return named is not None and not _is_alive(int(named[1])) and not _answers(entry / SOCKET_NAME)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
        knocking.settimeout(_KNOCK_S)
        try:
            knocking.connect(str(path))
        except (FileNotFoundError, ConnectionError):
            return False
        except OSError:  # busy, or not ours to enter
            return True
    return True
