"""The fleet with small real processes in the place of the services."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from voicemesh_launcher.actions import Action, AllReady, Died, Ready, Stopped, Stopping
from voicemesh_launcher.fleet import Fleet
from voicemesh_launcher.programs import Program, read_programs, with_free_ports
from voicemesh_launcher.supervision import Policy

pytestmark = pytest.mark.unit

SERVING = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
print("[warning  ] hello", flush=True)
port = int(next(v for k, v in os.environ.items() if k.endswith("METRICS_PORT") and NAME in k))
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
FAILING = "import sys; print('no such model', file=sys.stderr); sys.exit(78)"
DEAF = SERVING.replace("lambda *_: os._exit(0)", "signal.SIG_IGN")


class Notes:
    """Remembers what would be told."""

    def __init__(self) -> None:
        self.notices: list[Action] = []
        self.complaints: list[tuple[str, str]] = []
        self.tails: dict[type[Action], Sequence[str]] = {}

    def tell(self, notice: Action, tail: Sequence[str]) -> None:
        self.notices.append(notice)
        self.tails[type(notice)] = tail

    def complain(self, name: str, line: str) -> None:
        self.complaints.append((name, line))

    def kinds(self) -> list[type[Action]]:
        return [type(notice) for notice in self.notices]


def fleet_of(directory: Path, notes: Notes, **scripts: str) -> Fleet:
    """A fleet of `stt` and `bot` that run these scripts; `bot` needs `stt`."""
    programs = []
    for program in with_free_ports(read_programs({}), {}, everywhere=True):
        if program.name in scripts:
            module = f"fake_{program.name}"
            name = f"NAME = '_{program.name.upper()}_'\n"
            (directory / f"{module}.py").write_text(name + scripts[program.name])
            needs = tuple(need for need in program.needs if need in scripts)
            programs.append(
                Program(program.name, module, program.endpoints, needs, program.variables)
            )
    path = os.pathsep.join([str(directory), *sys.path])
    environ = {**os.environ, "PYTHONPATH": path}
    policy = Policy(start_s=30, stop_s=0.5, first_pause_s=0.05)
    return Fleet(programs, directory, notes, environ=environ, policy=policy)


async def until_ready(fleet: Fleet) -> asyncio.Task[int]:
    running = asyncio.create_task(fleet.run())
    async with asyncio.timeout(30):
        await fleet.all_ready.wait()
    return running


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_programs_start_in_order_and_stop_backwards(tmp_path: Path) -> None:
    notes = Notes()
    fleet = fleet_of(tmp_path, notes, stt=SERVING, bot=SERVING)
    running = await until_ready(fleet)
    pids = dict(fleet.pids)
    fleet.stop()

    assert await running == 0
    assert notes.kinds() == [Ready, Ready, AllReady, Stopping, Stopped, Stopped]
    assert [getattr(notice, "name", "") for notice in notes.notices] == [
        "stt", "bot", "", "", "bot", "stt",
    ]  # fmt: skip
    assert notes.complaints[0] == ("stt", "[warning  ] hello")
    assert "hello" in (tmp_path / "bot.log").read_text()
    assert not any(map(is_running, pids.values()))


async def test_a_program_that_fails_at_the_start_shows_its_last_words(tmp_path: Path) -> None:
    notes = Notes()
    fleet = fleet_of(tmp_path, notes, stt=FAILING, bot=SERVING)

    assert await fleet.run() == 1
    assert notes.notices == [Died("stt", 78, None), Stopping()]
    assert notes.tails[Died] == ("no such model",)


async def test_a_program_that_dies_is_started_again(tmp_path: Path) -> None:
    notes = Notes()
    fleet = fleet_of(tmp_path, notes, stt=SERVING)
    running = await until_ready(fleet)
    os.kill(fleet.pids["stt"], signal.SIGKILL)
    async with asyncio.timeout(30):
        while notes.kinds().count(Ready) < 2:
            await asyncio.sleep(0.01)
    fleet.stop()

    assert await running == 0
    assert notes.notices[2] == Died("stt", -9, 0.05)


async def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    notes = Notes()
    fleet = fleet_of(tmp_path, notes, stt=DEAF)
    running = await until_ready(fleet)
    fleet.stop()

    assert await running == 0
    assert notes.notices[-1] == Stopped("stt", killed=True)


async def test_stopping_twice_does_not_wait(tmp_path: Path) -> None:
    notes = Notes()
    fleet = fleet_of(tmp_path, notes, stt=DEAF, bot=DEAF)
    running = await until_ready(fleet)
    fleet.stop()
    fleet.stop()

    async with asyncio.timeout(5):
        assert await running == 0
    assert Stopped("bot", killed=True) in notes.notices
    assert Stopped("stt", killed=True) in notes.notices


async def test_cancelling_leaves_no_process(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path, Notes(), stt=DEAF)
    running = await until_ready(fleet)
    pid = fleet.pids["stt"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    async with asyncio.timeout(5):
        while is_running(pid):
            await asyncio.sleep(0.01)
