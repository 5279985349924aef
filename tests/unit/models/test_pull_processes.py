"""Pulls in real processes: killed half-way, or two of one model at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from voicemesh_models import LockTimeoutError, ModelState, ModelStore

if TYPE_CHECKING:
    from voicemesh_models.testing import FileServer

pytestmark = [pytest.mark.unit, pytest.mark.timeout(60)]

_WHEELS_BYTES = 614_400
_PATIENCE_S = 30.0

Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start_pull(store: ModelStore) -> Iterator[Start]:
    """Starts `voicemesh-models pull tiny` as its users do; ends what is left of it."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        places = ["--dir", str(store.root), "--catalogue", str(store.catalogue.path)]
        process = subprocess.Popen(
            [sys.executable, "-m", "voicemesh_models", "pull", "tiny", *places],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=_PATIENCE_S)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def _held_bytes(root: Path) -> int:
    fetched = root / ".pulling" / "tiny" / "fetched"
    return sum(path.stat().st_size for path in fetched.glob("*")) if fetched.exists() else 0


def test_pull_that_was_killed_goes_on_where_it_stopped(
    store: ModelStore, index: FileServer, start_pull: Start
) -> None:
    index.bytes_per_s = 150_000
    first = start_pull()
    _wait_for(lambda: _held_bytes(store.root) > 200_000)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(timeout=_PATIENCE_S)
    held = _held_bytes(store.root)
    assert store.state("tiny") is ModelState.MISSING
    index.bytes_per_s = None

    second = start_pull()
    output, errors = second.communicate(timeout=_PATIENCE_S)

    assert second.returncode == 0, errors
    assert "are here already" in output
    assert ("/files/tiny_one-1.0-py3-none-any.whl", held) in index.starts
    store.verify("tiny")


def test_two_pulls_at_once_fetch_once_and_both_succeed(
    store: ModelStore, index: FileServer, start_pull: Start
) -> None:
    index.bytes_per_s = 600_000
    processes = [start_pull(), start_pull()]

    outputs = [process.communicate(timeout=_PATIENCE_S) for process in processes]

    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("waiting for another process" in output for output, _ in outputs) == 1
    assert index.bytes_of(".whl") < _WHEELS_BYTES + 10_000
    store.verify("tiny")


def test_model_appears_whole_or_not_at_all(
    store: ModelStore, index: FileServer, start_pull: Start
) -> None:
    index.bytes_per_s = 400_000
    process = start_pull()
    seen: set[ModelState] = set()

    while process.poll() is None:
        seen.add(store.state("tiny"))
        time.sleep(0.005)

    assert process.returncode == 0
    assert seen <= {ModelState.MISSING, ModelState.INSTALLED}
    assert store.state("tiny") is ModelState.INSTALLED


def test_wait_for_another_process_has_an_end(store: ModelStore) -> None:
    locks = store.root / ".locks"
    locks.mkdir(parents=True)

    with (
        FileLock(locks / "tiny.lock"),
        pytest.raises(LockTimeoutError, match="another process has been pulling it"),
    ):
        store.pull("tiny", lock_timeout_s=0.05)
