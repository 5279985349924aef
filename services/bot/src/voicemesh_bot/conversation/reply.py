"""One answer: from the request to the language model to the last sound that was heard.

A reply may be begun on a guess of what a person said. Until it is confirmed it only collects text:
nothing is shown, spoken or remembered. Once confirmed its sound may be held back before it begins,
and paused after that, while a person speaks who may want something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    CancelVoice,
    EndAudio,
    EndSpeech,
    Outcome,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
    ShowTiming,
    SpeakText,
    StopAudio,
    StopModel,
)
from voicemesh_bot.conversation.playback import Playback
from voicemesh_bot.conversation.timeline import Mark, Timeline, clause_end, has_clause

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.hearing import Utterance
    from voicemesh_bot.conversation.history import Question
    from voicemesh_bot.domain import HistoryTurn, VoiceAudio

__all__ = ("Reply",)

_MOST_PREPARED = 200
"""Characters that are spoken on a guess where no clause ends."""


class Reply:
    """The state of one answer; hands its commands to `emit`."""

    def __init__(
        self,
        reply_id: int,
        questions: tuple[Question, ...],
        emit: Callable[[Command], None],
        *,
        utterance: Utterance | None = None,
    ) -> None:
        self.reply_id = reply_id
        self.questions = questions
        self.utterance = utterance
        self.asked_at_s = 0.0
        self.response_id = ""
        self.text = ""
        self.confirmed = False
        self.aloud = False
        self.playback = Playback()
        self.breaks_off = ""
        self.timeline = Timeline(speculative=utterance is not None)
        self._emit = emit
        self._text_done = False
        self._held_since_s: float | None = None
        self._held: list[VoiceAudio] = []
        self._held_is_all = False
        self._may_prepare = False
        self._told_to_voice = 0  # characters of the text
        self._speech_ended = False
        self._prepared: list[VoiceAudio] = []
        self._prepared_is_all = False
        self._voice_is_lost = False

    @property
    def speakers(self) -> frozenset[str]:
        """Who is answered."""
        return frozenset(question.speaker for question in self.questions)

    @property
    def is_heard(self) -> bool:
        """Whether its first sound was played, or its first text shown if it has no voice."""
        if self.aloud:
            return self.confirmed and self.playback.played_s > 0
        return self.confirmed and bool(self.text.strip())

    @property
    def is_interruptible(self) -> bool:
        """Whether there is sound of it in the air: some was played and some is left."""
        return self.is_audible and self.playback.played_s > 0

    @property
    def held_since_s(self) -> float | None:
        """Since when its sound is held back before it began; None if it is not."""
        return self._held_since_s

    @property
    def is_audible(self) -> bool:
        """Whether there is sound of it that has not been played."""
        return self.confirmed and self.playback.is_audible

    @property
    def is_over(self) -> bool:
        """Whether it was told to its end."""
        # A text without a letter in it has no sound to wait for.
        told = self.playback.is_finished or not self.aloud or not self.text.strip()
        return self.confirmed and self._text_done and told and not self.is_audible

    @property
    def waits_for_player(self) -> bool:
        """Whether only the player's reports are missing."""
        return self.is_audible and self._text_done and self.playback.all_sent

    def begin(
        self,
        history: tuple[HistoryTurn, ...],
        now_s: float,
        *,
        turn_id: int,
        revision: int,
        aloud: bool,
    ) -> None:
        """Asks the language model about the last question, which is in that turn.

        A guess that would be spoken has its first clause made already, so that it can be heard as
        soon as it is certain.
        """
        self.timeline.mark(Mark.REPLY_REQUESTED, now_s)
        speaker, guessed = self.questions[-1].speaker, self.utterance is not None
        self._may_prepare = guessed and aloud
        self._emit(BeginReply(self.reply_id, history, speaker, turn_id, revision, guessed))

    def confirm(self, questions: tuple[Question, ...], now_s: float, *, aloud: bool) -> None:
        """Lets it be seen and heard: what it answers is certain."""
        self.confirmed, self.aloud = True, aloud and not self._voice_is_lost
        self.questions, self.asked_at_s = questions, now_s
        message_ids = tuple(question.message_id for question in questions)
        self._emit(ShowReplyStart(self.reply_id, message_ids[-1], message_ids))
        if self.text:
            self._tell(self.text)
        if self._text_done:
            self._end_speech()
        if self._told_to_voice and not self.aloud:
            self._emit(CancelVoice(self.reply_id))

    def play_prepared(self, now_s: float) -> None:
        """Hands the player what was made before the answer was certain."""
        if not (self._prepared and self.confirmed):
            return
        prepared, self._prepared = self._prepared, []
        for audio in prepared:
            self.add_audio(audio, now_s)
        if self._prepared_is_all:
            self.finish_audio(now_s)

    def add_text(self, text: str, now_s: float, *, most: int) -> None:
        """Takes the model's next text in, at most `most` characters in all."""
        if self._text_done or not text:
            return
        text = text[: most - len(self.text)]
        self.timeline.mark(Mark.FIRST_TOKEN, now_s)
        self.text += text
        if has_clause(self.text):
            self.timeline.mark(Mark.FIRST_CLAUSE, now_s)
        if self.confirmed and text:
            self._tell(text)
        self._prepare()
        if len(self.text) >= most:
            self._emit(StopModel(self.reply_id))
            self.finish_text(now_s)

    def finish_text(self, now_s: float) -> None:
        """Notes that the model has written all."""
        if self._text_done:
            return
        self._text_done = True
        if self.text.strip():
            self.timeline.mark(Mark.FIRST_CLAUSE, now_s)
        if self.confirmed:
            self._end_speech()
        self._prepare()

    def break_off(self, sentence: str, now_s: float) -> None:
        """Ends the text where it is, because the model failed; `sentence` says why."""
        self.breaks_off = sentence
        self.finish_text(now_s)

    def add_audio(self, audio: VoiceAudio, now_s: float) -> None:
        """Hands the voice's next sound to the player, unless it is held back."""
        if not self.confirmed:
            self._prepared.append(audio)
            return
        if not self.aloud:
            return
        self.timeline.mark(Mark.FIRST_AUDIO, now_s)
        if self._held_since_s is not None:
            self._held.append(audio)
            return
        self.playback.add(audio, now_s)
        self._emit(PlayAudio(self.reply_id, audio))

    def finish_audio(self, now_s: float) -> None:
        """Notes that the voice has spoken all."""
        if not self.confirmed or self._prepared:
            self._prepared_is_all = True
        elif self._held_since_s is not None:
            self._held_is_all = True
        elif self.aloud and not self.playback.all_sent:
            self.playback.end(now_s)
            self._emit(EndAudio(self.reply_id, self.playback.sent_s))

    def hold(self, now_s: float) -> None:
        """Holds its sound back, if none has been handed to the player."""
        nothing_sent = not self.playback.sent_s and not self.playback.all_sent
        if self.confirmed and self.aloud and nothing_sent and self._held_since_s is None:
            self._held_since_s = now_s

    def release(self, now_s: float) -> None:
        """Hands the sound that was held back to the player."""
        if self._held_since_s is None:
            return
        self._held_since_s = None
        held, self._held = self._held, []
        for audio in held:
            self.add_audio(audio, now_s)
        if self._held_is_all:
            self.finish_audio(now_s)

    def pause(self, now_s: float) -> None:
        """Makes the player wait where it is."""
        self.playback.pause(now_s)
        self._emit(PauseAudio(self.reply_id))

    def resume(self, now_s: float) -> None:
        """Makes the player go on."""
        self.playback.resume(now_s)
        self._emit(ResumeAudio(self.reply_id))

    def lose_voice(self, now_s: float, *, silence: bool) -> None:
        """Goes on as text alone; with `silence` also cuts the sound that is left."""
        if not self.confirmed:
            self._voice_is_lost, self._may_prepare, self._prepared = True, False, []
        if not self.aloud:
            return
        self._emit(CancelVoice(self.reply_id))
        self._held, self._held_since_s = [], None
        # A player that waits would wait for ever: nobody resumes an answer without a voice.
        if self.is_audible and (silence or self.playback.is_paused):
            self.playback.stop()
            self._emit(StopAudio(self.reply_id))
        elif self.playback.sent_s:
            self.finish_audio(now_s)
        self.aloud = False

    def report_played(self, seconds: float, now_s: float) -> None:
        """Takes the player's report in."""
        self.playback.report(seconds, now_s)
        if self.playback.played_s and not self.timeline.has(Mark.FIRST_SOUND_PLAYED):
            self.timeline.mark(Mark.FIRST_SOUND_PLAYED, now_s)
            self._emit(ShowTiming(self.reply_id, self.timeline.timing()))

    def heard_text(self, now_s: float) -> str:
        """What a person has heard of it by now, or read if it has no voice."""
        if not self.confirmed:
            return ""
        if not self.aloud:
            return self.text.strip()
        return self.playback.heard_text(self.text, self.playback.estimate_s(now_s))

    def end(self, outcome: Outcome, now_s: float, sentence: str = "") -> str:
        """Ends it, whatever is still going on.

        Returns:
            The text to be remembered.
        """
        heard = self.heard_text(now_s)
        self._emit(CancelReply(self.reply_id))
        if self.playback.is_paused or (outcome is not Outcome.COMPLETE and self.is_audible):
            self._emit(StopAudio(self.reply_id))
        if self.confirmed:
            self._emit(ShowTiming(self.reply_id, self.timeline.timing()))
            why = sentence or self.breaks_off
            self._emit(ShowReplyEnd(self.reply_id, outcome, heard, self.response_id, why))
        return heard

    def _tell(self, text: str) -> None:
        self._emit(ShowReplyText(self.reply_id, text))
        if self.aloud:
            self._speak(len(self.text))

    def _speak(self, end: int) -> None:
        """Hands the voice all text up to a character, as far as it has not got it."""
        if end > self._told_to_voice:
            self._emit(SpeakText(self.reply_id, self.text[self._told_to_voice : end]))
            self._told_to_voice = end

    def _end_speech(self) -> None:
        if self.aloud and not self._speech_ended:
            self._emit(EndSpeech(self.reply_id))

    def _first_clause_end(self) -> int:
        """How much of the text the voice needs to make the first clause; 0 if that is not there."""
        end = clause_end(self.text)
        if end is not None:
            # One more, where there is one, tells the voice that the clause is over.
            return min(end + 1, len(self.text))
        is_enough = has_clause(self.text) or (self._text_done and bool(self.text.strip()))
        return min(len(self.text), _MOST_PREPARED) if is_enough else 0

    def _prepare(self) -> None:
        """Has the first clause spoken before it is certain that it will be heard, and no more."""
        if self.confirmed or not self._may_prepare or self._speech_ended:
            return
        self._speak(self._first_clause_end())
        if self._text_done and self._told_to_voice == len(self.text):
            self._speech_ended = True
            self._emit(EndSpeech(self.reply_id))
