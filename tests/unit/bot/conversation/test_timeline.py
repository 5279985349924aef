"""Where the milliseconds of a turn went."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import ShowTiming
from voicemesh_bot.conversation.timeline import Mark, Timeline, has_clause

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit


def test_a_spoken_turn_is_measured_from_the_last_voiced_sound(room: Room) -> None:
    room.start()
    room.wait(2.0)
    room.final("What is the time?", revision=0, late_s=0.5)
    room.wait(0.1)
    room.model("It is noon in Rome,")
    room.wait(0.05)
    room.voice("It is noon in Rome,", 1.0)
    room.wait(0.02)
    room.played(0.01)

    marks = room.seen(ShowTiming)[0].timing.marks_s
    assert {mark: round(seconds, 3) for mark, seconds in marks.items()} == {
        Mark.END_OF_SPEECH: 0.0,
        Mark.TRANSCRIPT: 0.5,
        Mark.REPLY_REQUESTED: 0.5,
        Mark.FIRST_TOKEN: 0.6,
        Mark.FIRST_CLAUSE: 0.6,
        Mark.FIRST_AUDIO: 0.65,
        Mark.FIRST_SOUND_PLAYED: 0.67,
    }


def test_guessed_work_shows_as_earlier_than_the_transcript(room: Room) -> None:
    room.start()
    room.soft("what is the time")
    room.wait(0.2)
    room.model("It is noon.", done=True)
    room.wait(0.3)
    room.final("What is the time?", late_s=0.6)
    room.wait(0.1)
    room.voice("It is noon.", 1.0, done=True)
    room.played(1.0)

    timing = room.seen(ShowTiming)[-1].timing
    assert timing.speculative
    assert timing.marks_s[Mark.FIRST_TOKEN] < timing.marks_s[Mark.TRANSCRIPT]
    assert timing.stages_s()["first_audio"] == pytest.approx(0.1)
    assert timing.stages_s()["total"] == pytest.approx(0.7)


def test_a_written_message_has_no_transcript_to_wait_for(room: Room) -> None:
    room.write("What is the time?")
    room.wait(0.2)
    room.answer("It is noon.", 1.0)
    room.played(1.0)

    stages = room.seen(ShowTiming)[-1].timing.stages_s()
    assert "transcript" not in stages
    assert stages["first_token"] == pytest.approx(0.2)


def test_a_mark_that_did_not_happen_is_missing() -> None:
    timeline = Timeline()
    timeline.mark(Mark.END_OF_SPEECH, 5.0)
    timeline.mark(Mark.TRANSCRIPT, 5.5)
    timeline.mark(Mark.TRANSCRIPT, 9.0)

    assert timeline.timing().stages_s() == {"transcript": 0.5}


def test_a_timeline_without_marks_is_empty() -> None:
    assert Timeline().timing().marks_s == {}


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("Hi.", False),
        ("Well, then", False),
        ("It is noon in Rome.", True),
        ("It is noon in Rome, and", True),
        ("3.14159265358979", False),
        ("one two three four five six seven eight", False),
        ("one two three four five six seven eight nine", True),
    ],
)
def test_a_clause_is_what_can_be_spoken(text: str, enough: bool) -> None:
    assert has_clause(text) is enough
