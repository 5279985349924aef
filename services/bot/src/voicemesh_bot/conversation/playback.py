"""How much of an answer was heard.

The voice says which characters each piece of sound speaks and the player how many seconds it has
played. Together they give the words that a person heard: whole clauses, and of the clause that was
cut the words that were over. Where the voice does not say when they are, it is the share of the
clause that was played, back to the last whole word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.domain import VoiceAudio

__all__ = ("LEAST_HEARD_S", "Playback")

LEAST_HEARD_S = 0.25
"""Less sound than this is not remembered: nobody understands a quarter of a second."""

_CHARACTERS_PER_S = 15.0
"""Usual pace of speech; stands in for the length of a clause whose sound is not complete."""

_REPORT_INTERVAL_S = 0.25
"""Players report at least this often, so playback is presumed to have gone on no further."""

_END_TOLERANCE_S = 0.03


@dataclass(slots=True)
class _Stretch:
    """Characters that are spoken by a stretch of sound."""

    start: int
    end: int
    duration_s: float = 0.0
    whole: bool = False


class Playback:
    """The sound of one answer: what was sent to the player and what it has played."""

    def __init__(self) -> None:
        self._stretches: list[_Stretch] = []
        self._word_ends: list[tuple[float, int]] = []
        self._reported_at_s: float | None = None
        self._paused_at_s: float | None = None
        self._stopped = False
        self.sent_s = 0.0
        self.played_s = 0.0
        self.changed_at_s = 0.0
        self.all_sent = False

    @property
    def is_finished(self) -> bool:
        """Whether all sound has been sent and played."""
        return self.all_sent and self.played_s >= self.sent_s - _END_TOLERANCE_S

    @property
    def is_audible(self) -> bool:
        """Whether there is sound that the player has not finished."""
        return self.sent_s > 0 and not self._stopped and not self.is_finished

    @property
    def is_paused(self) -> bool:
        """Whether the player was told to wait."""
        return self._paused_at_s is not None

    @property
    def left_s(self) -> float:
        """Sound that was sent and is not reported as played."""
        return max(0.0, self.sent_s - self.played_s)

    @property
    def first_clause_heard(self) -> bool:
        """Whether the first clause was played to its end."""
        first = self._stretches[0] if self._stretches else None
        return first is not None and first.whole and self.played_s >= first.duration_s

    def add(self, audio: VoiceAudio, now_s: float) -> None:
        """Notes that sound was handed to the player."""
        start, end = audio.span
        last = self._stretches[-1] if self._stretches else None
        if last is None or (last.start, last.end) != (start, end):
            if last is not None:
                last.whole = True
            last = _Stretch(start, end)
            self._stretches.append(last)
        self._word_ends += audio.word_ends
        last.duration_s += audio.duration_s
        last.whole = audio.clause_end
        self.sent_s += audio.duration_s
        self.changed_at_s = now_s

    def end(self, now_s: float) -> None:
        """Notes that no more sound will be sent."""
        self.all_sent = True
        self.changed_at_s = now_s
        if self._stretches:
            self._stretches[-1].whole = True

    def pause(self, now_s: float) -> None:
        """Notes that the player was told to wait."""
        self._paused_at_s = now_s

    def resume(self, now_s: float) -> None:
        """Notes that the player was told to go on."""
        if self._paused_at_s is None:
            return
        if self._reported_at_s is not None:
            # The time since the last report is taken up where it was left.
            self._reported_at_s += now_s - max(self._paused_at_s, self._reported_at_s)
        self._paused_at_s, self.changed_at_s = None, now_s

    def stop(self) -> None:
        """Notes that the player was told to forget what it has not played."""
        self._stopped, self._paused_at_s = True, None

    def report(self, played_s: float, now_s: float) -> None:
        """Takes the player's report; it can neither fall nor exceed what was sent."""
        played_s = min(max(played_s, self.played_s), self.sent_s)
        if played_s > self.played_s:
            self.changed_at_s = now_s
        self.played_s, self._reported_at_s = played_s, now_s

    def estimate_s(self, now_s: float) -> float:
        """Sound played by now: the last report and what must have been played since."""
        if self._reported_at_s is None or not self.played_s:
            return self.played_s
        until_s = now_s if self._paused_at_s is None else min(now_s, self._paused_at_s)
        since_s = min(until_s - self._reported_at_s, _REPORT_INTERVAL_S)
        return min(self.played_s + max(0.0, since_s), self.sent_s)

    def heard_text(self, text: str, heard_s: float) -> str:
        """The beginning of `text` that `heard_s` seconds of the sound speak."""
        if self.all_sent and heard_s >= self.sent_s - _END_TOLERANCE_S:
            return text.strip()
        if heard_s < LEAST_HEARD_S:
            return ""
        return text[: self._characters(text, heard_s)].strip()

    def _characters(self, text: str, heard_s: float) -> int:
        reached = 0
        over = [end for end_s, end in self._word_ends if end_s <= heard_s + _END_TOLERANCE_S]
        for stretch in self._stretches:
            if heard_s >= stretch.duration_s and stretch.whole:
                heard_s -= stretch.duration_s
                reached = stretch.end
                continue
            if any(stretch.start < end <= stretch.end for _, end in self._word_ends):
                return max([reached, *(end for end in over if end <= stretch.end)])
            length_s = stretch.duration_s
            if not stretch.whole:
                length_s = max(length_s, (stretch.end - stretch.start) / _CHARACTERS_PER_S)
            share = min(1.0, heard_s / length_s) if length_s else 0.0
            cut = stretch.start + int(share * (stretch.end - stretch.start))
            return max(reached, _word_end(text, cut))
        return reached


def _word_end(text: str, cut: int) -> int:
    """The end of the last whole word before `cut`."""
    if cut >= len(text) or text[cut].isspace():
        return cut
    while cut > 0 and not text[cut - 1].isspace():
        cut -= 1
    return cut
