"""The conversation of one room: events and a clock in, commands out.

Pure: no task, socket or clock of its own. The room has one answer at a time and any number of
speakers, each with turns of their own. The rules:

* A spoken turn is answered on its soft final already; the answer stays hidden until the final says
  the same words, and is dropped if the person goes on or the words differ.
* A new message supersedes the answer that is being worked on; the model sees both messages.
* A person who goes on speaking while the bot speaks interrupts it; a shorter sound only makes it
  softer for as long as it lasts. An answer that was cut before it was heard, by what turned out to
  be noise, is given again.
* The history holds what was heard.
* An answer that fails says why in its own turn; how the backends fare is told by `condition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicemesh_bot import events
from voicemesh_bot.commands import (
    CancelReply,
    DuckAudio,
    Outcome,
    ShowListening,
    ShowMessage,
    ShowPartial,
    ShowSilence,
)
from voicemesh_bot.condition import Conditions
from voicemesh_bot.domain import (
    Backend,
    Final,
    HistoryTurn,
    ModelFinished,
    ModelStarted,
    ModelText,
    Partial,
    Role,
    SoftFinal,
    SpeechStarted,
)
from voicemesh_bot.hearing import Hearing, Utterance
from voicemesh_bot.history import History, same_words
from voicemesh_bot.problems import EMPTY_ANSWER, unanswered_sentence
from voicemesh_bot.reply import Reply
from voicemesh_bot.timeline import Mark

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.commands import Command

__all__ = ("Conversation", "ConversationOptions")


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """How the conversation behaves."""

    barge_in_s: float = 0.2
    """How long a person must go on after their speech was noticed to interrupt the bot, seconds."""

    max_speculations: int = 3
    """Most answers begun on guesses in one turn; 0 waits for every final."""

    max_reply_characters: int = 4000
    """Longest answer; the model is stopped there."""

    max_history_turns: int = 100
    """Turns remembered; the oldest are forgotten."""

    playback_grace_s: float = 10.0
    """How long a player may be silent about its progress before the answer counts as over."""


class Conversation:
    """The state machine; `handle` events in order, carry out its commands in order."""

    def __init__(self, options: ConversationOptions | None = None) -> None:
        self._options = options or ConversationOptions()
        self._history = History(max_turns=self._options.max_history_turns)
        self._hearing = Hearing()
        self._reply: Reply | None = None
        self._cut: Reply | None = None
        self._owes_answer = False
        self._last_reply_id = 0
        self._last_message_id = 0
        self._voice_on = True
        self._ducked = False
        self._conditions = Conditions(self._out_append)
        self._out: list[Command] = []
        self._now_s = 0.0
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.Typed: self._on_typed,
            events.Heard: self._on_heard,
            events.HearingLost: self._on_hearing_lost,
            events.ReplyProgress: self._on_reply_progress,
            events.ReplyFailed: self._on_reply_failed,
            events.VoiceProgress: self._on_voice_progress,
            events.VoiceFinished: self._on_voice_finished,
            events.VoiceFailed: self._on_voice_failed,
            events.Played: self._on_played,
            events.StopPressed: self._on_stop,
            events.VoiceSwitched: self._on_voice_switched,
            events.BackendChanged: self._on_backend_changed,
            events.Tick: lambda _: None,
        }

    @property
    def history(self) -> tuple[HistoryTurn, ...]:
        """What was said and heard so far, oldest first."""
        return self._history.turns

    @property
    def deadline_s(self) -> float | None:
        """When a `Tick` is due if nothing else happens, by the clock given to `handle`."""
        reply = self._reply
        if reply is None:
            return None
        since_s = self._hearing.talking_since_s
        if reply.is_audible and since_s is not None:
            return since_s + self._options.barge_in_s
        return self._player_deadline_s(reply) if reply.waits_for_player else None

    def handle(self, event: events.Event, now_s: float) -> list[Command]:
        """Takes one event in.

        Args:
            event: what happened.
            now_s: when, in seconds of a clock that never goes back.

        Returns:
            What is to be done, in order.
        """
        self._now_s, self._out = now_s, []
        self._handlers[type(event)](event)
        self._check_barge_in()
        self._check_end()
        self._check_ducking()
        return self._out

    # What people do

    def _on_typed(self, event: events.Typed) -> None:
        if text := event.text.strip():
            self._answer(event.speaker, text)

    def _on_heard(self, heard: events.Heard) -> None:
        self._conditions.note_success(Backend.STT)
        speaker, event = heard.speaker, heard.event
        if not self._hearing.accept(speaker, event, self._now_s):
            return
        utterance = Utterance(speaker, event.turn_id)
        if isinstance(event, SpeechStarted):
            self._out.append(ShowListening(speaker, event.turn_id))
        elif isinstance(event, Partial):
            self._on_partial(speaker, event)
        elif isinstance(event, SoftFinal):
            self._on_soft_final(utterance, event.text.strip())
        elif isinstance(event, Final):
            self._on_final(utterance, event)
        else:
            self._drop_speculation(utterance)

    def _on_partial(self, speaker: str, event: Partial) -> None:
        self._out.append(ShowPartial(speaker, event.turn_id, event.stable, event.unstable))
        if event.stable.strip() and self._reply is not None and self._reply.is_audible:
            self._end(Outcome.INTERRUPTED)

    def _on_soft_final(self, utterance: Utterance, text: str) -> None:
        reply = self._reply
        if not text:
            return
        if reply is not None and reply.confirmed:
            if not reply.is_audible:
                return  # The final decides whether the answer in the making still holds.
            self._end(Outcome.INTERRUPTED)
        elif reply is not None:
            if reply.utterance == utterance and same_words(reply.question, text):
                return
            if reply.utterance is not None and reply.utterance.speaker != utterance.speaker:
                return
            self._drop_speculation(reply.utterance)
        if self._hearing.may_speculate(utterance.speaker, self._options.max_speculations):
            guess = HistoryTurn(Role.USER, text, utterance.speaker)
            self._begin(text, (*self._history.turns, guess), utterance)

    def _on_final(self, utterance: Utterance, event: Final) -> None:
        if text := event.text.strip():
            self._answer(utterance.speaker, text, utterance, latency_s=event.latency_s)
        else:
            self._forget_turn(utterance)

    def _on_hearing_lost(self, event: events.HearingLost) -> None:
        if event.problem is not None:
            self._conditions.note_failure(event.problem)
        turn_id = self._hearing.abandon(event.speaker)
        if turn_id is not None:
            self._forget_turn(Utterance(event.speaker, turn_id))

    def _on_stop(self, _: events.StopPressed) -> None:
        self._owes_answer = False
        if self._reply is not None:
            self._end(Outcome.STOPPED)

    def _on_voice_switched(self, event: events.VoiceSwitched) -> None:
        self._voice_on = event.on
        if not event.on and self._reply is not None:
            self._reply.lose_voice(self._now_s, silence=True)

    # What the backends and the player do

    def _on_reply_progress(self, event: events.ReplyProgress) -> None:
        reply = self._current(event.reply_id)
        if reply is None:
            return
        if isinstance(event.event, ModelStarted):
            # No sign of life: an answer is announced before the model's provider is even asked.
            reply.response_id = event.event.response_id
            return
        self._conditions.note_success(Backend.TRAINER)
        if isinstance(event.event, ModelText):
            most = self._options.max_reply_characters
            reply.add_text(event.event.text, self._now_s, most=most)
        elif isinstance(event.event, ModelFinished):
            reply.finish_text(self._now_s)

    def _on_reply_failed(self, event: events.ReplyFailed) -> None:
        reply = self._current(event.reply_id)
        if reply is None:
            return
        if not reply.confirmed:
            # The final will ask again, and report if that fails too.
            self._drop_speculation(reply.utterance)
            return
        self._conditions.note_failure(event.problem, told_in_turn=True)
        sentence = unanswered_sentence(event.problem)
        if reply.text.strip():
            reply.break_off(sentence, self._now_s)
        else:
            self._end(Outcome.FAILED, sentence)

    def _on_voice_progress(self, event: events.VoiceProgress) -> None:
        if reply := self._current(event.reply_id):
            self._conditions.note_success(Backend.TTS)
            reply.add_audio(event.audio, self._now_s)

    def _on_voice_finished(self, event: events.VoiceFinished) -> None:
        if reply := self._current(event.reply_id):
            reply.finish_audio(self._now_s)

    def _on_voice_failed(self, event: events.VoiceFailed) -> None:
        if reply := self._current(event.reply_id):
            self._conditions.note_failure(event.problem)
            reply.lose_voice(self._now_s, silence=False)

    def _on_played(self, event: events.Played) -> None:
        if reply := self._current(event.reply_id):
            reply.report_played(event.seconds, self._now_s)
        elif self._cut is not None and self._cut.reply_id == event.reply_id:
            # The player's last word on an answer that was cut: exact, where we had to estimate.
            playback = self._cut.playback
            heard = playback.heard_text(self._cut.text, min(event.seconds, playback.sent_s))
            self._history.amend_reply(event.reply_id, heard)

    def _on_backend_changed(self, event: events.BackendChanged) -> None:
        self._conditions.note_ready(event.backend, ready=event.ready)

    # Answers

    def _answer(
        self,
        speaker: str,
        text: str,
        utterance: Utterance | None = None,
        *,
        latency_s: float = 0.0,
    ) -> None:
        """Takes a message into the conversation and sees to its answer."""
        reply = self._reply
        guessed = (
            reply is not None
            and not reply.confirmed
            and reply.utterance == utterance
            and same_words(reply.question, text)
        )
        if reply is not None and not guessed:
            self._end(Outcome.INTERRUPTED if reply.is_audible else Outcome.SUPERSEDED)
        self._history.add_message(speaker, text)
        self._last_message_id += 1
        spoken = utterance is not None
        self._out.append(ShowMessage(self._last_message_id, speaker, text, spoken))
        if not guessed:
            self._begin(text, self._history.turns)
        self._confirm(end_of_speech_s=self._now_s - max(0.0, latency_s))

    def _begin(
        self, question: str, history: tuple[HistoryTurn, ...], guess: Utterance | None = None
    ) -> None:
        self._last_reply_id += 1
        self._reply = Reply(self._last_reply_id, question, self._out_append, utterance=guess)
        self._reply.begin(history, self._now_s)

    def _confirm(self, end_of_speech_s: float) -> None:
        self._owes_answer = False
        if self._reply is not None:
            self._reply.timeline.mark(Mark.END_OF_SPEECH, end_of_speech_s)
            self._reply.timeline.mark(Mark.TRANSCRIPT, self._now_s)
            aloud = self._voice_on and not self._conditions.is_absent(Backend.TTS)
            self._reply.confirm(self._last_message_id, aloud=aloud)

    def _end(self, outcome: Outcome, sentence: str = "") -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            heard = reply.end(outcome, self._now_s, sentence)
            self._history.add_reply(reply.reply_id, heard)
            self._owes_answer = outcome is Outcome.INTERRUPTED and not heard
            self._cut = reply if reply.aloud and outcome is not Outcome.COMPLETE else None

    def _forget_turn(self, utterance: Utterance) -> None:
        """Closes a turn in which nothing was said."""
        self._out.append(ShowSilence(utterance.speaker))
        self._drop_speculation(utterance)
        if self._owes_answer and self._reply is None and self._history.is_unanswered:
            self._begin(self._history.turns[-1].text, self._history.turns)
            self._confirm(end_of_speech_s=self._now_s)

    def _drop_speculation(self, utterance: Utterance | None) -> None:
        reply = self._reply
        if reply is not None and not reply.confirmed and reply.utterance == utterance:
            self._out.append(CancelReply(reply.reply_id))
            self._reply = None

    def _current(self, reply_id: int) -> Reply | None:
        reply = self._reply
        return reply if reply is not None and reply.reply_id == reply_id else None

    # What follows from any event

    def _check_barge_in(self) -> None:
        since_s = self._hearing.talking_since_s
        if self._reply is None or since_s is None or not self._reply.is_audible:
            return
        if self._now_s >= since_s + self._options.barge_in_s:
            self._end(Outcome.INTERRUPTED)

    def _check_end(self) -> None:
        reply = self._reply
        if reply is None or not reply.confirmed:
            return
        if reply.waits_for_player and self._now_s >= self._player_deadline_s(reply):
            if not reply.playback.played_s:
                reply.aloud = False  # It cannot have been heard, but it was there to be read.
            self._end(Outcome.COMPLETE)
        elif reply.is_over and reply.text.strip():
            self._end(Outcome.COMPLETE)
        elif reply.is_over:
            self._end(Outcome.FAILED, EMPTY_ANSWER)

    def _check_ducking(self) -> None:
        reply = self._reply
        wanted = reply is not None and reply.is_audible and self._hearing.someone_talks
        if wanted is not self._ducked:
            self._ducked = wanted
            self._out.append(DuckAudio(wanted))

    def _player_deadline_s(self, reply: Reply) -> float:
        left_s = reply.playback.sent_s - reply.playback.played_s
        return reply.playback.changed_at_s + left_s + self._options.playback_grace_s

    def _out_append(self, command: Command) -> None:
        self._out.append(command)
