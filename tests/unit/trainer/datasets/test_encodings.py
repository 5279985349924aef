"""Text in any encoding, and what only looks like text."""

from __future__ import annotations

import codecs
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_chassis.errors import InvalidArgumentError, ServiceError
from voicemesh_trainer.datasets.errors import UnreadableFileError

pytestmark = pytest.mark.unit

GERMAN = "prompt,completion\nWie heißt die Straße?,Grüße aus Köln – „schön“\n"
PAIR = [("Wie heißt die Straße?", "Grüße aus Köln – „schön“")]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "windows-1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_finds_out_the_encoding(read: Any, encoding: str, name: str) -> None:
    got = read(GERMAN.encode(encoding), "x.csv")
    assert got.pairs == PAIR
    assert got.files[0].encoding == name


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("completion\nОчень хороший ответ на очень хороший вопрос\nКак тебя зовут\n", "cp1251"),  # noqa: RUF001
        ("completion\n今日は天気がとても良いですね。明日も晴れるでしょう。\n", "shift_jis"),
        ("completion\nτι κάνεις σήμερα φίλε μου όλα καλά στην πόλη\n", "iso8859-7"),  # noqa: RUF001
    ],
)
def test_finds_out_encodings_of_other_scripts(read: Any, text: str, encoding: str) -> None:
    got = read(text.encode(encoding), "x.csv")
    assert [draft.completion for draft in got.drafts] == [
        line.strip() for line in text.splitlines()[1:]
    ]


def test_the_caller_may_know_better(read: Any) -> None:
    got = read("completion\nŠkoda žluť\n".encode("cp1250"), "x.csv", encoding="windows-1250")
    assert got.pairs == [("", "Škoda žluť")]
    assert got.files[0].encoding == "windows-1250"


@pytest.mark.parametrize(
    "name", ["klingon", "zip", "base64", "rot13", "idna", "unicode_escape", "utf-7", "ü", "a\0b"]
)
def test_refuses_encodings_that_are_none_of_files(read: Any, name: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        read(GERMAN, "x.csv", encoding=name)
    assert caught.value.field == "config.encoding"


def test_a_row_in_another_encoding_costs_only_itself(read: Any) -> None:
    mixed = GERMAN.encode() + "x,Grüße\n".encode("cp1252") + b"y,z\n"
    got = read(mixed, "x.csv")
    assert got.pairs == [*PAIR, ("y", "z")]
    ((line, reason),) = got.reasons
    assert line == 3
    assert "do not fit the file's text encoding" in reason


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "a picture"),
        (b"%PDF-1.7 and so on", "a PDF document"),
        (b"PAR1" + bytes(9), "a Parquet file"),
        (b"\x1f\x8b\x08" + bytes(9), "unpack it first"),
        (b"MZ" + bytes(range(256)) * 9, "not text"),
        (b"prompt,completion\na\0,b\n", "not text"),
        ("prompt,completion\na,b\n".encode("utf-16")[:-1], "cut off"),
    ],
)
def test_says_what_a_file_is_that_is_no_text(read: Any, data: bytes, why: str) -> None:
    with pytest.raises(UnreadableFileError, match=why):
        read(data, "x.csv")


def test_the_file_name_cannot_make_a_picture_text(read: Any) -> None:
    with pytest.raises(UnreadableFileError, match="a picture"):
        read(b"\xff\xd8\xff\xe0 picture", "facts.txt")


@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.json", "x.jsonl", "x.txt", "x", ""]))
def test_no_file_breaks_the_reader(read: Any, data: bytes, name: str) -> None:
    try:
        got = read(data, name)
    except ServiceError:  # anything else is a fault of the reader
        pass
    else:
        for draft in got.drafts:
            assert draft.completion.strip()
            draft.completion.encode()
            assert "\0" not in draft.prompt + draft.completion
        assert got.drafts or got.rejected


def test_paragraphs_of_a_text_are_examples(read: Any) -> None:
    got = read("First\nof two.\n\n \nSecond.\r\n\r\n" + "long " * 9_000, "notes.md")
    assert got.pairs == [("", "First\nof two."), ("", "Second.")]
    assert got.reasons[0][0] == 7
    assert got.drafts[1].source == "line 5"


def test_a_byte_order_mark_is_no_part_of_a_name(read: Any) -> None:
    data = codecs.BOM_UTF8 + b'[{"prompt": "p", "completion": "c"}]'
    assert read(data, "x.json", encoding="utf-8").pairs == [("p", "c")]
