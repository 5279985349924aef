"""Tables of text: whatever parts their columns, whatever their columns are called."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_trainer.datasets.csv_rows import csv_rows, found_delimiter, neutralised, restored
from voicemesh_trainer.datasets.errors import UnreadableFileError
from voicemesh_trainer.domain.datasets import DatasetFormat, DatasetLimits
from voicemesh_trainer.domain.lessons import Polarity

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_finds_what_parts_the_columns(read: Any, delimiter: str) -> None:
    got = read(delimiter.join(["question", "answer"]) + "\nWho, we?" + delimiter + "All; of us\n")
    if delimiter in ",;":
        got = read(f'question{delimiter}answer\n"Who, we?"{delimiter}"All; of us"\n', "x.csv")
    assert got.pairs == [("Who, we?", "All; of us")]
    assert got.files[0].delimiter == delimiter
    assert got.files[0].format is DatasetFormat.CSV


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("prompt,completion", ("p", "c")),
        ("Question,Answer", ("p", "c")),
        ("INPUT,OUTPUT", ("p", "c")),
        ("User,Assistant", ("p", "c")),
        ("query,response", ("p", "c")),
        ("instruction,expected answer", ("p", "c")),
        (" Question: ,expected-output", ("p", "c")),
        ("\ufeffquestion,answer", ("p", "c")),
    ],
)
def test_knows_many_names_for_the_same_columns(
    read: Any, header: str, found: tuple[str, str]
) -> None:
    assert read(f"{header}\np,c\n", "x.csv").pairs == [found]


def test_joins_an_instruction_with_what_it_is_about(read: Any) -> None:
    got = read("instruction,input,output\nTranslate.,Hallo,Hello\nSing.,,La\n", "x.csv")
    assert got.pairs == [("Translate.\n\nHallo", "Hello"), ("Sing.", "La")]


def test_a_row_that_ends_early_has_no_answer(read: Any) -> None:
    got = read("question,answer\nbad row\np,c\n", "x.csv")
    assert got.pairs == [("p", "c")]
    assert got.reasons == [(2, "it has no answer")]


def test_names_the_columns_of_a_file_that_has_none_for_answers(read: Any) -> None:
    with pytest.raises(UnreadableFileError, match="'colour', 'size'") as caught:
        read("colour,size\nred,3\n", "x.csv")
    assert caught.value.field == "content"


def test_refuses_two_columns_that_mean_the_same(read: Any) -> None:
    with pytest.raises(UnreadableFileError, match="'prompt' and 'question' both stand for"):
        read("prompt,question,answer\na,b,c\n", "x.csv")


@pytest.mark.parametrize("word", ["negative", "NEG", "-1", "0", "false", "bad", "wrong", "no"])
def test_a_row_says_itself_whether_to_be_avoided(read: Any, word: str) -> None:
    got = read(f"prompt,completion,label\na,b,{word}\nc,d,\ne,f,maybe\n", "x.csv")
    assert [draft.polarity for draft in got.drafts] == [Polarity.NEGATIVE, Polarity.POSITIVE]
    assert got.reasons == [(4, "'label' is neither positive nor negative: 'maybe'")]


def test_the_file_decides_for_rows_that_say_nothing(read: Any) -> None:
    got = read("prompt,completion\na,b\n", "x.csv", polarity=Polarity.NEGATIVE)
    assert got.drafts[0].polarity is Polarity.NEGATIVE


def test_quotes_hold_new_lines_and_the_lines_are_counted_on(read: Any) -> None:
    got = read('prompt,completion\r\n"a\r\nb","c ""d"""\r\nx,\r\n', "x.csv")
    assert got.pairs == [("a\nb", 'c "d"')]
    assert got.reasons == [(4, "it has no answer")]
    assert got.drafts[0].source == "line 2"


def test_a_quotation_mark_without_an_end_costs_one_row(read: Any) -> None:
    got = read('prompt,completion\na,b\n"c,d\ne,f\ng,"h\ni,j\n', "x.csv")
    assert got.pairs == [("a", "b"), ("e", "f"), ("i", "j")]
    assert [line for line, _ in got.reasons] == [3, 5]
    # The first mark seems to end at the second one, which then is in a wrong place.
    assert "closing quotation mark" in got.reasons[0][1]
    assert "never closed" in got.reasons[1][1]


def test_many_quotation_marks_without_an_end_end_too(read: Any) -> None:
    got = read("prompt,completion\n" + '"a,b\n' * 3_000, "x.csv")
    assert not got.drafts
    assert got.rejected


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a,b,c", "3 columns, but the header has 2"),
        ('a,"b"c', "something follows a closing quotation mark"),
        (",b", "it has no question"),
        ("a, ", "it has no answer"),
        ("a,b\0", "code zero"),
    ],
)
def test_says_what_is_wrong_with_a_row_and_keeps_the_others(
    read: Any, row: str, reason: str
) -> None:
    got = read("prompt,completion\n" + "x,y\n" * 20_000 + f"{row}\nv,w\n", "x.csv")
    assert len(got.drafts) == 20_001
    ((line, why),) = got.reasons
    assert line == 20_002
    assert reason in why


def test_a_long_row_costs_itself_only(read: Any) -> None:
    limits = DatasetLimits(row_characters=1_000, field_characters=300)
    long = "x" * 5_000
    rows = f"a,b\n{long},c\nd,{'y' * 400}\ne,f\n"
    got = read(f"prompt,completion\n{rows}", "x.csv", limits)
    assert got.pairs == [("a", "b"), ("e", "f")]
    assert [line for line, _ in got.reasons] == [3, 4]
    assert "more than the 1000 characters" in got.reasons[0][1]
    assert "400 characters; at most 300" in got.reasons[1][1]


def test_one_column_of_answers_is_plain_text(read: Any) -> None:
    got = read("text\nfirst\nsecond, with a comma\n", "x.csv")
    assert got.pairs == [("", "first")]
    assert "2 columns" in got.reasons[0][1]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
def test_formulas_are_neutralised_and_restored(cell: str) -> None:
    safe = neutralised(cell)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert restored(safe) == cell


@given(
    st.sampled_from([",", ";", "\t", "|"]),
    st.lists(
        st.tuples(
            st.text("ab,;|\t \"'\n=é", max_size=8),
            st.text("ab,;|\t \"'\n-é", max_size=8),
        ),
        max_size=8,
    ),
)
def test_reads_what_the_csv_library_writes(delimiter: str, pairs: Any) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["question", "answer"])
    writer.writerows([[neutralised(cell) for cell in pair] for pair in pairs])
    written = text.getvalue()
    assert found_delimiter(written) == delimiter
    rows = csv_rows(io.StringIO(written, newline=""), delimiter, 1_000, "it")
    found = [tuple(row.record.values()) for row in rows if row.record is not None]
    assert found == [pair for pair in pairs if any(cell.strip() for cell in map(neutralised, pair))]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader_of_tables(data: bytes) -> None:
    rows = csv_rows(
        io.TextIOWrapper(io.BytesIO(b"prompt,completion\n" + data), "latin-1", newline=""),
        ",",
        100,
        "it",
    )
    assert all(row.record is not None or row.problem for row in rows)
