"""When one question may be answered with what was taught for another. Pure.

Only what cannot change the meaning is overlooked: words of politeness, and a slip of the pen in a
long word that is not another word. "Who leads the red team?" is not "Who leads the blue team?",
"Who is Maria?" not "Who is Marta?", so a likeness by letters or by words alone will not do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz.distance import OSA

from voicemesh_trainer.memory.questions import normalised

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("means_the_same",)

_POLITE = """
please hey hi hello so um uh well ok okay bot assistant the a an and
bitte hallo also ähm der die das ein eine
salut bonjour alors euh le la les un une svp
hola pues por favor el los las una
ciao allora il lo gli per
olá então o os as um uma
hoi dus de het een alsjeblieft
"""
_FILLERS = frozenset(_POLITE.split())
"""Of English, German, French, Spanish, Italian, Portuguese, Dutch."""

_LONG_WORD = 6


def means_the_same(asked: str, taught: str, is_known_word: Callable[[str], bool]) -> bool:
    """Whether the asked question is the taught one but for fillers and slips of the pen.

    Args:
        asked: as it was asked.
        taught: as it was taught.
        is_known_word: whether a word stands in any taught question: then it is no slip.
    """
    words, known = _meant(asked), _meant(taught)
    if not words or len(words) != len(known):
        return False
    return all(
        one == other or _is_slip(one, other, is_known_word)
        for one, other in zip(words, known, strict=True)
    )


def _meant(question: str) -> list[str]:
    words = normalised(question).split()
    meant = [word for word in words if word not in _FILLERS]
    return meant or words


def _is_slip(word: str, meant: str, is_known_word: Callable[[str], bool]) -> bool:
    if min(len(word), len(meant)) < _LONG_WORD or word[0] != meant[0]:
        return False
    if not (word.isalpha() and meant.isalpha()):
        return False
    # One letter more, less, other, or two exchanged.
    return OSA.distance(word, meant, score_cutoff=1) <= 1 and not is_known_word(word)
