"""What is drawn of a turn."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_client.replay import read_turns
from voicemesh_client.replay.bars import Lane, TurnPicture, picture

pytestmark = pytest.mark.unit


def draw(lines: Any, write_log: Any) -> TurnPicture:
    """The picture of the last turn of a log."""
    return picture(read_turns(write_log(lines))[-1])


def lane(found: TurnPicture, name: str) -> Lane:
    """The lane of that name."""
    (only,) = (each for each in found.lanes if each.name == name)
    return only


def spans(of: Lane) -> list[tuple[float, float, str]]:
    """Its bars, in hundredths of a second."""
    return [(round(bar.start_s, 2), round(bar.end_s, 2), bar.label) for bar in of.bars]


def test_a_turn_is_drawn_in_seconds_from_the_last_voiced_sound(lines: Any, write_log: Any) -> None:
    found = draw(lines, write_log)

    assert [each.name for each in found.lanes] == [
        "speaker 1",
        "speaker 3",
        "stt",
        "trainer",
        "tts",
        "player",
    ]
    assert spans(lane(found, "speaker 1")) == [
        (-2.2, 0.0, "speaks 2.2 s"),
        (0.0, 0.4, "gate 400 ms"),
    ]
    assert spans(lane(found, "speaker 3")) == [(1.6, 2.2, "")]
    assert spans(lane(found, "stt")) == [(0.08, 0.09, ""), (0.09, 0.2, "words 110 ms")]
    assert [(round(at_s, 2), what) for at_s, what in lane(found, "stt").ticks] == [
        (-1.0, "over? 0.11"),
        (-0.8, "goes on"),
        (0.2, "over? 0.93"),
    ]
    assert spans(lane(found, "trainer")) == [
        (-1.0, -0.8, "dropped"),
        (0.2, 0.31, "first text 110 ms"),
        (0.31, 0.9, ""),
    ]
    assert spans(lane(found, "tts")) == [(0.4, 0.5, "first sound 100 ms"), (0.5, 1.1, "")]
    assert spans(lane(found, "player")) == [(0.54, 1.9, "plays 9.0 s"), (2.6, 10.3, "")]
    assert [what for _, what in lane(found, "player").ticks] == ["paused", "softer"]


def test_the_picture_shows_the_end_of_the_speech_and_the_first_of_the_answer(
    lines: Any, write_log: Any
) -> None:
    found = draw(lines, write_log)

    assert found.first_sound_s == 0.54
    assert (round(found.start_s, 2), round(found.end_s, 2)) == (-2.4, 3.14)
    assert found.title == ("speaker 1, turn 1: complete · addressed: follow up · early answer used")


def test_of_an_answer_that_was_interrupted_all_is_shown(lines: Any, write_log: Any) -> None:
    lines[-1] = {**lines[-1], "outcome": "interrupted"}

    assert round(draw(lines, write_log).end_s, 2) == 10.4


def test_words_that_were_not_for_the_bot_have_no_answer(lines: Any, write_log: Any) -> None:
    kept = [line for line in lines if line.get("reply") is None]
    kept[-1] = {**kept[-1], "outcome": None, "first_frame_sent_ms": None, "t_s": 102.4}

    found = draw([*kept[:-5], kept[-1]], write_log)

    assert [each.name for each in found.lanes] == ["speaker 1", "stt"]
    assert found.first_sound_s is None


def test_a_written_message_counts_from_its_sending(write_log: Any) -> None:
    rows: list[tuple[float, dict[str, Any]]] = [
        (10.0, {"kind": "message", "message": 1, "speaker": 1, "turn": 0}),
        (10.0, {"kind": "reply_begun", "reply": 1, "speaker": 1, "turn": 0, "revision": 0}),
        (10.0, {"kind": "reply_shown", "reply": 1, "messages": [1]}),
        (10.2, {"kind": "model_text", "reply": 1}),
        (10.9, {"kind": "failed", "reply": 1, "backend": "trainer"}),
        (11.0, {"kind": "reply_ended", "reply": 1, "outcome": "failed", "heard_ms": 0.0}),
        (11.0, {"kind": "turn", "speaker": 1, "turn": 0, "outcome": "failed"}),
    ]
    found = draw([{"session": "s", "t_s": t_s, **row} for t_s, row in rows], write_log)

    assert [each.name for each in found.lanes] == ["trainer"]
    assert spans(lane(found, "trainer")) == [(0.0, 0.2, "first text 200 ms"), (0.2, 0.9, "")]


def test_answers_that_brought_nothing_are_drawn_as_far_as_they_came(
    lines: Any, write_log: Any
) -> None:
    dropped = {"model_text", "voice_audio", "played", "voice_finished", "paused", "resumed"}
    found = draw([line for line in lines if line["kind"] not in dropped], write_log)

    assert spans(lane(found, "trainer")) == [(-1.0, -0.8, "dropped"), (0.2, 0.9, "")]
    assert spans(lane(found, "tts")) == [(0.4, 10.3, "no sound")]
    assert "player" not in [each.name for each in found.lanes]


@pytest.mark.parametrize("first", range(1, 26))
def test_a_turn_whose_beginning_is_lost_can_be_drawn(
    lines: Any, write_log: Any, first: int
) -> None:
    found = draw(lines[first:], write_log)

    assert found.start_s < found.end_s
