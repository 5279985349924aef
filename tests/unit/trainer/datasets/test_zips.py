"""Zip archives: those of people, and those made to harm."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from voicemesh_chassis.errors import LimitExceededError
from voicemesh_trainer.datasets.errors import UnreadableFileError
from voicemesh_trainer.domain.datasets import DatasetFormat, DatasetLimits

pytestmark = pytest.mark.unit

TABLE = b"prompt,completion\na,b\n"


def entry(name: str, mode: int = 0, flags: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = mode << 16
    made.flag_bits |= flags
    return made


def test_reads_files_in_directories_each_as_what_it_is(
    read: Any, zipped: Callable[..., bytes]
) -> None:
    data = zipped(
        {
            "facts/a.csv": TABLE,
            "facts/more/b.jsonl": b'{"prompt": "c", "completion": "d"}\nno\n',
            "notes.txt": "Grüße".encode("cp1252"),
            "photo.png": b"\x89PNG",
            "fake.csv": b"\x89PNG",
            "__MACOSX/._a.csv": b"\0\1",
            ".DS_Store": b"\0",
        }
    )
    got = read(data, "facts.zip")
    assert got.pairs == [("a", "b"), ("c", "d"), ("", "Grüße")]
    assert got.drafts[0].source == "facts/a.csv, line 2"
    assert [(row.file_name, row.line) for row in got.rejected] == [
        ("facts/more/b.jsonl", 2),
        ("fake.csv", 0),
        ("photo.png", 0),
    ]
    assert [(file.file_name, file.format) for file in got.files] == [
        ("facts/a.csv", DatasetFormat.CSV),
        ("facts/more/b.jsonl", DatasetFormat.JSONL),
        ("notes.txt", DatasetFormat.TEXT),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "../a.csv",
        "a/../../b.csv",
        "/etc/a.csv",
        "C:/a.csv",
        "a\\..\\b.csv",
        "a\nb.csv",
        "x" * 300 + ".csv",
        "a/" * 12 + "b.csv",
    ],
)
def test_refuses_names_that_leave_their_directory_or_cannot_be_shown(
    read: Any, zipped: Callable[..., bytes], name: str
) -> None:
    with pytest.raises(UnreadableFileError, match="refused"):
        read(zipped({"good.csv": TABLE, name: TABLE}), "x.zip")


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR, stat.S_IFIFO])
def test_refuses_links_and_devices(read: Any, zipped: Callable[..., bytes], mode: int) -> None:
    with pytest.raises(UnreadableFileError, match="a link or a device"):
        read(zipped([(entry("a.csv", mode), b"/etc/passwd")]), "x.zip")


def test_refuses_encrypted_entries(read: Any, zipped: Callable[..., bytes]) -> None:
    data = bytearray(zipped({"a.csv": TABLE}))
    data[6] |= 1  # in the entry's own header, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFileError, match="is encrypted"):
        read(bytes(data), "x.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_refuses_methods_that_take_much_memory(
    read: Any, zipped: Callable[..., bytes], method: int
) -> None:
    with pytest.raises(UnreadableFileError, match="other than deflate"):
        read(zipped({"a.csv": TABLE}, method), "x.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_two_entries_of_one_name(read: Any, zipped: Callable[..., bytes]) -> None:
    with pytest.raises(UnreadableFileError, match="is there twice"):
        read(zipped([(entry("a.csv"), TABLE), (entry("a.csv"), TABLE)]), "x.zip")


def test_does_not_unpack_archives_in_archives(read: Any, zipped: Callable[..., bytes]) -> None:
    inner = zipped({"a.csv": TABLE})
    got = read(zipped({"a.csv": TABLE, "inner.zip": inner, "hidden.csv": inner}), "x.zip")
    assert got.pairs == [("a", "b")]
    assert {row.file_name for row in got.rejected} == {"inner.zip", "hidden.csv"}


def test_a_bomb_is_refused_by_what_it_really_unpacks_to(
    read: Any, zipped: Callable[..., bytes]
) -> None:
    limits = DatasetLimits(unpacked_bytes=1 << 20)
    data = bytearray(zipped({"a.txt": b"x" * (8 << 20)}))
    for offset in (22, data.index(b"PK\x01\x02") + 24):
        struct.pack_into("<I", data, offset, 1 << 10)  # what it says of its size is a lie
    with pytest.raises((LimitExceededError, UnreadableFileError)):
        read(bytes(data), "x.zip", limits)
    with pytest.raises(LimitExceededError, match="unpacks to more than"):
        read(zipped({f"{n}.txt": b"x" * (300 << 10) for n in range(4)}), "x.zip", limits)


def test_too_many_entries_are_refused_before_they_are_in_memory(
    read: Any, zipped: Callable[..., bytes]
) -> None:
    limits = DatasetLimits(archive_files=3)
    with pytest.raises(LimitExceededError, match="at most 3"):
        read(zipped({f"{n}.csv": TABLE for n in range(4)}), "x.zip", limits)
    many = zipped({f"{n:0200}.csv": b"" for n in range(2_000)})
    with pytest.raises(LimitExceededError, match="more entries"):
        read(many, "x.zip", limits)


def test_a_damaged_archive_gives_nothing(read: Any, zipped: Callable[..., bytes]) -> None:
    data = bytearray(zipped({"a.csv": TABLE * 100}, zipfile.ZIP_STORED))
    data[60] ^= 0xFF
    with pytest.raises(UnreadableFileError, match="damaged"):
        read(bytes(data), "x.zip")
    with pytest.raises(UnreadableFileError, match="not a zip archive"):
        read(zipped({"a.csv": TABLE})[:-30], "x.zip")


def test_an_archive_without_a_readable_file_says_so(
    read: Any, zipped: Callable[..., bytes]
) -> None:
    with pytest.raises(UnreadableFileError, match="no file that is read here"):
        read(zipped({"photo.png": b"\x89PNG"}), "x.zip")
    with pytest.raises(UnreadableFileError, match="no file that is read here"):
        read(zipped({}), "x.zip")


def test_rows_of_all_files_count_together(read: Any, zipped: Callable[..., bytes]) -> None:
    table = b"prompt,completion\n" + b"a,b\n" * 6
    with pytest.raises(LimitExceededError, match="more than the 10 rows"):
        read(zipped({"a.csv": table, "b.csv": table}), "x.zip", DatasetLimits(rows=10))


def test_text_named_zip_is_no_archive(read: Any) -> None:
    got = read("hello", "x.zip")
    assert got.pairs == [("", "hello")]
