"""The event log is written beside the conversation, whole lines and no more than there is room."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from voicemesh_bot.record.event_log import EventLog

pytestmark = pytest.mark.unit


async def written(log: EventLog, *lines: dict[str, Any]) -> None:
    """Writes lines and waits until all are on the disk."""
    for line in lines:
        log.write(line)
    running = asyncio.create_task(log.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


def read(path: Path) -> list[dict[str, Any]]:
    """All lines of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def test_lines_are_appended_in_order_and_the_last_are_written_at_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "new" / "turns.jsonl"

    await written(EventLog(path), {"n": 1}, {"n": 2, "text": "zwölf\n小"})
    await written(EventLog(path), {"n": 3})

    assert read(path) == [{"n": 1}, {"n": 2, "text": "zwölf\n小"}, {"n": 3}]


async def test_lines_are_on_the_disk_soon(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    log = EventLog(path)
    running = asyncio.create_task(log.run())
    for number in range(3):
        log.write({"n": number})
        async with asyncio.timeout(30):
            while not path.exists() or len(read(path)) <= number:
                await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})


async def test_nobody_else_on_the_machine_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"

    await written(EventLog(path), {"n": 1})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_full_file_makes_room_for_the_next_and_the_one_before_is_kept(
    tmp_path: Path,
) -> None:
    path = tmp_path / "turns.jsonl"
    for number in range(5):
        await written(EventLog(path, most_bytes=15), {"n": number})

    assert read(path) == [{"n": 4}]
    assert read(tmp_path / "turns.jsonl.1") == [{"n": 2}, {"n": 3}]
    assert not (tmp_path / "turns.jsonl.2").exists()


async def test_a_file_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    await written(EventLog(tmp_path / "file" / "turns.jsonl"), {"n": 1})


async def test_of_more_lines_than_can_wait_the_oldest_are_lost(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"

    await written(EventLog(path), *({"n": number} for number in range(10_003)))

    numbers = [line["n"] for line in read(path)]
    assert numbers == list(range(3, 10_003))
