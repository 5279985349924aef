"""Times of a turn, its chart and its verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from voicemesh_launcher.demo.chart import draw_chart
from voicemesh_launcher.demo.dialogue import Conversation
from voicemesh_launcher.demo.recording import recorded_question
from voicemesh_launcher.demo.report import judge
from voicemesh_launcher.demo.timeline import Moments, Timeline

pytestmark = pytest.mark.unit

MOMENTS = Moments(
    listening=100.0,
    soft_final=106.25,
    final=106.5,
    asked=106.25,
    first_token=106.375,
    last_token=107.0,
    first_audio=106.75,
    last_audio=107.25,
)
TIMELINE = Timeline.of(MOMENTS, (0.5, 6.0), 2.5)


def test_times_count_from_the_end_of_the_voice() -> None:
    assert TIMELINE.speech_s == 5.5
    assert TIMELINE.soft_final_s == 0.25
    assert TIMELINE.final_s == 0.5
    assert TIMELINE.first_audio_s == 0.75
    assert TIMELINE.voice_to_voice_s == 0.75


def test_nothing_is_heard_before_the_turn_is_over() -> None:
    early = replace(TIMELINE, first_audio_s=0.3)

    assert early.voice_to_voice_s == 0.5


def test_a_turn_that_did_not_end_has_no_timeline() -> None:
    with pytest.raises(ValueError, match="did not come to its end"):
        Timeline.of(Moments(final=1.0), (0.0, 1.0), 1.0)


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "demo.png"
    draw_chart(TIMELINE, path)

    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("heard", "heard_back", "sentence"),
    [
        ("Ask not.", "It is Rome.", ""),
        ("Task knot.", "It is Rome.", "stt did not hear the words: word error rate 1.00"),
        ("Ask not.", "It is home.", "the answer cannot be understood: word error rate 0.33"),
    ],
)
def test_the_verdict_says_who_was_not_understood(
    heard: str, heard_back: str, sentence: str
) -> None:
    conversation = Conversation(heard, "It's Rome!", b"", heard_back, TIMELINE)

    assert judge(conversation, "ask not").sentence == sentence


def test_the_recorded_question_comes_with_the_package() -> None:
    question = recorded_question()

    assert question.sample_rate_hertz == 16_000
    assert 5 < question.duration_s < 8
    assert question.text.startswith("ask not what your country")
    assert b"".join(question.frames(20)) == question.pcm
