"""The first clause of a guessed answer is spoken before anybody may hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import (
    CancelReply,
    CancelVoice,
    EndAudio,
    EndSpeech,
    PlayAudio,
    ShowReplyEnd,
    ShowReplyText,
    SpeakText,
)
from voicemesh_bot.conversation.events import BackendChanged, VoiceFailed, VoiceSwitched
from voicemesh_bot.domain import Backend, Problem

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit

QUESTION = "what is the time"
PROBLEM = Problem(Backend.TTS, "The voice failed: it broke.")


def guess(room: Room, text: str, *, done: bool = False) -> None:
    room.start()
    room.soft(QUESTION)
    room.model(text, done=done)


def spoken(room: Room) -> str:
    return "".join(command.text for command in room.seen(SpeakText))


def test_only_the_first_clause_is_handed_to_the_voice(room: Room) -> None:
    guess(room, "It is noon now. The sun ", done=False)
    room.model("is high.", done=True)

    assert spoken(room) == "It is noon now. "
    assert not room.seen(EndSpeech)
    room.final(QUESTION)
    assert spoken(room) == "It is noon now. The sun is high."
    assert len(room.seen(EndSpeech)) == 1


def test_words_without_a_mark_are_enough_for_the_voice_to_begin(room: Room) -> None:
    words = "the king and his old dog went into the big forest to find a"
    guess(room, words)

    assert spoken(room) == words
    room.model(" bone.")
    room.model(" They found it.", done=True)
    assert spoken(room) == f"{words} bone. "


def test_what_was_made_is_heard_with_the_final_and_what_follows_after_it(room: Room) -> None:
    guess(room, "It is noon now. The sun is high.", done=True)
    room.voice("It is noon now.", 1.0)

    heard = room.final(QUESTION)

    assert [type(each) for each in heard if isinstance(each, PlayAudio | EndAudio)] == [PlayAudio]
    room.voice(" The sun is high.", 1.0, done=True)
    assert len(room.seen(PlayAudio)) == 2
    assert room.seen(EndAudio)[0].duration_s == pytest.approx(2.0)


def test_a_short_answer_is_complete_before_the_final(room: Room) -> None:
    guess(room, "Yes.", done=True)
    room.voice("Yes.", 0.4, done=True)

    heard = room.final(QUESTION)

    assert [type(each) for each in heard if isinstance(each, PlayAudio | EndAudio)] == [
        PlayAudio,
        EndAudio,
    ]
    room.played(0.4)
    assert room.seen(ShowReplyEnd)[0].heard_text == "Yes."


def test_a_final_with_other_words_makes_no_sound_of_it(room: Room) -> None:
    guess(room, "It is noon now.", done=True)
    room.voice("It is noon now.", 1.0, done=True)
    guessed = room.reply_id

    room.final("what is the time in Rome", revision=2)

    assert CancelReply(guessed) in room.log
    assert not room.seen(PlayAudio)
    assert not room.seen(ShowReplyText)


def test_a_voice_that_fails_meanwhile_leaves_the_text(room: Room) -> None:
    guess(room, "It is noon now.", done=True)
    room.do(VoiceFailed(room.reply_id, PROBLEM))

    room.final(QUESTION)

    assert not room.seen(PlayAudio)
    assert [each.text for each in room.seen(ShowReplyText)] == ["It is noon now."]
    assert room.seen(ShowReplyEnd)[0].heard_text == "It is noon now."


def test_nothing_is_prepared_where_nothing_may_be_said(room: Room) -> None:
    room.do(VoiceSwitched(on=False))
    guess(room, "It is noon now.", done=True)
    assert not room.seen(SpeakText)


def test_nothing_is_prepared_by_a_voice_that_is_away(room: Room) -> None:
    room.do(BackendChanged(Backend.TTS, ready=False))
    guess(room, "It is noon now.", done=True)
    assert not room.seen(SpeakText)


def test_a_voice_that_is_switched_off_meanwhile_is_cancelled(room: Room) -> None:
    guess(room, "It is noon now.", done=True)
    room.voice("It is noon now.", 1.0, done=True)
    room.do(VoiceSwitched(on=False))

    room.final(QUESTION)

    assert CancelVoice(room.reply_id) in room.log
    assert not room.seen(PlayAudio)
