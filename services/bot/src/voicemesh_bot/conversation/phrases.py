"""What short things mean: that a person listens, wants quiet, or is about to say a name.

The lists are data, in `phrases.toml`. Only whole utterances count: "stop" is a wish, "stop at
the shop" is not.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from voicemesh_bot.conversation.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ("LANGUAGES", "Phrases", "phrases_for")

_DATA: Mapping[str, Mapping[str, Any]] = tomllib.loads(
    files("voicemesh_bot.conversation").joinpath("phrases.toml").read_text(encoding="utf-8")
)

LANGUAGES = frozenset(_DATA)
"""ISO 639-1 codes of the languages that are known."""

_LONGEST_STOP = 6
"""Words of the longest wish to be quiet: "stop, stop, stop, please stop"."""


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language, or of several; all as `words_of` gives them."""

    backchannels: frozenset[tuple[str, ...]]
    """They show that a person listens."""

    stops: frozenset[tuple[str, ...]]
    """They ask for quiet."""

    calls: frozenset[str]
    """Words that may stand before a name."""

    courtesies: frozenset[str]
    """Words that may stand after a name."""

    articles: frozenset[str]
    """Words before a name at the end that make it one that is only spoken about."""

    def is_backchannel(self, words: tuple[str, ...], *, most: int) -> bool:
        """Whether at most `most` words are nothing but signs of listening."""
        return 0 < len(words) <= most and _is_made_of(words, self.backchannels)

    def is_stop(self, words: tuple[str, ...]) -> bool:
        """Whether the words ask for quiet and for nothing else; they may be said repeatedly."""
        while words and words not in self.stops and words[-1] in self.courtesies:
            words = words[:-1]
        return 0 < len(words) <= _LONGEST_STOP and _is_made_of(words, self.stops)


def _is_made_of(words: tuple[str, ...], phrases: frozenset[tuple[str, ...]]) -> bool:
    """Whether the words can be cut into phrases without a rest."""
    ends = {0}
    for end in range(1, len(words) + 1):
        if any(start in ends and words[start:end] in phrases for start in range(end)):
            ends.add(end)
    return len(words) in ends


@functools.lru_cache(maxsize=64)
def phrases_for(language_code: str) -> Phrases:
    """The phrases of a language, or those of all if it is empty or not known.

    Args:
        language_code: BCP-47, of which the language alone counts.
    """
    language = language_code.split("-")[0].lower()
    chosen = [_DATA[language]] if language in _DATA else list(_DATA.values())

    def phrases(kind: str) -> frozenset[tuple[str, ...]]:
        return frozenset(words_of(phrase) for table in chosen for phrase in table[kind])

    def words(kind: str) -> frozenset[str]:
        return frozenset(_singles(phrases(kind)))

    return Phrases(
        phrases("backchannels"),
        phrases("stop"),
        words("calls"),
        words("courtesies"),
        words("articles"),
    )


def _singles(phrases: Iterable[tuple[str, ...]]) -> Iterable[str]:
    return (word for phrase in phrases for word in phrase)
