"""How a conversation behaves: every timing and limit of it, with its bounds.

The defaults are those that others have arrived at: LiveKit and Hugging Face's speech-to-speech take
400 to 500 ms of speech for an interruption, the latter softens the voice before, OpenClaw and
Pipecat keep listening to who was just answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("BOUNDS", "TIMINGS", "ConversationOptions")

BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "noticed_s": (0.0, 2.0),
        "duck_s": (0.0, 5.0),
        "pause_s": (0.0, 10.0),
        "resume_s": (0.0, 10.0),
        "resume_cap_s": (0.1, 30.0),
        "floor_limit_s": (1.0, 120.0),
        "follow_up_s": (0.0, 60.0),
        "answer_s": (0.0, 60.0),
        "reopen_s": (0.0, 60.0),
        "playback_grace_s": (0.1, 600.0),
        "backchannel_words": (0, 10),
        "echo_words": (0, 100),
        "max_speculations": (0, 20),
        "max_waiting": (1, 100),
        "max_reply_characters": (1, 100_000),
        "max_history_turns": (2, 500),
    }
)
"""Least and most of every number."""

TIMINGS = frozenset(name for name in BOUNDS if name.endswith("_s"))
"""Names of the numbers that are seconds; a guild may choose these for itself."""


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """How the conversation behaves; refuses what is out of `BOUNDS`.

    Raises:
        InvalidArgumentError: naming the field.
    """

    names: tuple[str, ...] = ()
    """Names that the bot answers to among several people."""

    language_code: str = ""
    """BCP-47 code of what people speak, for stop words and backchannels; empty takes those of all
    languages that are known."""

    noticed_s: float = 0.2
    """Speech that has passed when speech recognition reports it: its `min_speech`."""

    duck_s: float = 0.096
    """Speech of anybody that makes the bot softer."""

    pause_s: float = 0.4
    """Speech that pauses the bot, of a person who is being answered."""

    resume_s: float = 0.7
    """Silence after an interruption that was none, after which the bot goes on."""

    resume_cap_s: float = 2.0
    """Silence after which it goes on though nothing is known yet of what was said."""

    floor_limit_s: float = 30.0
    """Longest that an answer waits for a person who speaks; then it is given up."""

    follow_up_s: float = 8.0
    """How long after an answer the person who got it is heard as speaking to the bot."""

    answer_s: float = 8.0
    """How long after a question of the bot anybody is heard as answering it."""

    reopen_s: float = 7.0
    """How long after a question more of the same person belongs to it, while nothing of its answer
    is heard."""

    playback_grace_s: float = 10.0
    """How long a player may be silent about its progress before the answer counts as over."""

    backchannel_words: int = 3
    """Most words of what only shows that a person listens, such as "yeah, right"."""

    echo_words: int = 4
    """Least words of the bot's own that are taken for its echo; 0 looks for none."""

    max_speculations: int = 3
    """Most answers begun on guesses in one turn; 0 waits for every final."""

    max_waiting: int = 8
    """Most questions that wait while another is answered; the oldest are given up."""

    max_reply_characters: int = 4000
    """Longest answer; the model is stopped there."""

    max_history_turns: int = 100
    """Turns remembered; the oldest are forgotten."""

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            # A comparison with NaN is never true.
            if not least <= value <= most:
                unit = " seconds" if name in TIMINGS else ""
                msg = f"{name} is between {least:g} and {most:g}{unit}, not {value:g}"
                raise InvalidArgumentError(msg, field=name)
        if self.duck_s > self.pause_s:
            msg = "duck_s is at most pause_s: the bot becomes softer before it pauses"
            raise InvalidArgumentError(msg, field="duck_s")

    def with_timings(self, timings: Mapping[str, float]) -> ConversationOptions:
        """The same options with other timings, such as a guild's.

        Args:
            timings: seconds by the name of the option.

        Raises:
            InvalidArgumentError: for a name that is none, or a value out of bounds; it names both.
        """
        for name, value in timings.items():
            if name not in TIMINGS:
                msg = f"there is no timing {name!r}; there are {', '.join(sorted(TIMINGS))}"
                raise InvalidArgumentError(msg, field=name)
            if not math.isfinite(value):
                msg = f"{name} is a number of seconds"
                raise InvalidArgumentError(msg, field=name)
        return replace(self, **dict(timings))  # type: ignore[arg-type]
