"""Turns, guesses and messages of a conversation, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    EndSpeech,
    Outcome,
    PlayAudio,
    ShowMessage,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
    ShowSilence,
    SpeakText,
    StopModel,
)
from voicemesh_bot.conversation.events import HearingLost, ReplyFailed, ReplyProgress
from voicemesh_bot.domain import Backend, ModelText
from voicemesh_bot.problems import down_problem

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit


def test_a_written_message_is_shown_answered_spoken_and_remembered(room: Room) -> None:
    room.write("What is the time?")
    room.model("It is ")
    room.model("noon.", done=True)
    room.voice("It is noon.", 1.0, done=True)
    room.played(1.0)

    assert [c.text for c in room.seen(ShowMessage)] == ["What is the time?"]
    assert "".join(c.text for c in room.seen(ShowReplyText)) == "It is noon."
    assert "".join(c.text for c in room.seen(SpeakText)) == "It is noon."
    assert room.seen(EndSpeech)
    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE
    assert room.history == ["ann: What is the time?", "bot: It is noon."]


def test_a_blank_message_is_ignored(room: Room) -> None:
    assert room.write(" \n ") == []


def test_nothing_of_a_guessed_answer_is_seen_before_the_final(room: Room) -> None:
    room.start()
    room.soft("what is the time")
    room.model("It is noon.", done=True)

    room.voice("It is noon.", 0.9, done=True)

    hidden = (ShowMessage, ShowReplyStart, ShowReplyText, PlayAudio)
    assert not any(room.seen(kind) for kind in hidden)
    assert room.history == []


@pytest.mark.parametrize(
    ("guess", "final"),
    [
        ("what is the time", "What is the time?"),
        ("it's  noon", "Its noon."),
        ("Straße eins", "STRASSE EINS!"),
    ],
)
def test_a_final_with_the_guessed_words_keeps_the_answer(
    room: Room, guess: str, final: str
) -> None:
    room.start()
    room.soft(guess)
    room.model("Yes.", done=True)
    shown = room.final(final)

    assert len(room.seen(BeginReply)) == 1
    assert [type(c) for c in shown][:3] == [ShowMessage, ShowReplyStart, ShowReplyText]
    assert room.history == [f"ann: {final}"]


def test_a_final_with_other_words_drops_the_guess_and_asks_again(room: Room) -> None:
    room.start()
    room.soft("what is the time")
    guessed = room.reply_id
    room.final("What is the time in Rome?", revision=2)

    assert CancelReply(guessed) in room.log
    assert room.asked() == ["ann: What is the time in Rome?"]
    assert room.model("late words", reply=guessed) == []


def test_a_speaker_who_goes_on_ends_the_guess(room: Room) -> None:
    room.start()
    room.soft("what is the")
    ended = room.resume()

    assert ended == [CancelReply(room.reply_id)]
    room.soft("what is the time", revision=2)
    assert room.asked() == ["ann: what is the time"]


def test_guesses_of_one_turn_are_bounded(room: Room) -> None:
    room.start()
    for revision in range(1, 7):
        room.soft(f"words {revision}", revision=revision)
        room.resume(revision=revision)

    assert len(room.seen(BeginReply)) == 3
    room.final("words 6", revision=6)
    assert len(room.seen(BeginReply)) == 4


def test_a_guess_is_dropped_when_the_speaker_is_not_heard_any_more(room: Room) -> None:
    room.start()
    room.soft("what is the time")

    assert CancelReply(room.reply_id) in room.do(HearingLost("ann"))


def test_a_guess_that_failed_is_asked_again_on_the_final(room: Room) -> None:
    room.start()
    room.soft("hello")
    assert room.do(ReplyFailed(1, down_problem(Backend.TRAINER))) == [CancelReply(1)]
    room.final("Hello.")

    assert room.reply_id == 2


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_final_is_taken_back_and_not_answered(room: Room, text: str) -> None:
    room.start()
    room.final(text, revision=0)

    assert room.seen(ShowSilence)
    assert not room.seen(BeginReply)
    assert room.history == []


def test_an_empty_soft_final_begins_nothing(room: Room) -> None:
    room.start()
    assert room.soft(" ") == []


def test_stale_reports_are_dropped(room: Room) -> None:
    room.start(turn=2)
    room.soft("newer", turn=2, revision=2)

    assert room.soft("older", turn=2, revision=1) == []
    assert room.soft("oldest", turn=1, revision=5) == []
    room.final("Newer.", turn=2, revision=2)
    assert room.partial("ghost", turn=2, revision=2) == []


def test_a_new_message_supersedes_an_answer_in_the_making_and_both_are_answered(room: Room) -> None:
    room.write("What is the time?")
    first = room.reply_id
    room.model("It is")
    room.write("In Rome, I mean.")

    assert CancelReply(first) in room.log
    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.SUPERSEDED
    assert room.asked() == ["ann: What is the time?", "ann: In Rome, I mean."]


def test_two_people_have_turns_of_their_own(make_room: type[Room]) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.start(speaker="ann")
    room.start(speaker="bob")
    room.soft("max what is the time", speaker="ann")
    room.final("Hello there, Max.", speaker="bob")
    room.final("Max, what is the time?", speaker="ann")

    assert room.asked() == ["Bob: Hello there, Max.", "Ann: Max, what is the time?"]


def test_what_is_wanted_says_which_turn_and_revision_it_is_about(room: Room) -> None:
    room.start(turn=3)
    room.soft("what is the time", turn=3, revision=2)
    room.final("What is the time?", turn=3, revision=2)

    begun = room.seen(BeginReply)[0]
    assert (begun.speaker, begun.turn_id, begun.revision) == ("ann", 3, 2)
    assert begun.speculative
    shown = room.seen(ShowMessage)[0]
    assert (shown.turn_id, shown.revision) == (3, 2)


def test_an_answer_that_is_too_long_is_cut_and_the_model_stopped(make_room: type[Room]) -> None:
    room = make_room(max_reply_characters=10)
    room.write("Tell me all.")
    room.model("12345678")
    room.model("90ABC")

    assert StopModel(room.reply_id) in room.log
    assert "".join(c.text for c in room.seen(ShowReplyText)) == "1234567890"
    assert EndSpeech(room.reply_id) in room.log


def test_an_empty_answer_is_said_in_words(room: Room) -> None:
    room.write("Hm?")
    room.model("", done=True)

    end = room.seen(ShowReplyEnd)[0]
    assert end.outcome is Outcome.FAILED
    assert "nothing to say" in end.sentence


def test_events_of_an_unknown_reply_change_nothing(room: Room) -> None:
    assert room.do(ReplyProgress(99, ModelText("who?"))) == []
    assert room.played(1.0, reply=99) == []


def test_the_history_is_bounded(make_room: type[Room]) -> None:
    room = make_room(max_history_turns=3)
    for number in range(5):
        room.write(f"message {number}")

    assert room.history == ["ann: message 2", "ann: message 3", "ann: message 4"]
