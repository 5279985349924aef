"""Words that the audio cannot hold."""

from __future__ import annotations

import pytest

from voicemesh_stt.domain import Segment
from voicemesh_stt.plausibility import plausible, repeats_its_end

pytestmark = pytest.mark.unit


def kept(text: str, voiced_s: float, audio_s: float = 3.0) -> bool:
    return bool(plausible([Segment(0, 1, text, 0.9)], voiced_s=voiced_s, audio_s=audio_s))


@pytest.mark.parametrize(
    ("text", "voiced_s", "expected"),
    [
        ("He was not an ill-disposed young man.", 2.5, True),
        ("No.", 0.2, True),
        ("Thank you very much for watching this video.", 0.3, False),  # too fast to be said
        ("Thank you.", 0.1, False),  # hardly any voice in it
        ("...", 3.0, False),  # no word
        ("no no no", 1.0, True),
        ("the the the the the the the the", 4.0, False),
        (
            "and I said and I said and I said and I said and I said and I said and I said",
            5.0,
            False,
        ),
    ],
)
def test_words_that_the_audio_cannot_hold_are_dropped(
    text: str, voiced_s: float, expected: bool
) -> None:
    assert kept(text, voiced_s) is expected


@pytest.mark.parametrize(("voiced_s", "expected"), [(10.0, True), (3.0, False)])
def test_a_repeated_sentence_is_kept_if_there_was_time_to_say_it(
    voiced_s: float, expected: bool
) -> None:
    said = Segment(0, 10, " ask not what your country can do for you" * 4, 0.7, repetitive=True)

    assert bool(plausible([said], voiced_s=voiced_s, audio_s=12.0)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("We went home.", False),
        ("We went home. We went home.", True),
        ("First we ate, and then we went home, and then we went home.", True),
        ("We went home, we went home, and slept.", False),
        ("Very well, very well.", False),
        ("No, no, no, no, no.", False),
        ("No, no, no, no, no, no.", True),
    ],
)
def test_a_phrase_said_twice_at_the_end_is_noticed(text: str, expected: bool) -> None:
    assert repeats_its_end(text) is expected
