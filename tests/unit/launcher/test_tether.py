"""A child does not outlive its launcher, by either of the two ways."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

CHILD = """
import pathlib, os, sys, time
pathlib.Path(os.environ["PID_FILE"]).write_text(str(os.getpid()))
time.sleep(60)
"""
LAUNCHER = """
import os, platform, subprocess, sys, time
arguments = [sys.executable, "-c", sys.argv[1], str(os.getpid()), "tethered"]
subprocess.Popen(arguments, stdin=subprocess.PIPE, process_group=0)
time.sleep(60)
"""
TETHER = "import sys; from voicemesh_launcher import tether; {}tether.main(sys.argv[1:])"


@pytest.mark.parametrize(
    "preparation",
    ["", "import platform; platform.system = lambda: 'Elsewhere'; "],
    ids=["by the kernel", "by the end of its input"],
)
def test_a_killed_launcher_leaves_nothing(tmp_path: Path, preparation: str) -> None:
    (tmp_path / "tethered.py").write_text(CHILD)
    pid_file = tmp_path / "pid"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, TETHER.format(preparation)],
        env={**os.environ, "PYTHONPATH": path, "PID_FILE": str(pid_file)},
    )
    try:
        pid = int(wait_for(lambda: pid_file.exists() and pid_file.read_text()))
        assert is_running(pid)
    finally:
        launcher.send_signal(signal.SIGKILL)
        launcher.wait(10)

    wait_for(lambda: not is_running(pid))


def wait_for(condition: object) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := condition():  # type: ignore[operator]
            return str(found)
        time.sleep(0.02)
    pytest.fail("it did not happen within 20 s")


def is_running(pid: int) -> bool:
    """Whether the process is there and not only waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
