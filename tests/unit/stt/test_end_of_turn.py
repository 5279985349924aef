"""What words say about the end of a turn."""

from __future__ import annotations

import pytest

from voicemesh_stt.end_of_turn import judge_words
from voicemesh_stt.turns import Verdict

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
