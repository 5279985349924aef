"""No cut within what a reader sees as one character."""

# ruff: noqa: RUF001 - letters of other scripts
from __future__ import annotations

import pytest

from voicemesh_tts.text.graphemes import safe_cut

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "cluster",
    [
        "e\u0301",
        "\r\n",
        "👩\u200d👩\u200d👧",
        "🇩🇪",
        "👍🏽",
        "🏴\U000e0067\U000e0062\U000e007f",
        "1\ufe0f\u20e3",
        "각",
        "\u1100\uac00",
        "ก\u0e33",
        "ກ\u0eb3",
        "क्ष",
        "ক্ষ",
        "க்ஷ",
        "ന്\u200dറ",
        "ﾊ\uff9f",
        "خ\u200c",
        "\u0600١",
        "ខ្មែ",
    ],
)
def test_a_character_stays_whole(cluster: str) -> None:
    text = f"x{cluster}x"

    for place in range(2, 1 + len(cluster)):
        assert safe_cut(text, place) == 1


@pytest.mark.parametrize("text", ["ab", "a b", "日本", "나라", "🎉🎉", "🇩🇪🇫🇷"])
def test_between_two_characters_there_may_be_a_cut(text: str) -> None:
    middle = len(text) // 2

    assert safe_cut(text, middle) == middle


def test_endless_marks_are_cut_all_the_same() -> None:
    assert safe_cut("e" + "\u0301" * 100, 50) == 50
