"""The process that trains: reads an order, tells what happens, and writes an adapter.

    python -m voicemesh_trainer.engines.lora NICENESS MEMORY_MIB < order > events

Events are JSON, one a line: `progress`, `log`, `facts`, `checkpoint` (which waits for a line
`saved` in return, as the file is deleted then), and in the end one of `done`, `paused` and
`failed`. The process ends when its standard input does, or its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import sys
import threading
from typing import TYPE_CHECKING, TextIO

from voicemesh_trainer.engines.lora.faults import TrainingFault
from voicemesh_trainer.engines.lora.order import PAUSE, SAVED, Order

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ("main",)

_PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
_SAVED_WITHIN_S = 90_000.0
"""Longer than a worker goes on without its database (`JobSettings.outage_s`), in seconds; one that
is gone ends this process at once."""


class Line:
    """The line to the parent: events out, wishes in."""

    def __init__(self, source: TextIO, sink: TextIO) -> None:
        self._source = source
        self._sink = sink
        self._pause = threading.Event()
        self._saved = threading.Event()

    def listen(self) -> None:
        """Starts to listen; the process ends when the parent hangs up."""
        threading.Thread(target=self._listen, name="line", daemon=True).start()

    def _listen(self) -> None:
        for line in self._source:
            if line.strip() == PAUSE:
                self._pause.set()
            elif line.strip() == SAVED:
                self._saved.set()
        os._exit(1)  # nobody is left who could use the result

    def tell(self, kind: str, **facts: object) -> None:
        """Sends an event."""
        self._sink.write(json.dumps({"event": kind, **facts}) + "\n")
        self._sink.flush()

    def shall_pause(self) -> bool:
        """Whether the parent asked for the end."""
        return self._pause.is_set()

    def tell_checkpoint(self, path: Path, step: int) -> None:
        """Sends a checkpoint, and waits until the parent has it.

        Raises:
            TrainingFault: if it does not take it.
        """
        self._saved.clear()
        self.tell("checkpoint", path=str(path), step=step)
        if not self._saved.wait(_SAVED_WITHIN_S):
            msg = "the checkpoint was not taken"
            raise TrainingFault(msg)


def main(niceness: int = 0, memory_mib: int = 0) -> int:
    """Trains; the exit status is 0 if the last event tells what came of it.

    Args:
        niceness: how far the process stands back behind others.
        memory_mib: most memory that it may take, in MiB; 0 is as much as there is.
    """
    _end_with_parent()
    os.nice(niceness)
    if memory_mib:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
    # Libraries may print; the events have their output for themselves.
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    line = Line(sys.stdin, events)
    order = Order.from_json(sys.stdin.readline())
    line.listen()
    _set_environment(order)
    from voicemesh_trainer.engines.lora.work import work

    try:
        work(order, line)
    except TrainingFault as fault:
        line.tell("failed", message=str(fault))
    except (MemoryError, RuntimeError) as error:
        # torch says so in words only.
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        line.tell("failed", message="there is not enough memory to train; see max_example_tokens")
    return 0


def _set_environment(order: Order) -> None:
    """Before torch is imported, which reads these once."""
    settings: Mapping[str, str] = {
        "OMP_NUM_THREADS": str(order.threads),
        # Threads that wait for each other go to sleep, or else training takes many times as long
        # beside another busy process.
        "OMP_WAIT_POLICY": "PASSIVE",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
    }
    os.environ.update(settings)


def _end_with_parent() -> None:
    if platform.system() == "Linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit(1)


if __name__ == "__main__":
    # The daemon thread may hold the lock of standard input, which a usual end would wait for.
    status = main(*(int(each) for each in sys.argv[1:]))
    sys.stderr.flush()
    os._exit(status)
