"""Several people and one answer at a time: what the scenes of `scenarios.yaml` do not reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    Outcome,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowReplyEnd,
    ShowReplyStart,
)
from voicemesh_bot.conversation.events import Departed

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit

ANSWER = "One two three four. Five six seven eight."


@pytest.fixture
def answered(make_room: type[Room]) -> Room:
    """Ann is being told the answer, 1.5 of 4 s of it; Bob may not interrupt, Carl may."""
    room = make_room("ann", "bob", "carl", names=("Max",))
    room.arrive("bob", may_interrupt=False)
    room.say("Max, count.", turn=1)
    room.speak(ANSWER, 4.0, 1.5)
    return room


def test_a_guess_that_counts_on_who_has_left_is_dropped(answered: Room) -> None:
    answered.say("Max, the date?", turn=1, speaker="bob")
    answered.start(turn=2)
    answered.soft("no in italian", turn=2)
    guessed = answered.reply_id
    assert answered.asked()[-2:] == ["Bob: Max, the date?", "Ann: no in italian"]
    answered.do(Departed("bob"))
    answered.final("No, in Italian.", turn=2)

    assert CancelReply(guessed) in answered.log
    assert answered.seen(ShowReplyStart)[-1].message_ids == (3,)


def test_who_called_is_no_longer_waited_for_once_the_bot_goes_on(answered: Room) -> None:
    answered.start(speaker="carl")
    paused = answered.partial("stop", speaker="carl")
    assert PauseAudio(answered.reply_id) in paused
    answered.final("Stop at the shop on your way.", speaker="carl")
    assert answered.wait(0.71)[-1] == ResumeAudio(answered.reply_id)

    answered.start(turn=2)
    answered.wait(0.3)
    answered.start(turn=2, speaker="carl")
    answered.final("", turn=2, revision=0)
    assert answered.wait(0.71)[-1] == ResumeAudio(answered.reply_id)


def test_an_answer_waits_for_who_called_before_it_began(make_room: type[Room]) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.say("Max, count.", turn=1)
    room.start(speaker="bob")
    room.partial("max and", speaker="bob")
    assert not any(isinstance(c, PlayAudio) for c in room.answer(ANSWER, 4.0))
    room.final("Max, and the date?", speaker="bob")

    assert not room.seen(PlayAudio)
    assert room.asked() == ["Ann: Max, count.", "Bob: Max, and the date?"]


def test_who_is_interrupted_at_the_first_word_is_answered_with_who_interrupts(
    make_room: type[Room],
) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.say("Max, count.", turn=1)
    room.speak(ANSWER, 4.0, 0.5)
    room.start(speaker="bob")
    room.soft("max the date", speaker="bob")

    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.INTERRUPTED
    assert room.asked() == ["bot: One", "Ann: Max, count.", "Bob: max the date"]


def test_their_question_is_not_answered_before_who_interrupted_has_finished(
    make_room: type[Room],
) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.say("Max, count.", turn=1)
    room.speak(ANSWER, 4.0, 0.5)
    room.start(speaker="bob")
    room.soft("max the date", speaker="bob")
    begun = len(room.seen(BeginReply))
    room.resume(speaker="bob")
    room.wait(1.0)
    assert len(room.seen(BeginReply)) == begun
    room.final("", revision=2, speaker="bob")

    assert room.asked() == ["bot: One", "Ann: Max, count."]


def test_only_the_newest_questions_wait(make_room: type[Room]) -> None:
    room = make_room("ann", names=("Max",), max_waiting=2)
    room.say("Max, count.", turn=1)
    room.speak(ANSWER, 4.0, 1.5)
    for number, speaker in enumerate(("bob", "carl", "dora"), 1):
        room.arrive(speaker, may_interrupt=False)
        room.say(f"Max, question {number}?", turn=1, speaker=speaker)
    room.played(4.0)

    assert room.seen(ShowReplyStart)[-1].message_ids == (3, 4)
    assert room.asked() == [
        "Ann: Max, count.",
        f"bot: {ANSWER}",
        "Bob: Max, question 1?",
        "Carl: Max, question 2?",
        "Dora: Max, question 3?",
    ]


def test_the_one_who_spoke_first_is_guessed_at(make_room: type[Room]) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.start(speaker="ann")
    room.start(speaker="bob")
    room.soft("max what is the time", speaker="ann")
    room.soft("max what is the date", speaker="bob")

    assert len(room.seen(BeginReply)) == 1
    room.final("Max, what is the date?", speaker="bob")
    room.final("Max, what is the time?", speaker="ann")
    assert room.asked() == ["Bob: Max, what is the date?", "Ann: Max, what is the time?"]
    assert [c.outcome for c in room.seen(ShowReplyEnd)] == [Outcome.SUPERSEDED]
