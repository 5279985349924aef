"""Files: there completely or not at all, durable, and checked when they are read."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import fsspec
import pytest

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_trainer.errors import FilesUnavailableError, StorageFullError
from voicemesh_trainer.stores.files import FileStore

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 5_000

WRITE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from voicemesh_trainer.stores.files import FileStore
async def pieces():
    print("begun", flush=True)
    while True:
        yield b"x" * 65536
        await asyncio.sleep(0.001)
async def main():
    await FileStore(sys.argv[1], Path(sys.argv[1]) / "work").write("archives/a", pieces())
asyncio.run(main())
"""

WRITE_MUCH = """
import asyncio, sys
from pathlib import Path
from voicemesh_trainer.errors import StorageFullError
from voicemesh_trainer.stores.files import FileStore
async def main():
    files = FileStore(sys.argv[1], Path(sys.argv[1]) / "work")
    small = await files.write("archives/a", b"x" * 1000)
    try:
        await files.write("archives/a", b"x" * 3_000_000)
    except StorageFullError as error:
        print(error.reason, await files.names() == [small.name])
    await files.aclose()
asyncio.run(main())
"""


async def pieces(content: bytes = CONTENT, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def content_of(store: FileStore, name: str) -> bytes:
    return b"".join([piece async for piece in store.open(name)])


def unfinished(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("tmp*") if path.is_file()]


@pytest.fixture(scope="module")
def s3() -> Iterator[subprocess.Popen[bytes]]:
    """A server that speaks S3, which s3fs finds by the usual variables."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(command, stdout=quiet, stderr=quiet) as server,
    ):
        for name, value in variables.items():
            patch.setenv(name, value)
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        fsspec.filesystem("s3").mkdir("bucket")
        yield server
        server.kill()


@pytest.fixture(params=["directory", "bucket", "s3"])
async def files(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FileStore]:
    """A store of files: a directory, a bucket that fsspec keeps in memory, one of S3."""
    url = str(tmp_path / "files")
    if request.param == "bucket":
        url = f"memory://bucket-{uuid.uuid4().hex}/folder"
    if request.param == "s3":
        request.getfixturevalue("s3")
        url = f"s3://bucket/{uuid.uuid4().hex}"
    store = FileStore(url, tmp_path / "work")
    await store.prepare()
    yield store
    await store.aclose()


async def test_what_is_written_is_read(files: FileStore, tmp_path: Path) -> None:
    stored = await files.write("archives/t-1", pieces())

    assert stored.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert stored.byte_count == len(CONTENT)
    assert stored.name.startswith("archives/t-1-")
    assert stored.name.endswith(stored.sha256)
    assert await content_of(files, stored.name) == CONTENT
    path = await files.local_path(stored.name)
    assert path.is_relative_to(tmp_path)
    assert path.read_bytes() == CONTENT
    assert await files.names() == [stored.name]


async def test_the_same_content_twice_is_two_files(files: FileStore) -> None:
    first, second = [await files.write("curves/a", b"same") for _ in range(2)]
    await files.delete(first.name)
    await files.delete(first.name)
    assert await content_of(files, second.name) == b"same"
    assert await files.names() == [second.name]


async def test_an_empty_file_is_one(files: FileStore) -> None:
    stored = await files.write("a", b"")
    assert await content_of(files, stored.name) == b""


@pytest.mark.parametrize("way", ["raised", "cancelled"])
async def test_a_file_that_does_not_come_to_its_end_is_not_there(
    files: FileStore, tmp_path: Path, way: str
) -> None:
    begun = asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        begun.set()
        if way == "raised":
            raise ValueError("no more")
        await asyncio.Event().wait()

    task = asyncio.create_task(files.write("a", broken()))
    await begun.wait()
    if way == "cancelled":
        task.cancel()
    await asyncio.wait({task})
    assert task.cancelled() or isinstance(task.exception(), ValueError)
    assert await files.names() == []
    await files.aclose()
    assert unfinished(tmp_path) == []


async def test_a_file_that_is_gone(files: FileStore) -> None:
    stored = await files.write("a", CONTENT)
    await files.delete(stored.name)
    with pytest.raises(FilesUnavailableError, match="should be there"):
        await content_of(files, stored.name)
    with pytest.raises(FilesUnavailableError, match="should be there"):
        await files.local_path(stored.name)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "a", "", "a\x00b"])
async def test_only_names_that_it_gave_out_are_taken(files: FileStore, name: str) -> None:
    for call in (files.local_path(name), files.delete(name), content_of(files, name)):
        with pytest.raises(ValueError, match="not the name of a file"):
            await call


@pytest.mark.parametrize("prefix", ["..", "/a", "a//b", "a/../b", "ä", ""])
async def test_names_begin_with_plain_words_only(files: FileStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="cannot begin the name"):
        await files.write(prefix, b"")


async def test_damage_is_found(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path), tmp_path / "work")
    stored = await store.write("a", CONTENT)
    (tmp_path / stored.name).write_bytes(CONTENT[:-1] + b"\x00")
    with pytest.raises(FilesUnavailableError, match="damaged"):
        await content_of(store, stored.name)
    with pytest.raises(FilesUnavailableError, match="damaged"):
        await store.local_path(stored.name)
    await store.aclose()


async def test_a_buckets_files_are_cached_up_to_a_size(tmp_path: Path) -> None:
    url = f"memory://bucket-{uuid.uuid4().hex}"
    store = FileStore(url, tmp_path, cache_bytes=2 * len(CONTENT))
    stored = [await store.write("a", bytes([number]) + CONTENT[1:]) for number in range(3)]
    paths = []
    for number, each in enumerate(stored):
        paths.append(await store.local_path(each.name))
        os.utime(paths[-1], (number, number))
    assert [path.exists() for path in paths] == [False, True, True]
    assert (await store.local_path(stored[0].name)).read_bytes() == b"\x00" + CONTENT[1:]
    await store.aclose()


def test_a_program_that_is_killed_leaves_no_half_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        while not any(path.stat().st_size for path in (tmp_path / ".incoming").glob("*")):
            time.sleep(0.01)
        program.kill()

    async def look() -> list[str]:
        store = FileStore(str(tmp_path), tmp_path / "work")
        left = list((tmp_path / ".incoming").iterdir())
        assert len(left) == 1
        await store.prepare()
        assert left[0].exists()  # it may be of a program that is still at it
        os.utime(left[0], (0, 0))
        await store.prepare()
        assert not left[0].exists()
        names = await store.names()
        await store.aclose()
        return names

    assert asyncio.run(look()) == []


def test_a_disk_that_is_full_is_said_to_be_full(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    done = subprocess.run(
        [sys.executable, "-c", WRITE_MUCH, str(tmp_path)],
        preexec_fn=limit,
        capture_output=True,
        check=False,
        text=True,
    )
    assert (done.stdout.strip(), done.returncode) == ("STORAGE_FULL True", 0), done.stderr


async def test_a_directory_that_cannot_be_written_to_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = FileStore(str(tmp_path / "file" / "files"), tmp_path)
    with pytest.raises(StartupError, match="files cannot be kept in the directory"):
        await store.prepare()
    with pytest.raises(FilesUnavailableError):
        await store.write("a", b"")
    await store.aclose()


@pytest.mark.parametrize("url", ["ftp://host/folder", "sftp://host/x", "http://host/"])
def test_what_could_show_half_a_file_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_TRAINER_STORAGE__FILES_URL"):
        FileStore(url, tmp_path)


async def test_a_store_without_an_answer_is_not_waited_for(
    tmp_path: Path,
) -> None:
    store = FileStore(str(tmp_path), tmp_path / "work", transfer_s=0.05)
    stored = await FileStore(str(tmp_path), tmp_path / "work").write("a", CONTENT)
    os.remove(tmp_path / stored.name)
    os.mkfifo(tmp_path / stored.name)  # opening it waits for a writer
    with pytest.raises(FilesUnavailableError, match=r"within 0\.05 s"):
        await content_of(store, stored.name)
    with (tmp_path / stored.name).open("wb"):
        pass
    await store.aclose()


def test_the_error_of_a_full_store_says_when_to_come_back() -> None:
    error = StorageFullError("full")
    assert (error.code, error.retry_after_s) == ("RESOURCE_EXHAUSTED", 60.0)


async def test_an_s3_server_that_is_gone(
    s3: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Comes last: the server is not started again. Trying again would take s3fs ten seconds.
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    store = FileStore(f"s3://bucket/{uuid.uuid4().hex}", tmp_path)
    stored = await store.write("a", CONTENT)
    s3.kill()
    s3.wait()
    with pytest.raises(FilesUnavailableError, match="at the moment"):
        await store.write("a", CONTENT)
    with pytest.raises(FilesUnavailableError, match="at the moment"):
        await content_of(store, stored.name)
    with pytest.raises(StartupError, match="cannot be kept in s3://bucket/"):
        await store.prepare()
    await store.aclose()
