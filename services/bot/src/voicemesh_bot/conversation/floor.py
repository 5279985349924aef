"""The bot's side of a room: one answer at a time, the questions that wait, what is remembered.

Events about an answer that is not the present one are dropped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import CancelReply, Outcome, ShowMessage
from voicemesh_bot.conversation.history import History, Question
from voicemesh_bot.conversation.meaning import Scene
from voicemesh_bot.conversation.reply import Reply
from voicemesh_bot.conversation.timeline import Mark
from voicemesh_bot.conversation.words import same_words
from voicemesh_bot.domain import HistoryTurn, Role
from voicemesh_bot.problems import EMPTY_ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.conversation.addressing import Attention
    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.hearing import Utterance
    from voicemesh_bot.conversation.options import ConversationOptions
    from voicemesh_bot.domain import Address

__all__ = ("Floor", "Message")

_ENDS_SOON_S = 1.0
"""A question with no more than this left to be heard has been understood."""

_KNOWN_S = 1.0
"""Who has heard less of an answer than this, and not its first clause, has got none."""


class Message:
    """Words of a person, on their way into the conversation."""

    def __init__(
        self,
        speaker: str,
        name: str,
        text: str,
        *,
        utterance: Utterance | None = None,
        revision: int = 0,
        latency_s: float = 0.0,
    ) -> None:
        self.speaker = speaker
        self.turn = HistoryTurn(Role.USER, text, name)
        self.utterance = utterance
        self.turn_id = 0 if utterance is None else utterance.turn_id
        self.revision = revision
        self.latency_s = max(0.0, latency_s)


class Floor:
    """Gives answers one after another; hands its commands to `emit`."""

    def __init__(
        self,
        options: ConversationOptions,
        attention: Attention,
        emit: Callable[[Command], None],
    ) -> None:
        self.history = History(max_turns=options.max_history_turns)
        self.reply: Reply | None = None
        self._options = options
        self._attention = attention
        self._emit = emit
        self._cut: Reply | None = None
        self._pending: tuple[Question, ...] = ()
        self._last_reply_id = 0
        self._last_message_id = 0

    @property
    def given(self) -> Reply | None:
        """The present answer if it is no guess."""
        return self.reply if self.reply is not None and self.reply.confirmed else None

    @property
    def has_pending(self) -> bool:
        """Whether questions wait for the floor."""
        return bool(self._pending)

    def use(self, options: ConversationOptions) -> None:
        """Goes on by other options."""
        self._options = options
        self.history.set_bound(options.max_history_turns)

    def scene(self, now_s: float) -> Scene:
        """What the bot is doing."""
        reply = self.given
        if reply is None:
            return Scene()
        playback = reply.playback
        left_s = playback.sent_s - playback.estimate_s(now_s)
        ends_soon = reply.aloud and playback.all_sent and left_s <= _ENDS_SOON_S
        return Scene(reply.speakers, reply.asked_at_s, reply.is_heard, reply.text, ends_soon)

    def current(self, reply_id: int) -> Reply | None:
        """The present answer if that is its id."""
        reply = self.reply
        return reply if reply is not None and reply.reply_id == reply_id else None

    # Messages

    def take_in(
        self, message: Message, address: Address | None, *, remember: bool = True
    ) -> Question:
        """Shows a message, and remembers it unless it says nothing."""
        self._last_message_id += 1
        question = Question(self._last_message_id, message.speaker, message.turn)
        if remember:
            self.history.add_message(message.turn, question.message_id)
        self._emit(
            ShowMessage(
                question.message_id,
                message.speaker,
                message.turn.text,
                message.utterance is not None,
                address,
                message.turn_id,
                message.revision,
            )
        )
        return question

    def guess(self, message: Message, now_s: float, *, aloud: bool) -> None:
        """Begins an answer to what may not be all that the person says."""
        question = Question(0, message.speaker, message.turn)
        questions = (*self._pending, question)
        self._begin(questions, message, now_s, guess=message.utterance, aloud=aloud)

    def is_guessed(self, message: Message) -> bool:
        """Whether the present answer is a guess of just these words."""
        reply = self.reply
        return (
            reply is not None
            and not reply.confirmed
            and reply.utterance == message.utterance
            and same_words(reply.questions[-1].turn.text, message.turn.text)
            and reply.questions[:-1] == self._pending
        )

    def ask(self, message: Message, address: Address, now_s: float, *, aloud: bool) -> None:
        """Answers a message now, with all that waits; what is being said is cut."""
        guessed = self.is_guessed(message)
        if not guessed:
            self.give_way(now_s)
        question = self.take_in(message, address)
        questions, self._pending = (*self._pending, question), ()
        if not guessed:
            self._begin(questions, message, now_s, aloud=aloud)
        self._confirm(questions, now_s, aloud=aloud, end_of_speech_s=now_s - message.latency_s)

    def wait(self, message: Message, address: Address) -> None:
        """Takes a message in that is answered after the present answer."""
        question = self.take_in(message, address)
        self._pending = (*self._pending, question)[-self._options.max_waiting :]

    def answer_pending(self, now_s: float, *, aloud: bool) -> None:
        """Answers what waits, all in one."""
        questions, self._pending = self._pending, ()
        last = questions[-1]
        message = Message(last.speaker, last.turn.speaker, last.turn.text)
        self._begin(questions, message, now_s, aloud=aloud)
        self._confirm(questions, now_s, aloud=aloud, end_of_speech_s=now_s)

    def forget_person(self, speaker: str, now_s: float) -> None:
        """Drops what somebody who has left wanted to know, unless the answer is in the air."""
        self._pending = tuple(each for each in self._pending if each.speaker != speaker)
        reply = self.given
        if reply is not None and not reply.is_heard and reply.speakers == {speaker}:
            self.end(Outcome.STOPPED, now_s)

    # The end of an answer

    def give_way(self, now_s: float) -> None:
        """Ends the present answer for a new question; hardly heard, its questions wait for it."""
        reply = self.reply
        if reply is None:
            return
        if reply.confirmed and not _is_known(reply):
            self._pending = (*reply.questions, *self._pending)[-self._options.max_waiting :]
        self.end(Outcome.INTERRUPTED if reply.is_interruptible else Outcome.SUPERSEDED, now_s)

    def stop(self, now_s: float) -> None:
        """Is quiet, and forgets what waits."""
        self._pending = ()
        self.end(Outcome.STOPPED, now_s)

    def end(self, outcome: Outcome, now_s: float, sentence: str = "") -> None:
        """Ends the present answer, if there is one, and remembers what was heard of it."""
        reply, self.reply = self.reply, None
        if reply is None:
            return
        heard = reply.end(outcome, now_s, sentence)
        if not reply.confirmed:
            return
        self.history.set_reply(reply.reply_id, heard)
        self._cut = reply if reply.aloud and outcome is not Outcome.COMPLETE else None
        if heard or outcome is not Outcome.SUPERSEDED:
            self._attention.note_answer(reply.speakers, heard, now_s)

    def drop_guess(self, utterance: Utterance | None) -> None:
        """Forgets an answer to what this turn seemed to say."""
        reply = self.reply
        if reply is not None and not reply.confirmed and reply.utterance == utterance:
            self._emit(CancelReply(reply.reply_id))
            self.reply = None

    def note_played(self, reply_id: int, seconds: float, now_s: float) -> None:
        """Takes the player's report in."""
        if reply := self.current(reply_id):
            reply.report_played(seconds, now_s)
        elif self._cut is not None and self._cut.reply_id == reply_id:
            # The player's last word on an answer that was cut: exact, where we had to estimate.
            playback = self._cut.playback
            heard = playback.heard_text(self._cut.text, min(seconds, playback.sent_s))
            self.history.set_reply(reply_id, heard)

    def check_end(self, now_s: float) -> None:
        """Ends the present answer if it is over."""
        reply = self.given
        if reply is None:
            return
        due_s = self.deadline_s
        if due_s is not None and now_s >= due_s:
            if not reply.playback.played_s:
                reply.aloud = False  # It cannot have been heard, but it was there to be read.
            self.end(Outcome.COMPLETE, now_s)
        elif reply.is_over and reply.text.strip():
            self.end(Outcome.COMPLETE, now_s)
        elif reply.is_over:
            self.end(Outcome.FAILED, now_s, EMPTY_ANSWER)

    @property
    def deadline_s(self) -> float | None:
        """When the player has been silent for so long that the answer counts as over."""
        reply = self.given
        if reply is None or not reply.waits_for_player or reply.playback.is_paused:
            return None
        playback = reply.playback
        return playback.changed_at_s + playback.left_s + self._options.playback_grace_s

    def _begin(
        self,
        questions: tuple[Question, ...],
        message: Message,
        now_s: float,
        *,
        aloud: bool,
        guess: Utterance | None = None,
    ) -> None:
        self._last_reply_id += 1
        self.reply = Reply(self._last_reply_id, questions, self._emit, utterance=guess)
        asking = self.history.asking(questions)
        self.reply.begin(
            asking, now_s, turn_id=message.turn_id, revision=message.revision, aloud=aloud
        )

    def _confirm(
        self,
        questions: tuple[Question, ...],
        now_s: float,
        *,
        aloud: bool,
        end_of_speech_s: float,
    ) -> None:
        reply = self.reply
        if reply is None:
            return
        self.history.hold_place(reply.reply_id)
        reply.timeline.mark(Mark.END_OF_SPEECH, end_of_speech_s)
        reply.timeline.mark(Mark.TRANSCRIPT, now_s)
        reply.confirm(questions, now_s, aloud=aloud)


def _is_known(reply: Reply) -> bool:
    """Whether so much of an answer was heard that its question is not asked again."""
    if not reply.aloud:
        return reply.is_heard
    return reply.playback.first_clause_heard or reply.playback.played_s >= _KNOWN_S
