"""A stop sequence ends a text and never shows, however it is cut into pieces."""

from __future__ import annotations

import pytest

from voicemesh_trainer.stops import StopFilter

pytestmark = pytest.mark.unit


def passed(stops: list[str], pieces: list[str]) -> str:
    stop_filter = StopFilter(stops)
    return "".join(map(stop_filter.feed, pieces)) + stop_filter.finish()


@pytest.mark.parametrize(
    ("stops", "text", "expected"),
    [
        ([], "Hello there", "Hello there"),
        (["\nUser:"], "Hello\nUser: hi", "Hello"),
        (["\nUser:"], "Hello\nUses of it", "Hello\nUses of it"),
        (["END"], "the EEND of it", "the E"),
        (["b c", "a"], "x b a c", "x b "),
        (["ab", "abc"], "xabc", "x"),
        (["abcabd"], "abcabcabd!", "abc"),
        (["🙂"], "fine 🙂 thanks", "fine "),
        (["stop"], "do not sto", "do not sto"),
    ],
)
def test_text_ends_before_the_first_stop_whatever_the_pieces(
    stops: list[str], text: str, expected: str
) -> None:
    for size in range(1, len(text) + 1):
        pieces = [text[at : at + size] for at in range(0, len(text), size)]

        assert passed(stops, pieces) == expected


def test_nothing_passes_after_a_stop() -> None:
    stop_filter = StopFilter(["."])

    assert stop_filter.feed("One. Two") == "One"
    assert stop_filter.stopped
    assert stop_filter.feed(" three") == ""
    assert stop_filter.finish() == ""


def test_only_what_may_become_a_stop_is_held_back() -> None:
    stop_filter = StopFilter(["\nUser:"])

    assert stop_filter.feed("Yes.\nUs") == "Yes."
    assert stop_filter.feed("ually no.") == "\nUsually no."
