"""Numbers the clauses and places the audio and the words of one call; pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_tts.domain import Clause, EncodedAudio, Span, SpeechAudio, TimedWord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.domain import SpeechRequest, SpokenWord, WordTime

__all__ = ("Timeline", "WordTrack", "moved", "written_in")

_TAG = re.compile("<[^>]*>")


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
        self._words: tuple[TimedWord, ...] = ()

    @property
    def end(self) -> int:
        """Samples so far, also those that have not been given yet."""
        return self.position + self._unsent

    def begins_s(self, request: SpeechRequest) -> float:
        """Where the sound of a clause that comes now will begin, in seconds."""
        if not self.end:
            return request.leading_silence_s
        return self.end / request.format.sample_rate_hertz

    def place(
        self, clause: Clause, audio: EncodedAudio, *, end: bool, words: Sequence[TimedWord] = ()
    ) -> SpeechAudio | None:
        """The event for audio of a clause; None if there is nothing to tell yet."""
        if clause is not self._clause:
            self._clause = clause
            self._index += 1
        self._unsent += audio.sample_count
        self._words += tuple(words)
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
        index = max(0, self._index)
        event = SpeechAudio(whole, span, index, end, self.position, self._words)
        self.position += self._unsent
        self._unsent = 0
        self._words = ()
        return event


class WordTrack:
    """The words of one clause as the caller wrote them, when they are known to be over.

    What was written as one word may be read as several ("42" as forty and two); their time is from
    the first to the last of them.
    """

    def __init__(self, clause: Clause, words: Sequence[SpokenWord], source: str | None) -> None:
        """Follows the words of a clause.

        Args:
            clause: what is spoken.
            words: what the engine says.
            source: the text that spans count in; None if that is the clause's own.
        """
        self._clause = clause
        self._source = source
        self._spans = [word.span for word in words]
        self._open: tuple[int, float, float] | None = None  # index of the last part; start, end

    def timed(self, times: Sequence[WordTime], offset_s: float) -> list[TimedWord]:
        """The words that are over, now that so many more of the engine's have been timed.

        Args:
            times: of the engine's words, in order, from the start of its sound.
            offset_s: where its sound begins, in seconds from the first sample of the call.
        """
        found: list[TimedWord] = []
        for time in times:
            if not 0 <= time.index < len(self._spans):
                continue
            start_s, end_s = time.start_s + offset_s, time.end_s + offset_s
            if self._open and self._are_one(self._open[0], time.index):
                start_s = self._open[1]
            elif self._open:
                found.append(self._closed(self._open))
            self._open = (time.index, start_s, end_s)
            if self._is_last_part(time.index):
                found.append(self._closed(self._open))
                self._open = None
        return found

    def _is_last_part(self, index: int) -> bool:
        following = index + 1
        return following == len(self._spans) or not self._are_one(index, following)

    def _are_one(self, part: int, other: int) -> bool:
        # The last part may go further: to the mark that ends the word.
        return self._spans[part].start == self._spans[other].start

    def _closed(self, word: tuple[int, float, float]) -> TimedWord:
        index, start_s, end_s = word
        span = self._spans[index]
        return TimedWord(written_in(self._clause, span, self._source), span, start_s, end_s)


def written_in(clause: Clause, span: Span, source: str | None) -> str:
    """The characters of a word's span, without markup and blanks around them.

    Args:
        clause: the clause that it is part of; one of a document has its words already.
        span: a part of the clause's.
        source: the text that spans count in; None if that is the clause's own.
    """
    if source is None:
        written = clause.text[span.start - clause.span.start : span.end - clause.span.start]
    else:
        written = source[span.start : span.end]
    return (written if clause.words is None else _TAG.sub("", written)).strip()


def moved(word: TimedWord, offset_s: float) -> TimedWord:
    """The word so many seconds later, with which its clause begins."""
    return replace(word, start_s=word.start_s + offset_s, end_s=word.end_s + offset_s)
