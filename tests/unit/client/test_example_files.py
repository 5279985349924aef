"""What is uploaded of a directory, how downloads become files, and how cases are read."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from voicemesh_client import EvaluationCase, ImportOptions, InvalidArgumentError, UnavailableError
from voicemesh_client.cli.cases import cases_in
from voicemesh_client.directories import zipped
from voicemesh_client.saving import saved
from voicemesh_client.uploads import counted, named, prepared

pytestmark = pytest.mark.unit


async def test_a_directory_is_packed_without_links_hidden_and_other_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    (inside / ".git").mkdir()
    for name in ("b.csv", "a.TXT", "photo.png", ".hidden.txt", ".git/config.txt", "below/c.jsonl"):
        (inside / name).write_text(name)
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    (inside / "linked").symlink_to(outside)

    async with zipped(inside) as archive:
        first = archive.read_bytes()
    async with zipped(inside) as archive:
        second = archive.read_bytes()

    packed = zipfile.ZipFile(io.BytesIO(first))
    assert packed.namelist() == ["a.TXT", "b.csv", "below/c.jsonl"]
    assert packed.read("below/c.jsonl") == b"below/c.jsonl"
    assert first == second
    assert not archive.exists()


async def test_a_directory_without_examples_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"")

    with pytest.raises(InvalidArgumentError, match="no file of examples"):
        async with prepared(tmp_path, ImportOptions()):
            pytest.fail("there is nothing to upload")


async def test_a_file_is_named_by_its_path_and_every_import_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text("")
    first, second = named(path, ImportOptions()), named(b"", ImportOptions())

    assert (first.file_name, second.file_name) == ("facts.csv", "")
    assert 1 <= len(first.request_id) <= 64
    assert first.request_id != second.request_id
    given = ImportOptions(file_name="a.txt", request_id="r")
    assert named(path, given) == given
    with path.open("rb") as file:
        assert named(file, ImportOptions()).file_name == "facts.csv"


async def pieces(*contents: bytes) -> AsyncGenerator[bytes, None]:
    for content in contents:
        yield content


async def test_bytes_are_counted_as_they_are_handed_over() -> None:
    counts: list[int] = []
    async for _ in counted(pieces(b"ab", b"", b"cde"), counts.append):
        pass

    assert counts == [2, 2, 5]


async def test_a_download_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "facts.jsonl"

    assert await saved(pieces(b"ab", b"c"), target) == 3
    assert target.read_bytes() == b"abc"
    assert os.listdir(tmp_path) == [target.name]


async def test_a_download_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "facts.jsonl"
    target.write_text("old")

    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"new"
        msg = "gone"
        raise UnavailableError(msg)

    with pytest.raises(UnavailableError):
        await saved(broken(), target)

    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == [target.name]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", 'prompt,expected\n"Who, then?",Ann\n'),
        ("a.tsv", "question\tanswer\nWho, then?\tAnn\n"),
        ("a.json", '[{"prompt": "Who, then?", "expected": "Ann"}]'),
        ("a.jsonl", '\ufeff{"prompt": "Who, then?", "completion": "Ann"}\n\n'),
    ],
)
def test_cases_are_read(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")

    assert cases_in(file) == (EvaluationCase("Who, then?", "Ann"),)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"prompt,expected\nWho?,\n", "line 2: no expected or completion or answer"),
        ("a.csv", b"a,b\n1,2\n", "line 2: no prompt or question"),
        ("a.csv", b"", "has no cases"),
        ("a.json", b"{}", "has no list of cases"),
        ("a.json", b"[1]", "case 1: no prompt"),
        ("a.json", b"nothing", "is not JSON"),
        ("a.jsonl", b'{"prompt": "a", "expected": "b"}\n{', "line 2: not JSON"),
        ("a.json", b"\xff\xfe\xfd", "is not UTF-8 text"),
    ],
)
def test_a_place_that_does_not_fit_is_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(InvalidArgumentError, match=sentence):
        cases_in(file)
