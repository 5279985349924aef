"""An answer is cut where a reader would cut it, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_bot.discord_front.pages import MESSAGE_LIMIT, split_pages

pytestmark = pytest.mark.unit


def test_a_short_answer_is_one_page() -> None:
    assert split_pages("  Hello.  ") == ("Hello.",)


def test_a_blank_answer_has_no_page() -> None:
    assert split_pages(" \n ") == ()


def test_a_long_answer_is_cut_after_a_sentence() -> None:
    text = "One two three. " * 10

    pages = split_pages(text, limit=100)

    assert all(page.endswith(".") for page in pages)


def test_a_paragraph_is_a_better_boundary_than_a_sentence() -> None:
    text = "First. Second.\n\nThird sentence is here. Fourth sentence is here too."

    assert split_pages(text, limit=28)[0] == "First. Second."


def test_a_word_that_is_too_long_is_cut_where_it_must() -> None:
    assert split_pages("x" * 25, limit=10) == ("x" * 10, "x" * 10, "x" * 5)


def test_a_code_block_is_closed_and_opened_again() -> None:
    lines = "\n".join(f"line_{number} = {number}" for number in range(20))

    pages = split_pages(f"Look:\n```python\n{lines}\n```\nDone.", limit=120)

    assert len(pages) > 2
    assert all(page.count("```") % 2 == 0 for page in pages)
    assert all("```python" in page for page in pages[:-1])
    assert re.findall(r"line_\d+ = \d+", "\n".join(pages)) == lines.splitlines()


@given(st.text(alphabet="ab.\n `", max_size=6000))
def test_no_page_is_longer_than_discord_takes(text: str) -> None:
    pages = split_pages(text)

    assert all(0 < len(page) <= MESSAGE_LIMIT for page in pages)


@given(st.text(alphabet="abc .\n", max_size=3000))
def test_no_word_is_lost(text: str) -> None:
    joined = "".join(split_pages(text, limit=200))

    assert re.sub(r"\s", "", joined) == re.sub(r"\s", "", text)


def test_a_fence_with_an_endless_name_is_cut_like_any_long_word() -> None:
    pages = split_pages("```" + "a" * 5000)

    assert "".join(pages).count("a") == 5000
    assert all(len(page) <= MESSAGE_LIMIT for page in pages)


def test_a_code_block_on_one_line_is_closed() -> None:
    pages = split_pages("```x = 1``` " + "word " * 30, limit=100)

    assert all("```" not in page for page in pages[1:])
