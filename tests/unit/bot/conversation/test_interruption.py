"""Interrupting the bot, and what it remembers then."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    CancelVoice,
    DuckAudio,
    EndAudio,
    Outcome,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowReplyEnd,
    ShowReplyStart,
    ShowSilence,
    StopAudio,
)
from voicemesh_bot.conversation.events import (
    HearingLost,
    StopPressed,
    VoiceFailed,
    VoiceSwitched,
)
from voicemesh_bot.domain import Backend
from voicemesh_bot.problems import down_problem

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit

ANSWER = "One two three four. Five six seven eight."


@pytest.fixture
def speaking(room: Room) -> Room:
    """The bot speaks: two clauses of 2 s, 3 s of which have been played."""
    room.write("Count.")
    room.model(ANSWER, done=True)
    room.voice("One two three four.", 2.0)
    room.voice(" Five six seven eight.", 2.0, done=True)
    room.played(3.0)
    return room


def test_sustained_speech_pauses_and_words_stop_sound_and_model(speaking: Room) -> None:
    reply = speaking.reply_id
    speaking.start()
    assert speaking.wait(0.1) == []
    assert speaking.wait(0.15) == [PauseAudio(reply)]
    stopped = speaking.soft("no in italian")

    assert CancelReply(reply) in stopped
    assert StopAudio(reply) in stopped
    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.INTERRUPTED


def test_a_pause_without_words_is_undone_after_a_while(speaking: Room) -> None:
    reply = speaking.reply_id
    speaking.start()
    speaking.wait(0.5)
    speaking.final("", revision=0, late_s=0.2)

    assert speaking.wait(0.49) == []
    assert speaking.wait(0.02) == [ResumeAudio(reply)]
    speaking.played(4.0)
    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE


def test_without_any_transcript_the_bot_goes_on_a_little_later(speaking: Room) -> None:
    speaking.start()
    speaking.wait(0.5)
    speaking.soft("")  # Harmless as it is now, so it has the shorter wait.
    assert speaking.wait(0.71)[-1] == ResumeAudio(speaking.reply_id)

    speaking.start(turn=2)
    speaking.wait(0.5)
    speaking.soft("stop", turn=2)  # Only the final decides, but it does not come.
    assert speaking.wait(1.99) == []
    assert speaking.wait(0.02) == [ResumeAudio(speaking.reply_id)]


def test_nothing_is_played_and_nothing_expires_during_a_pause(speaking: Room) -> None:
    speaking.start()
    speaking.wait(0.3)
    speaking.wait(20.0)
    assert not speaking.seen(ShowReplyEnd)
    speaking.soft("no in italian")

    assert speaking.history == ["ann: Count.", "bot: One two three four. Five six"]


def test_who_speaks_for_very_long_has_the_floor(speaking: Room) -> None:
    speaking.start()
    ended = speaking.wait(31.0)

    assert StopAudio(speaking.reply_id) in ended
    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.INTERRUPTED


def test_history_holds_whole_words_that_were_heard(speaking: Room) -> None:
    speaking.start()
    speaking.wait(0.3)
    speaking.soft("no in italian")

    # The player has reported 3.0 s; 0.2 s more were played until the cut.
    assert speaking.history == ["ann: Count.", "bot: One two three four. Five six"]


def test_the_players_last_report_corrects_what_was_heard(speaking: Room) -> None:
    reply = speaking.reply_id
    speaking.start()
    speaking.wait(0.3)
    speaking.soft("no in italian")
    speaking.played(2.0, reply=reply)

    assert speaking.history[-1] == "bot: One two three four."


def test_what_was_presumed_heard_and_was_not_is_forgotten(room: Room) -> None:
    room.write("Count.")
    room.answer(ANSWER, 4.0)
    room.played(0.2)
    room.now_s += 0.2
    room.do(StopPressed())
    assert room.history == ["ann: Count.", "bot: One"]
    room.played(0.2)

    assert room.history == ["ann: Count."]


def test_what_was_heard_after_all_takes_its_place_before_the_next_message(room: Room) -> None:
    room.write("Count.")
    first = room.reply_id
    room.answer(ANSWER, 4.0)
    room.played(0.1)
    room.write("Stop.")
    room.played(2.0, reply=first)

    assert room.history == ["ann: Count.", "bot: One two three four.", "ann: Stop."]


def test_a_short_sound_only_ducks(speaking: Room) -> None:
    ducked = speaking.start()
    speaking.wait(0.1)
    undone = speaking.final("", revision=0)

    assert DuckAudio(ducked=True) in ducked
    assert DuckAudio(ducked=False) in undone
    assert not speaking.seen(StopAudio)


def test_words_interrupt_however_short_they_are(speaking: Room) -> None:
    speaking.start()
    speaking.soft("stop")

    assert speaking.seen(PauseAudio)
    speaking.final("Stop.")

    assert speaking.seen(StopAudio)
    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.STOPPED
    assert speaking.history[-1] == "ann: Stop."
    assert len(speaking.seen(BeginReply)) == 1


def test_more_words_than_stop_are_answered(speaking: Room) -> None:
    speaking.start()
    speaking.partial("stop")
    speaking.soft("stop counting in english")

    assert speaking.asked()[-1] == "ann: stop counting in english"


@pytest.mark.parametrize("text", ["Mm-hmm.", "Yeah, right.", "Okay!", "(coughs)"])
def test_signs_of_listening_do_not_interrupt(speaking: Room, text: str) -> None:
    speaking.start()
    speaking.soft(text)
    speaking.final(text)

    assert not speaking.seen(StopAudio)
    assert len(speaking.seen(BeginReply)) == 1
    assert speaking.history == ["ann: Count."]


def test_yes_to_a_question_that_is_nearly_over_is_an_answer(room: Room) -> None:
    room.write("Count.")
    room.answer("One two three. Shall I go on?", 4.0)
    room.played(3.5)
    room.start()
    room.soft("yes")

    assert room.asked() == ["ann: Count.", "bot: One two three. Shall I go", "ann: yes"]


def test_speech_before_anything_is_played_loud_does_not_end_the_answer(room: Room) -> None:
    room.write("Count.")
    room.start()
    room.wait(5.0)

    assert not room.seen(ShowReplyEnd)


def test_an_answer_is_held_back_while_the_person_goes_on(room: Room) -> None:
    room.write("Count.")
    room.start()
    room.model("One.", done=True)
    assert not any(isinstance(c, PlayAudio | EndAudio) for c in room.voice("One.", 1.0, done=True))
    released = room.final("", revision=0)

    assert [type(c) for c in released] == [ShowSilence, PlayAudio, EndAudio]
    assert len(room.seen(BeginReply)) == 1


def test_more_of_a_question_is_answered_together_with_it(room: Room) -> None:
    room.write("Count.")
    room.start()
    room.answer("One.", 1.0)
    room.soft("in italian")
    assert len(room.seen(BeginReply)) == 1
    room.final("In Italian.")

    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.SUPERSEDED
    assert room.asked() == ["ann: Count.", "ann: In Italian."]
    assert room.seen(ShowReplyStart)[-1].message_ids == (1, 2)
    assert not room.seen(PlayAudio)


def test_an_answer_cut_by_what_came_to_nothing_before_it_was_heard_is_given_again(
    room: Room,
) -> None:
    room.write("Count.")
    room.answer(ANSWER, 4.0)
    room.played(0.1)
    room.start()
    room.soft("count in italian")
    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.INTERRUPTED
    room.final("", revision=1)

    assert room.asked() == ["ann: Count."]
    assert room.seen(ShowReplyStart)[-1].message_ids == (1,)


def test_a_paused_answer_whose_voice_fails_is_not_waited_for(room: Room) -> None:
    room.write("Count.")
    room.model("One two three.", done=True)
    room.voice("One two", 2.0)
    room.played(0.5)
    room.start()
    room.wait(0.5)
    failed = room.do(VoiceFailed(room.reply_id, down_problem(Backend.TTS)))

    assert StopAudio(room.reply_id) in failed
    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE


def test_an_answer_that_was_heard_is_not_given_again(speaking: Room) -> None:
    speaking.start()
    speaking.wait(0.3)
    speaking.final("", revision=0)

    assert len(speaking.seen(BeginReply)) == 1


def test_an_answer_that_was_stopped_is_not_given_again(room: Room) -> None:
    room.write("Count.")
    room.do(StopPressed())
    room.start()
    room.final("", revision=0)

    assert len(room.seen(BeginReply)) == 1


def test_less_than_a_quarter_of_a_second_is_not_remembered(room: Room) -> None:
    room.write("Count.")
    room.answer(ANSWER, 4.0)
    room.played(0.1)
    room.do(StopPressed())

    assert room.history == ["ann: Count."]


def test_stop_silences_and_remembers_what_was_heard(speaking: Room) -> None:
    stopped = speaking.do(StopPressed())

    assert StopAudio(speaking.reply_id) in stopped
    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.STOPPED
    assert speaking.history[-1] == "bot: One two three four. Five six"


def test_stop_without_an_answer_does_nothing(room: Room) -> None:
    assert room.do(StopPressed()) == []


def test_a_written_message_interrupts_too(speaking: Room) -> None:
    speaking.write("Enough.")

    assert speaking.seen(ShowReplyEnd)[0].outcome is Outcome.INTERRUPTED
    assert speaking.asked() == [
        "ann: Count.", "bot: One two three four. Five six", "ann: Enough.",
    ]  # fmt: skip


def test_a_speaker_who_is_lost_does_not_keep_the_bot_soft(speaking: Room) -> None:
    speaking.start()
    undone = speaking.do(HearingLost("ann"))

    assert DuckAudio(ducked=False) in undone


def test_switching_the_voice_off_goes_on_in_text(room: Room) -> None:
    room.write("Count.")
    room.model("One two three four.")
    room.voice("One two three four.", 2.0)
    off = room.do(VoiceSwitched(on=False))
    room.model(" Five.", done=True)

    assert CancelVoice(room.reply_id) in off
    assert StopAudio(room.reply_id) in off
    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE
    assert room.history[-1] == "bot: One two three four. Five."


def test_a_player_that_says_nothing_does_not_hold_the_conversation(room: Room) -> None:
    room.write("Count.")
    room.answer(ANSWER, 4.0)
    assert room.seen(EndAudio)
    room.wait(13.0)
    assert not room.seen(ShowReplyEnd)
    room.wait(2.0)

    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE
    assert room.history[-1] == f"bot: {ANSWER}"
