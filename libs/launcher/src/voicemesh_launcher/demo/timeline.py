"""What happened when in one turn; all times in seconds after the person's voice ended."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ("Moments", "Timeline")


@dataclass
class Moments:
    """Readings of one clock, taken as things happen; None until they do."""

    listening: float = 0.0
    """The first audio was sent."""

    soft_final: float | None = None
    """The words were known, and the turn might be over."""

    final: float | None = None
    """The turn was over."""

    asked: float | None = None
    """The answer was asked for."""

    first_token: float | None = None
    """The answer began."""

    last_token: float | None = None
    """The answer was complete."""

    first_audio: float | None = None
    """The voice began."""

    last_audio: float | None = None
    """The voice was complete."""


@dataclass(frozen=True)
class Timeline:
    """The same, counted from the end of the person's voice."""

    speech_s: float
    """How long the person spoke."""

    soft_final_s: float
    """Until the words were known at a short silence."""

    final_s: float
    """Until the turn was known to be over."""

    asked_s: float
    """Until the answer was asked for: at the soft final if that held."""

    first_token_s: float
    """Until the answer began."""

    last_token_s: float
    """Until the answer was complete."""

    first_audio_s: float
    """Until the first sound was there."""

    last_audio_s: float
    """Until the last sound was there."""

    reply_s: float
    """How long the answer takes to play."""

    @property
    def voice_to_voice_s(self) -> float:
        """Until the person can hear the answer: nothing is played before the turn is over."""
        return max(self.first_audio_s, self.final_s)

    @classmethod
    def of(cls, moments: Moments, speech: tuple[float, float], reply_s: float) -> Timeline:
        """The timeline of a turn that came to its end.

        Args:
            moments: readings of the clock.
            speech: when the voice began and ended, in seconds after `moments.listening`.
            reply_s: length of the answer's audio.

        Raises:
            ValueError: if something never happened.
        """
        end = moments.listening + speech[1]

        def after(moment: float | None) -> float:
            if moment is None:
                msg = "the turn did not come to its end"
                raise ValueError(msg)
            return moment - end

        final = after(moments.final)
        return cls(
            speech_s=speech[1] - speech[0],
            soft_final_s=final if moments.soft_final is None else after(moments.soft_final),
            final_s=final,
            asked_s=after(moments.asked),
            first_token_s=after(moments.first_token),
            last_token_s=after(moments.last_token),
            first_audio_s=after(moments.first_audio),
            last_audio_s=after(moments.last_audio),
            reply_s=reply_s,
        )
