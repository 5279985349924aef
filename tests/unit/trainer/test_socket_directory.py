"""The directory of llama.cpp's socket, and what killed processes have left behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicemesh_trainer.engines.socket_directory import SOCKET_NAME, new_socket_directory

pytestmark = pytest.mark.unit


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty temporary directory, short enough for the path of a socket."""
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr("tempfile.tempdir", directory)
        yield Path(directory)


@pytest.fixture
def dead_pid() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_this_user_can_enter_it(temporary: Path) -> None:
    directory = new_socket_directory()

    assert directory.parent == temporary
    assert directory.stat().st_mode & 0o777 == 0o700


def test_what_dead_processes_left_is_removed(temporary: Path, dead_pid: int) -> None:
    stale = temporary / f"voicemesh-llama-{dead_pid}-abc_1"
    stale.mkdir()
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind(str(stale / SOCKET_NAME))

    directory = new_socket_directory()

    assert list(temporary.iterdir()) == [directory]


def test_what_living_processes_use_stays(temporary: Path) -> None:
    first = new_socket_directory()
    of_parent = temporary / f"voicemesh-llama-{os.getppid()}-abc"
    of_parent.mkdir()
    strange = temporary / "voicemesh-llama-elsewhere"
    strange.mkdir()

    second = new_socket_directory()

    assert set(temporary.iterdir()) == {first, of_parent, strange, second}


def test_a_socket_that_answers_stays_though_its_process_is_unknown(
    temporary: Path, dead_pid: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = temporary / f"voicemesh-llama-{dead_pid}-abc"  # as of another container
    used.mkdir()
    monkeypatch.chdir(used)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(SOCKET_NAME)
        listening.listen()

        directory = new_socket_directory()

    assert set(temporary.iterdir()) == {used, directory}
