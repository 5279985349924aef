"""Numbers the clauses and places the audio of one call; pure."""

from __future__ import annotations

from voicemesh_tts.domain import Clause, EncodedAudio, Span, SpeechAudio

__all__ = ("Timeline",)


class Timeline:
    """Counts what has been given to the caller.

    Attributes:
        position: samples (per channel) given so far.
    """

    def __init__(self) -> None:
        self.position = 0
        self._clause: Clause | None = None
        self._index = -1
        self._unsent = 0  # samples that an encoder has taken and not given yet

    def place(self, clause: Clause, audio: EncodedAudio, *, end: bool) -> SpeechAudio | None:
        """The event for audio of a clause; None if there is nothing to tell yet."""
        if clause is not self._clause:
            self._clause = clause
            self._index += 1
        self._unsent += audio.sample_count
        if not (audio.data or audio.packets or end):
            return None
        return self._event(clause.span, audio, end=end)

    def tail(self, audio: EncodedAudio) -> SpeechAudio | None:
        """The event for what an encoder gave at its end; it counts to the last clause."""
        if not (audio.data or audio.packets):
            return None
        span = self._clause.span if self._clause else Span(0, 0)
        return self._event(span, audio, end=True)

    def _event(self, span: Span, audio: EncodedAudio, *, end: bool) -> SpeechAudio:
        whole = EncodedAudio(audio.data, audio.packets, self._unsent)
        event = SpeechAudio(whole, span, max(0, self._index), end, self.position)
        self.position += self._unsent
        self._unsent = 0
        return event
