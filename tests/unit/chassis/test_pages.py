"""A list comes in pages that hold each entry once, whatever happens between them."""

from __future__ import annotations

import pytest

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.pages import PageLimits, page_of

pytestmark = pytest.mark.unit

LIMITS = PageLimits(default=100, largest=200)


def test_pages_hold_every_entry_once_and_in_order() -> None:
    names = [f"{number:03}" for number in range(250)]
    seen: list[str] = []
    token = ""
    while True:
        page = page_of(reversed(names), str, size=60, token=token, limits=LIMITS)
        seen += page.entries
        token = page.next_token
        if not token:
            break

    assert seen == names


@pytest.mark.parametrize(("size", "length"), [(0, 100), (1, 1), (9999, 200)])
def test_a_page_is_as_long_as_asked_within_limits(size: int, length: int) -> None:
    names = [f"{number:03}" for number in range(250)]

    page = page_of(names, str, size=size, token="", limits=LIMITS)

    assert len(page.entries) == length
    assert page.next_token


def test_an_entry_that_goes_between_two_pages_shifts_nothing() -> None:
    names = ["a", "b", "c", "d"]
    first = page_of(names, str, size=2, token="", limits=LIMITS)

    second = page_of(["a", "c", "d"], str, size=2, token=first.next_token, limits=LIMITS)

    assert second.entries == ("c", "d")
    assert second.next_token == ""


@pytest.mark.parametrize(
    ("size", "token", "field"),
    [
        (-1, "", "page_size"),
        (1, "?", "page_token"),
        (1, "abc", "page_token"),
        (1, "é", "page_token"),
        (1, "_w==", "page_token"),
    ],
)
def test_a_bad_page_is_refused(size: int, token: str, field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        page_of([], str, size=size, token=token, limits=LIMITS)

    assert caught.value.field == field
