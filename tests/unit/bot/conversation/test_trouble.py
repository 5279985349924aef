"""Backends that fail: one sentence, and the conversation goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import (
    Outcome,
    ShowNotice,
    ShowReplyEnd,
    ShowSilence,
    ShowTrouble,
    SpeakText,
)
from voicemesh_bot.conversation.events import (
    BackendChanged,
    HearingLost,
    ReplyFailed,
    ReplyProgress,
    VoiceFailed,
)
from voicemesh_bot.domain import Backend, ModelStarted, Problem
from voicemesh_bot.problems import down_problem, problem_from
from voicemesh_chassis.errors import (
    DeadlineExceededError,
    InternalError,
    NotFoundError,
    OverloadedError,
    UnauthenticatedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room
    from voicemesh_chassis.errors import ServiceError

pytestmark = pytest.mark.unit


def test_a_model_that_cannot_be_reached_ends_the_answer_in_words(room: Room) -> None:
    room.write("Hello?")
    room.do(ReplyFailed(room.reply_id, down_problem(Backend.TRAINER)))

    end = room.seen(ShowReplyEnd)[0]
    assert end.outcome is Outcome.FAILED
    assert "language model" in end.sentence
    assert room.history == ["ann: Hello?"]


def test_a_failed_answer_says_why_only_in_its_own_turn(room: Room) -> None:
    for _ in range(2):
        room.write("Hello?")
        room.do(ReplyFailed(room.reply_id, down_problem(Backend.TRAINER)))

    assert len([c for c in room.seen(ShowReplyEnd) if c.sentence]) == 2
    assert not room.seen(ShowNotice)


def test_a_model_that_fails_is_in_trouble_until_its_next_word(room: Room) -> None:
    for _ in range(2):
        room.write("Hello?")
        # The trainer is well and announces an answer; the model behind it is out of reach.
        room.do(ReplyProgress(room.reply_id, ModelStarted("response", "remote")))
        room.do(ReplyFailed(room.reply_id, down_problem(Backend.TRAINER)))
    assert room.seen(ShowTrouble) == [ShowTrouble(Backend.TRAINER, troubled=True)]

    room.write("Hello?")
    room.do(ReplyProgress(room.reply_id, ModelStarted("response", "remote")))
    assert len(room.seen(ShowTrouble)) == 1
    room.model("Hi.")
    assert room.seen(ShowTrouble)[1:] == [ShowTrouble(Backend.TRAINER, troubled=False)]


def test_ears_that_refuse_the_token_are_in_trouble_until_they_hear(room: Room) -> None:
    problem = problem_from(Backend.STT, UnauthenticatedError("bad token"))
    for _ in range(2):
        room.do(HearingLost("ann", problem))
    assert [c.sentence for c in room.seen(ShowNotice)] == [problem.sentence] * 2

    room.start()
    assert [c.troubled for c in room.seen(ShowTrouble)] == [True, False]


def test_a_backend_that_is_down_is_mentioned_once_until_it_is_back(room: Room) -> None:
    for _ in range(3):
        room.do(BackendChanged(Backend.TRAINER, ready=False))
    assert len(room.seen(ShowNotice)) == 1

    room.do(BackendChanged(Backend.TRAINER, ready=True))
    room.do(BackendChanged(Backend.TRAINER, ready=True))
    assert [c.good for c in room.seen(ShowNotice)] == [False, True]

    room.do(BackendChanged(Backend.TRAINER, ready=False))
    assert len(room.seen(ShowNotice)) == 3


def test_a_model_that_breaks_off_is_heard_as_far_as_it_came(room: Room) -> None:
    room.write("Count.")
    room.model("One two")
    room.do(ReplyFailed(room.reply_id, Problem(Backend.TRAINER, "It failed.")))
    room.voice("One two", 1.0, done=True)
    room.played(1.0)

    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE
    assert room.seen(ShowReplyEnd)[0].sentence == "It failed."
    assert room.history == ["ann: Count.", "bot: One two"]


def test_without_its_voice_the_bot_answers_in_text(room: Room) -> None:
    room.write("Count.")
    room.model("One ")
    room.do(VoiceFailed(room.reply_id, down_problem(Backend.TTS)))
    room.model("two.", done=True)

    assert room.seen(ShowReplyEnd)[0].outcome is Outcome.COMPLETE
    assert room.history[-1] == "bot: One two."


def test_a_voice_that_is_down_is_not_tried_until_it_is_back(room: Room) -> None:
    room.do(BackendChanged(Backend.TTS, ready=False))
    room.write("Count.")
    room.model("One.", done=True)
    assert not room.seen(SpeakText)

    room.do(BackendChanged(Backend.TTS, ready=True))
    room.write("Again.")
    room.model("One.", done=True)
    assert room.seen(SpeakText)


def test_a_voice_that_failed_once_is_tried_for_the_next_answer(room: Room) -> None:
    room.write("Count.")
    room.do(VoiceFailed(room.reply_id, down_problem(Backend.TTS)))
    room.model("One.", done=True)
    room.write("Again.")
    room.model("One.", done=True)
    assert room.seen(SpeakText)

    room.voice("One.", 1.0, done=True)
    assert [c.good for c in room.seen(ShowNotice)] == [False, True]


def test_a_backend_that_says_it_is_leaving_is_not_back_because_it_ends_its_work(
    room: Room,
) -> None:
    room.write("Count.")
    room.model("One. ")
    room.do(BackendChanged(Backend.TRAINER, ready=False))
    room.model("Two.", done=True)

    assert [c.good for c in room.seen(ShowNotice)] == [False]


def test_losing_the_ears_takes_the_open_turn_back_and_typing_goes_on(room: Room) -> None:
    room.start()
    room.partial("what is")
    room.do(HearingLost("ann", down_problem(Backend.STT)))
    assert room.seen(ShowSilence)
    assert "type" in room.seen(ShowNotice)[0].sentence

    room.write("What is the time?")
    assert room.asked() == ["ann: What is the time?"]


@pytest.mark.parametrize(
    ("error", "words", "down"),
    [
        (UnavailableError("connection refused to 10.0.0.7:50051"), "cannot be reached", True),
        (OverloadedError("full", retry_after_s=1), "busy", False),
        (DeadlineExceededError("too late"), "took too long", False),
        (UnauthenticatedError("bad token"), "token", False),
        (NotFoundError("There is no voice x."), "There is no voice x.", False),
        (InternalError("fault 123"), "fault 123", False),
    ],
)
def test_every_error_becomes_one_sentence(error: ServiceError, words: str, down: bool) -> None:
    problem = problem_from(Backend.TTS, error)

    assert words in problem.sentence
    assert problem.sentence.endswith(".")
    assert problem.down is down
    assert "10.0.0.7" not in problem.sentence
