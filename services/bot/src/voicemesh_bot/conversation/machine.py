"""The conversation of one room: events and a clock in, commands out.

Pure: no task, socket or clock of its own. The room has one answer at a time and any number of
speakers, each with turns of their own. The rules:

* What is for the bot is answered, everything else that people say is context (`meaning`).
* A spoken turn is answered on its soft final already; the answer, of which the first clause is
  spoken meanwhile, stays hidden until the final says the same words, and is dropped if the person
  goes on or the words differ.
* A question supersedes an answer that was hardly heard; the model then answers both, whoever asked.
* Voices make the bot softer and pause it, words for it end its answer (`interruption`). Who may not
  interrupt is answered afterwards.
* The history holds what was heard.
* An answer that fails says why in its own turn; how the backends fare is told by `condition`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from voicemesh_bot.conversation import events
from voicemesh_bot.conversation.addressing import Attention
from voicemesh_bot.conversation.commands import Outcome, ShowListening, ShowPartial, ShowSilence
from voicemesh_bot.conversation.condition import Conditions
from voicemesh_bot.conversation.floor import Floor, Message
from voicemesh_bot.conversation.hearing import Hearing, Utterance
from voicemesh_bot.conversation.interruption import Interruption
from voicemesh_bot.conversation.meaning import Meaning, Understanding
from voicemesh_bot.conversation.options import ConversationOptions
from voicemesh_bot.conversation.people import People
from voicemesh_bot.domain import (
    Address,
    Backend,
    Final,
    ModelFinished,
    ModelStarted,
    ModelText,
    Partial,
    SoftFinal,
    SpeechStarted,
)
from voicemesh_bot.problems import unanswered_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.meaning import Judgement
    from voicemesh_bot.domain import HistoryTurn

__all__ = ("Conversation",)


class Conversation:
    """The state machine; `handle` events in order, carry out its commands in order."""

    def __init__(self, options: ConversationOptions | None = None) -> None:
        self._options = options or ConversationOptions()
        self._out: list[Command] = []
        self._now_s = 0.0
        self._voice_on = True
        self._yields_to = ""
        self._people = People()
        self._hearing = Hearing()
        self._attention = Attention()
        self._conditions = Conditions(self._emit)
        self._floor = Floor(self._options, self._attention, self._emit)
        self._interruption = Interruption(self._options, self._hearing, self._emit)
        self._understanding = Understanding(self._options, self._people, self._attention)
        self._handlers: dict[type, Callable[[Any], None]] = {
            events.Arrived: self._on_arrived,
            events.Departed: self._on_departed,
            events.OptionsChanged: self._on_options_changed,
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
        return self._floor.history.turns

    @property
    def deadline_s(self) -> float | None:
        """When a `Tick` is due if nothing else happens, by the clock given to `handle`."""
        due_s = (self._floor.deadline_s, self._interruption.deadline_s(self._floor.given))
        return min((each for each in due_s if each is not None), default=None)

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
        if self._interruption.check(self._floor.given, now_s):
            self._floor.end(Outcome.INTERRUPTED, now_s)
        self._floor.check_end(now_s)
        self._answer_pending()
        # An answer that has just ended is not to stay soft, nor one that has begun to be loud.
        self._interruption.check(self._floor.given, now_s)
        if self._floor.given is not None:
            self._floor.given.play_prepared(now_s)
        return self._out

    # Who is there

    def _on_arrived(self, event: events.Arrived) -> None:
        self._people.arrive(event)
        if event.is_bot:
            self._lose(event.speaker)

    def _on_departed(self, event: events.Departed) -> None:
        self._lose(event.speaker)
        self._people.depart(event.speaker)
        self._floor.forget_person(event.speaker, self._now_s)
        if not self._people.count:
            self._floor.stop(self._now_s)

    def _on_options_changed(self, event: events.OptionsChanged) -> None:
        self._options = self._interruption.options = event.options
        self._floor.use(event.options)
        self._understanding = Understanding(event.options, self._people, self._attention)

    # What people say

    def _on_typed(self, event: events.Typed) -> None:
        text = event.text.strip()
        if text and not self._people.is_bot(event.speaker):
            name = event.name or self._people.name(event.speaker)
            self._answer(Message(event.speaker, name, text), Address.WRITTEN)

    def _on_heard(self, heard: events.Heard) -> None:
        self._conditions.note_success(Backend.STT)
        speaker, event = heard.speaker, heard.event
        if self._people.is_bot(speaker):
            return
        if not self._hearing.accept(speaker, event, self._now_s):
            return
        self._people.meet(speaker)
        utterance = Utterance(speaker, event.turn_id)
        if isinstance(event, SpeechStarted):
            self._emit(ShowListening(speaker, event.turn_id))
        elif isinstance(event, Partial):
            self._on_partial(speaker, event)
        elif isinstance(event, SoftFinal):
            self._on_soft_final(utterance, event)
        elif isinstance(event, Final):
            self._on_final(utterance, event)
        else:
            self._floor.drop_guess(utterance)

    def _on_partial(self, speaker: str, event: Partial) -> None:
        shown = ShowPartial(speaker, event.turn_id, event.stable, event.unstable, event.revision)
        self._emit(shown)
        self._note_call(speaker, event.stable)

    def _on_soft_final(self, utterance: Utterance, event: SoftFinal) -> None:
        message = self._message(utterance, event.text, event.revision)
        meaning = self._judge(message).meaning
        if meaning is not Meaning.REQUEST:
            if meaning is Meaning.STOP:
                # Quiet at once, but the answer is given up only when that is all that was said.
                self._note_call(utterance.speaker, event.text)
            else:
                self._hearing.note_harmless(utterance.speaker)
            self._floor.drop_guess(utterance)
            return
        if self._floor.is_guessed(message):
            return
        if not self._may_take_floor(message):
            if self._may_interrupt(utterance.speaker):
                self._interruption.call(utterance.speaker, self._floor.given, self._now_s)
            return
        self._give_way(utterance.speaker)
        if self._hearing.may_speculate(utterance.speaker, self._options.max_speculations):
            self._floor.guess(message, self._now_s, aloud=self._aloud)

    def _on_final(self, utterance: Utterance, event: Final) -> None:
        message = self._message(utterance, event.text, event.revision, event.latency_s)
        judged = self._judge(message)
        if judged.address is not None:
            self._answer(message, judged.address)
            return
        self._floor.drop_guess(utterance)
        if judged.meaning in {Meaning.NOTHING, Meaning.ECHO}:
            self._emit(ShowSilence(utterance.speaker, utterance.turn_id))
            if judged.meaning is Meaning.ECHO:
                self._interruption.note_echo(utterance.speaker, self._floor.given)
            return
        self._floor.take_in(message, None, remember=judged.meaning is not Meaning.BACKCHANNEL)
        if judged.meaning is Meaning.STOP:
            self._floor.stop(self._now_s)
        elif judged.meaning is Meaning.ASIDE:
            self._attention.note_aside(self._began_s(utterance.speaker))

    def _on_hearing_lost(self, event: events.HearingLost) -> None:
        if event.problem is not None:
            self._conditions.note_failure(event.problem)
        self._lose(event.speaker)

    def _on_stop(self, _: events.StopPressed) -> None:
        self._floor.stop(self._now_s)

    def _on_voice_switched(self, event: events.VoiceSwitched) -> None:
        self._voice_on = event.on
        if not event.on and self._floor.reply is not None:
            self._floor.reply.lose_voice(self._now_s, silence=True)

    # What the backends and the player do

    def _on_reply_progress(self, event: events.ReplyProgress) -> None:
        reply = self._floor.current(event.reply_id)
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
        reply = self._floor.current(event.reply_id)
        if reply is None:
            return
        if not reply.confirmed:
            # The final will ask again, and report if that fails too.
            self._floor.drop_guess(reply.utterance)
            return
        self._conditions.note_failure(event.problem, told_in_turn=True)
        sentence = unanswered_sentence(event.problem)
        if reply.text.strip():
            reply.break_off(sentence, self._now_s)
        else:
            self._floor.end(Outcome.FAILED, self._now_s, sentence)

    def _on_voice_progress(self, event: events.VoiceProgress) -> None:
        if reply := self._floor.current(event.reply_id):
            self._conditions.note_success(Backend.TTS)
            # The last moment to hold it back: somebody may have begun to speak.
            self._interruption.check(self._floor.given, self._now_s)
            reply.add_audio(event.audio, self._now_s)

    def _on_voice_finished(self, event: events.VoiceFinished) -> None:
        if reply := self._floor.current(event.reply_id):
            reply.finish_audio(self._now_s)

    def _on_voice_failed(self, event: events.VoiceFailed) -> None:
        if reply := self._floor.current(event.reply_id):
            self._conditions.note_failure(event.problem)
            reply.lose_voice(self._now_s, silence=False)

    def _on_played(self, event: events.Played) -> None:
        self._floor.note_played(event.reply_id, event.seconds, self._now_s)

    def _on_backend_changed(self, event: events.BackendChanged) -> None:
        self._conditions.note_ready(event.backend, ready=event.ready)

    # What follows

    def _answer(self, message: Message, address: Address) -> None:
        """Answers a message, now or after the answer that it may not interrupt."""
        reply = self._floor.given
        if reply is not None and reply.is_heard and not self._may_interrupt(message.speaker):
            self._floor.wait(message, address)
        else:
            self._floor.ask(message, address, self._now_s, aloud=self._aloud)

    def _answer_pending(self) -> None:
        # Whoever got the floor has it until their turn is over.
        is_free = self._floor.reply is None and not self._hearing.is_open(self._yields_to)
        if is_free and self._floor.has_pending:
            self._floor.answer_pending(self._now_s, aloud=self._aloud)

    def _may_take_floor(self, message: Message) -> bool:
        """Whether an answer to a turn that may go on is worth beginning."""
        reply = self._floor.reply
        if reply is None:
            return True
        if not reply.confirmed:
            # Who spoke first is answered first; the final decides about the other.
            return reply.utterance is not None and reply.utterance.speaker == message.speaker
        # The final decides whether an answer in the making still holds.
        return reply.is_interruptible and self._may_interrupt(message.speaker)

    def _may_interrupt(self, speaker: str) -> bool:
        reply = self._floor.given
        is_answered = reply is not None and speaker in reply.speakers
        return is_answered or self._people.may_interrupt(speaker)

    def _give_way(self, speaker: str) -> None:
        if self._floor.reply is not None:
            self._yields_to = speaker
            self._floor.give_way(self._now_s)

    def _note_call(self, speaker: str, text: str) -> None:
        if self._understanding.calls(text, speaker, self._floor.scene(self._now_s)):
            self._interruption.call(speaker, self._floor.given, self._now_s)

    def _lose(self, speaker: str) -> None:
        """Closes the turn of a person who is not heard any more."""
        turn_id = self._hearing.abandon(speaker, self._now_s)
        if turn_id is not None:
            self._emit(ShowSilence(speaker, turn_id))
            self._floor.drop_guess(Utterance(speaker, turn_id))

    def _judge(self, message: Message) -> Judgement:
        scene, began_s = self._floor.scene(self._now_s), self._began_s(message.speaker)
        return self._understanding.judge(message.turn.text, message.speaker, began_s, scene)

    def _message(
        self, utterance: Utterance, text: str, revision: int, latency_s: float = 0.0
    ) -> Message:
        return Message(
            utterance.speaker,
            self._people.name(utterance.speaker),
            text.strip(),
            utterance=utterance,
            revision=revision,
            latency_s=latency_s,
        )

    def _began_s(self, speaker: str) -> float:
        """When a person's turn really began: that is noticed a little later."""
        return self._hearing.began_s(speaker) - self._options.noticed_s

    @property
    def _aloud(self) -> bool:
        return self._voice_on and not self._conditions.is_absent(Backend.TTS)

    def _emit(self, command: Command) -> None:
        self._out.append(command)
