"""A file that is read while it is written."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.errors import FileTooLargeError
from voicemesh_stt.files.spool import UNKNOWN, Spool

pytestmark = pytest.mark.unit


@pytest.fixture
def moved() -> threading.Event:
    """Set when the spool says that there is room again."""
    return threading.Event()


@pytest.fixture
def spool(moved: threading.Event, tmp_path: Path) -> Iterator[Spool]:
    """An empty one that lets the upload be ten bytes ahead."""
    spool = Spool(100, 10, directory=tmp_path, moved=moved.set)
    yield spool
    spool.cancel()
    spool.close()
    assert list(tmp_path.iterdir()) == []


class Reader(threading.Thread):
    """Reads once, in a thread of its own."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self.found: bytes | None = None
        self.start()

    def run(self) -> None:
        self.found = self._spool.read(100)

    def result(self) -> bytes | None:
        self.join(5)
        return self.found


def test_what_was_written_is_read_and_then_the_end(spool: Spool) -> None:
    spool.append(b"hello")
    spool.append(b" world")
    assert spool.read(5) == b"hello"
    assert spool.read(100) == b" world"
    spool.finish()
    assert spool.read(1) == b""


@pytest.mark.parametrize(
    ("happens", "found"),
    [
        (lambda spool: spool.append(b"late"), b"late"),
        (lambda spool: spool.finish(), b""),
        (lambda spool: spool.cancel(), b""),
    ],
)
def test_a_reader_waits_until_something_happens(
    spool: Spool, moved: threading.Event, happens: Callable[[Spool], None], found: bytes
) -> None:
    spool.append(bytes(50))
    assert not spool.has_room()
    assert spool.read(100) == bytes(50)
    moved.clear()
    reader = Reader(spool)
    happens(spool)
    assert reader.result() == found


def test_the_end_is_unknown_until_it_has_come(spool: Spool) -> None:
    spool.append(b"hello")
    assert spool.seek(0, io.SEEK_END) == UNKNOWN
    assert spool.tell() == 0
    spool.finish()
    assert spool.seek(-2, io.SEEK_END) == 3
    assert spool.read(9) == b"lo"


def test_an_upload_is_held_back_while_it_is_far_ahead(spool: Spool, moved: threading.Event) -> None:
    spool.append(bytes(10))
    assert spool.has_room()
    spool.append(bytes(10))
    assert not spool.has_room()
    assert not moved.is_set()
    spool.read(15)
    spool.seek(1, io.SEEK_CUR)
    reader = Reader(spool)
    assert reader.result() == bytes(4)
    assert moved.is_set()
    assert spool.has_room()


def test_a_reader_that_needs_the_end_first_gets_all_of_it(
    spool: Spool, moved: threading.Event
) -> None:
    spool.append(bytes(30))
    assert not spool.has_room()
    spool.seek(60)
    reader = Reader(spool)
    assert moved.wait(5)
    spool.append(bytes(30))
    assert spool.has_room()
    spool.append(b"index")
    assert reader.result() == b"index"


def test_what_nobody_reads_any_more_is_not_kept(spool: Spool, moved: threading.Event) -> None:
    spool.append(bytes(20))
    assert not spool.has_room()
    spool.ignore_rest()
    assert moved.is_set()
    assert spool.has_room()
    spool.append(bytes(30))
    assert spool.size == 50


def test_an_upload_may_not_be_too_large(spool: Spool) -> None:
    spool.append(bytes(100))
    with pytest.raises(FileTooLargeError) as caught:
        spool.append(b"x")
    assert caught.value.field == "audio"


def test_a_reader_has_not_patience_for_ever() -> None:
    spool = Spool(100, 10, patience_s=0.01)
    with pytest.raises(UnavailableError, match="did not come"):
        spool.read(1)
    spool.close()


def test_a_directory_that_does_not_work_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="temporary files"):
        Spool(100, 10, directory=tmp_path / "missing")
