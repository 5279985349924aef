"""Recordings are read on threads, piece by piece, and what was opened is closed."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from voicemesh_client.file_pieces import can_be_sent_again, opened
from voicemesh_client.files import FileSource

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 4_000  # a megabyte


async def read(source: FileSource) -> list[bytes]:
    async with opened(source) as pieces:
        return [piece async for piece in pieces]


def open_files() -> list[str]:
    """What this process has open."""
    folder = Path("/proc/self/fd")
    return [str(link.readlink()) for link in folder.iterdir() if link.is_symlink()]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    file = tmp_path / "talk.wav"
    file.write_bytes(CONTENT)
    return file


async def test_every_source_gives_the_same_bytes(recording: Path) -> None:
    async def arriving() -> AsyncIterator[bytes]:
        yield CONTENT[:10]
        yield CONTENT[10:]

    sources: list[FileSource] = [
        recording,
        str(recording),
        CONTENT,
        io.BytesIO(CONTENT),
        [CONTENT[:5], CONTENT[5:]],
        iter((CONTENT[:7], b"", CONTENT[7:])),
        arriving(),
    ]
    for source in sources:
        assert b"".join(await read(source)) == CONTENT


async def test_a_path_comes_in_small_pieces_and_is_closed(recording: Path) -> None:
    async with opened(recording) as pieces:
        sizes = [len(piece) async for piece in pieces]
        assert str(recording) in open_files()

    assert max(sizes) <= 1 << 18
    assert str(recording) not in open_files()


async def test_a_path_of_which_nothing_was_read_is_closed(recording: Path) -> None:
    async with opened(recording):
        assert str(recording) in open_files()

    assert str(recording) not in open_files()


async def test_a_path_that_is_not_there_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await read(tmp_path / "nowhere.wav")


async def test_an_open_file_stays_open(recording: Path) -> None:
    with recording.open("rb") as file:
        assert b"".join(await read(file)) == CONTENT
        assert not file.closed


async def test_reading_never_runs_in_the_thread_of_the_event_loop() -> None:
    threads = []

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            threads.append(threading.current_thread())
            return super().read(size)

    await read(Slow(b"abc"))

    assert threads
    assert threading.main_thread() not in threads


async def test_a_generator_is_closed_with_the_upload() -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"abc"
        finally:
            closed.append("source")

    async with opened(pieces()) as reading:
        async for _piece in reading:
            break

    assert closed == ["source"]


async def test_a_pipe_to_which_nobody_writes_is_given_up_and_closed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicemesh_client.file_pieces._STEP_S", 0.05)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    reading = asyncio.create_task(read(pipe))
    while open_files().count(str(pipe)) < 2:
        await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    os.write(writer, b"end")
    os.close(writer)

    async with asyncio.timeout(5):
        while str(pipe) in open_files():
            await asyncio.sleep(0.01)


async def test_only_files_and_bytes_can_be_sent_again(recording: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert await can_be_sent_again(recording)
    assert await can_be_sent_again(CONTENT)
    assert not await can_be_sent_again(pipe)
    assert not await can_be_sent_again(io.BytesIO(CONTENT))
    assert not await can_be_sent_again(tmp_path / "gone")
