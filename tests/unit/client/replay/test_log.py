"""Reading the bot's event log."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_client.replay import EventLogError, read_turns

pytestmark = pytest.mark.unit


def test_a_turn_has_its_record_and_what_happened_from_a_while_before_it_on(
    lines: Any, write_log: Any
) -> None:
    (turn,) = read_turns(write_log(lines))

    assert turn.session == "2026-11-23T18:00:00.000+00:00#1"
    assert turn.record["first_frame_sent_ms"] == 540.0
    assert turn.is_answered
    assert turn.name() == "speaker 1, turn 1: complete"
    times = [event["t_s"] for event in turn.events]
    assert (times[0], times[-1], len(times)) == (100.0, 112.3, 22)  # not what was said at 50


def test_sessions_that_ran_at_once_are_kept_apart(lines: Any, write_log: Any) -> None:
    other = [{**line, "session": "other"} for line in lines]
    woven = [line for pair in zip(lines, other, strict=True) for line in pair]

    first, second = read_turns(write_log(woven))

    assert {event["session"] for event in first.events} == {lines[0]["session"]}
    assert {event["session"] for event in second.events} == {"other"}
    assert len(first.events) == len(second.events) == 22


def test_words_that_were_not_for_the_bot_are_a_turn_too(lines: Any, write_log: Any) -> None:
    record = {**lines[-1], "outcome": None, "addressed_reason": None, "t_s": 102.4}

    (turn,) = read_turns(write_log([*lines[:12], record]))

    assert not turn.is_answered
    assert turn.name() == "speaker 1, turn 1: not answered"


def test_of_written_messages_the_latest_is_meant(write_log: Any) -> None:
    def message(t_s: float, number: int) -> list[dict[str, Any]]:
        rows = [
            {"kind": "message", "message": number, "speaker": 1, "turn": 0},
            {"kind": "reply_begun", "reply": number, "speaker": 1, "turn": 0, "revision": 0},
            {"kind": "reply_ended", "reply": number, "outcome": "complete"},
            {"kind": "turn", "speaker": 1, "turn": 0, "outcome": "complete"},
        ]
        return [{"session": "s", "t_s": t_s, **row} for row in rows]

    _, second = read_turns(write_log([*message(10.0, 1), *message(90.0, 2)]))

    assert {event["t_s"] for event in second.events} == {90.0}
    assert second.name() == "speaker 1, a written message: complete"


def test_a_last_line_that_is_still_being_written_is_left_alone(lines: Any, write_log: Any) -> None:
    assert len(read_turns(write_log(lines, tail='{"kind": "turn", "sess'))) == 1


def test_kinds_of_a_later_release_are_left_alone(lines: Any, write_log: Any) -> None:
    lines.insert(5, {"session": lines[0]["session"], "t_s": 101.0, "kind": "sneezed"})

    assert len(read_turns(write_log(lines))) == 1


def test_a_log_that_was_cut_at_its_beginning_can_be_read(lines: Any, write_log: Any) -> None:
    (turn,) = read_turns(write_log(lines[14:]))

    assert turn.name() == "speaker 1, turn 1: complete"


@pytest.mark.parametrize(
    ("where", "text", "said"),
    [
        (0, "[2026-11-23] hello\n", "line 1 is not"),
        (3, "oops\n", "line 4 is not"),
        (3, "[1]\n", "line 4 is not"),
        (3, '{"kind": 5, "t_s": 1}\n', "line 4 is not"),
        (3, '{"kind": "played", "t_s": "soon"}\n', "line 4 is not"),
        (3, "[" * 100_000 + "\n", "line 4 is not"),
        (3, '{"kind": "x", "t_s": 1, "y": "' + "z" * 1_000_001 + '"}\n', "line 4 is not"),
    ],
)
def test_what_is_no_event_log_is_refused_by_the_line_that_is_wrong(
    lines: Any, write_log: Any, where: int, text: str, said: str
) -> None:
    path = write_log(lines)
    rows = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*rows[:where], text, *rows[where:]]), "utf-8")

    with pytest.raises(EventLogError, match=said):
        read_turns(path)


def test_a_single_line_that_is_none_is_no_event_log(write_log: Any) -> None:
    with pytest.raises(EventLogError, match="line 1"):
        read_turns(write_log([], tail="hello"))


def test_another_format_is_refused_by_name(lines: Any, write_log: Any) -> None:
    lines[0]["format"] = "voicemesh-turns/9"

    with pytest.raises(EventLogError, match=r"voicemesh-turns/9.*voicemesh-turns/1"):
        read_turns(write_log(lines))


def test_an_empty_log_has_no_turns(write_log: Any) -> None:
    assert read_turns(write_log([])) == []
