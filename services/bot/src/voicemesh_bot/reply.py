"""One answer: from the request to the language model to the last sound that was heard.

A reply may be begun on a guess of what a person said. Until it is confirmed it only collects text:
nothing is shown, spoken or remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.commands import (
    BeginReply,
    CancelReply,
    CancelVoice,
    EndAudio,
    EndSpeech,
    Outcome,
    PlayAudio,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
    ShowTiming,
    SpeakText,
    StopAudio,
    StopModel,
)
from voicemesh_bot.playback import Playback
from voicemesh_bot.timeline import Mark, Timeline, has_clause

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.commands import Command
    from voicemesh_bot.domain import HistoryTurn, VoiceAudio
    from voicemesh_bot.hearing import Utterance

__all__ = ("Reply",)


class Reply:
    """The state of one answer; hands its commands to `emit`."""

    def __init__(
        self,
        reply_id: int,
        question: str,
        emit: Callable[[Command], None],
        *,
        utterance: Utterance | None = None,
    ) -> None:
        self.reply_id = reply_id
        self.question = question
        self.utterance = utterance
        self.response_id = ""
        self.text = ""
        self.confirmed = False
        self.aloud = False
        self.playback = Playback()
        self.breaks_off = ""
        self.timeline = Timeline(speculative=utterance is not None)
        self._emit = emit
        self._text_done = False

    @property
    def is_audible(self) -> bool:
        """Whether there is sound of it that has not been played."""
        return self.confirmed and self.playback.is_audible

    @property
    def is_over(self) -> bool:
        """Whether it was told to its end."""
        # A text without a letter in it has no sound to wait for.
        told = not self.aloud or self.playback.is_finished or not self.text.strip()
        return self.confirmed and self._text_done and told

    @property
    def waits_for_player(self) -> bool:
        """Whether only the player's reports are missing."""
        return self.confirmed and self.aloud and self._text_done and self.playback.all_sent

    def begin(self, history: tuple[HistoryTurn, ...], now_s: float) -> None:
        """Asks the language model."""
        self.timeline.mark(Mark.REPLY_REQUESTED, now_s)
        self._emit(BeginReply(self.reply_id, history))

    def confirm(self, message_id: int, *, aloud: bool) -> None:
        """Lets it be seen and heard: what it answers is certain."""
        self.confirmed, self.aloud = True, aloud
        self._emit(ShowReplyStart(self.reply_id, message_id))
        if self.text:
            self._tell(self.text)
        if self._text_done:
            self._end_speech()

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

    def break_off(self, sentence: str, now_s: float) -> None:
        """Ends the text where it is, because the model failed; `sentence` says why."""
        self.breaks_off = sentence
        self.finish_text(now_s)

    def add_audio(self, audio: VoiceAudio, now_s: float) -> None:
        """Hands the voice's next sound to the player."""
        if self.confirmed and self.aloud:
            self.timeline.mark(Mark.FIRST_AUDIO, now_s)
            self.playback.add(audio, now_s)
            self._emit(PlayAudio(self.reply_id, audio))

    def finish_audio(self, now_s: float) -> None:
        """Notes that the voice has spoken all."""
        if self.aloud and not self.playback.all_sent:
            self.playback.end(now_s)
            self._emit(EndAudio(self.reply_id, self.playback.sent_s))

    def lose_voice(self, now_s: float, *, silence: bool) -> None:
        """Goes on as text alone; with `silence` also cuts the sound that is left."""
        if not self.aloud:
            return
        self._emit(CancelVoice(self.reply_id))
        if silence and self.playback.is_audible:
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
        if outcome is not Outcome.COMPLETE and self.is_audible:
            self._emit(StopAudio(self.reply_id))
        if self.confirmed:
            self._emit(ShowTiming(self.reply_id, self.timeline.timing()))
            why = sentence or self.breaks_off
            self._emit(ShowReplyEnd(self.reply_id, outcome, heard, self.response_id, why))
        return heard

    def _tell(self, text: str) -> None:
        self._emit(ShowReplyText(self.reply_id, text))
        if self.aloud:
            self._emit(SpeakText(self.reply_id, text))

    def _end_speech(self) -> None:
        if self.aloud:
            self._emit(EndSpeech(self.reply_id))
