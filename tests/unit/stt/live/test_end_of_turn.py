"""What words say about the end of a turn."""

from __future__ import annotations

import pytest

from voicemesh_stt.live.end_of_turn import judge, judge_words
from voicemesh_stt.live.turns import Verdict

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("What time is it?", Verdict.COMPLETE),
        ("Stop!", Verdict.COMPLETE),
        ("今何時ですか？", Verdict.COMPLETE),
        ("He was not an ill-disposed young man.", Verdict.UNSURE),
        ("play some music", Verdict.UNSURE),
        ("", Verdict.UNSURE),
        ("I would like,", Verdict.INCOMPLETE),
        ("I think that...", Verdict.INCOMPLETE),
        ("so what is the", Verdict.INCOMPLETE),
        ("it's because", Verdict.INCOMPLETE),
        ("and he said, um", Verdict.INCOMPLETE),
        ("come in", Verdict.UNSURE),
    ],
)
def test_words_say_whether_somebody_has_finished(text: str, verdict: Verdict) -> None:
    assert judge_words(text) is verdict


@pytest.mark.parametrize(
    ("probability", "text", "verdict"),
    [
        (0.5, None, Verdict.COMPLETE),
        (0.49, None, Verdict.UNSURE),
        (0.2, None, Verdict.UNSURE),
        (0.19, None, Verdict.INCOMPLETE),
        (0.9, "It is time.", Verdict.COMPLETE),
        (0.9, "it is because", Verdict.INCOMPLETE),  # whatever it sounds like
        (0.1, "Is it time?", Verdict.UNSURE),  # a recogniser guesses at punctuation
        (0.1, "It is time.", Verdict.INCOMPLETE),
        (0.3, "It is time.", Verdict.UNSURE),
        (None, "Is it time?", Verdict.COMPLETE),
        (None, None, None),
    ],
)
def test_the_sound_decides_unless_the_words_are_unfinished(
    probability: float | None, text: str | None, verdict: Verdict | None
) -> None:
    assert judge(probability, text) is verdict
