"""Which word a phoneme belongs to.

espeak-ng says a text as a whole ("of the" becomes one word of five sounds, "42" becomes two words)
and does not say which sound came of which word. But each word can be said alone too, and the two
are laid beside each other.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ("NO_WORD", "word_of_each")

T = TypeVar("T")

NO_WORD = -1
"""In place of a word's index: a blank or a mark."""

_BLANKS = frozenset(" .,;:!?…")
_STRESS = frozenset("ˈˌː")

_GAP = 1.0
_STRESS_GAP = 0.1
_OTHER_SOUND = 1.0
_TORN_WORD = 4.0
_BAND = 16
"""How far the two may drift apart, in phonemes, beyond the difference of their lengths."""


def word_of_each(phonemes: Sequence[str], alone: Sequence[Sequence[str]]) -> list[int]:
    """The index of the word that each phoneme of a text belongs to, never falling.

    Args:
        phonemes: the whole text's.
        alone: those of each of its words said alone, in order.

    Returns:
        For each phoneme an index into `alone`, or `NO_WORD`.
    """
    groups = _groups(phonemes)
    heard = [phonemes[start:end] for start, end in groups]
    spoken = [
        (word, sounds[start:end])
        for word, sounds in enumerate(alone)
        for start, end in _groups(sounds)
    ]
    found = [NO_WORD] * len(phonemes)
    # Most words sound as they do alone, but for the stress; what lies between them is little.
    matcher = SequenceMatcher(
        None, [_plain(each) for each in heard], [_plain(each) for _, each in spoken], autojunk=False
    )
    for _, start, end, first, last in matcher.get_opcodes():
        if end - start == last - first:
            for (begin, stop), (word, _) in zip(groups[start:end], spoken[first:last], strict=True):
                found[begin:stop] = [word] * (stop - begin)
        else:
            for place, word in _laid(groups[start:end], phonemes, spoken[first:last]):
                found[place] = word
    return _filled(found, groups)


def _plain(sounds: Sequence[str]) -> str:
    return "".join(sound for sound in sounds if sound not in _STRESS)


def _laid(
    groups: Sequence[tuple[int, int]],
    phonemes: Sequence[str],
    spoken: Sequence[tuple[int, Sequence[str]]],
) -> Iterator[tuple[int, int]]:
    """Places of phonemes, and the words whose sounds lie beside them."""
    places = _joined([range(*group) for group in groups])
    sounds = _joined([[(word, sound) for sound in sounds] for word, sounds in spoken])
    beside = _aligned(
        [" " if place is None else phonemes[place] for place in places],
        [" " if sound is None else sound[1] for sound in sounds],
    )
    for place, other in zip(places, beside, strict=True):
        sound = None if other is None else sounds[other]
        if place is not None and sound is not None:
            yield place, sound[0]


def _groups(phonemes: Sequence[str]) -> list[tuple[int, int]]:
    """Where the runs without blanks and marks begin and end."""
    groups: list[tuple[int, int]] = []
    start: int | None = None
    for place, phoneme in enumerate(phonemes):
        if phoneme in _BLANKS:
            if start is not None:
                groups.append((start, place))
            start = None
        elif start is None:
            start = place
    if start is not None:
        groups.append((start, len(phonemes)))
    return groups


def _joined(runs: Sequence[Sequence[T]]) -> list[T | None]:
    """The runs after one another with a None between."""
    joined: list[T | None] = []
    for run in runs:
        if joined:
            joined.append(None)
        joined.extend(run)
    return joined


def _aligned(left: Sequence[str], right: Sequence[str]) -> list[int | None]:
    """For each of `left` the place in `right` that it lies beside in the cheapest alignment.

    Needleman and Wunsch (1970), in a band about the diagonal.
    """
    reach = _BAND + abs(len(left) - len(right))
    nowhere = float("inf")
    costs: list[dict[int, float]] = [{0: 0.0}]
    for column in range(1, min(len(right), reach) + 1):
        costs[0][column] = costs[0][column - 1] + _gap(right[column - 1])
    for row in range(1, len(left) + 1):
        above, here = costs[-1], dict[int, float]()
        gap, before = _gap(left[row - 1]), nowhere
        for column in range(max(0, row - reach), min(len(right), row + reach) + 1):
            cost = above.get(column, nowhere) + gap
            if column:
                other = right[column - 1]
                cost = min(cost, before + _gap(other))
                diagonal = above.get(column - 1, nowhere)
                cost = min(cost, diagonal + _difference(left[row - 1], other))
            here[column] = before = cost
        costs.append(here)
    return _traced(left, right, costs)


def _traced(
    left: Sequence[str], right: Sequence[str], costs: Sequence[dict[int, float]]
) -> list[int | None]:
    beside: list[int | None] = [None] * len(left)
    row, column = len(left), len(right)
    while row and column:
        cost = costs[row][column]
        diagonal = costs[row - 1].get(column - 1, float("inf"))
        # The same sums as were compared, so that equality of floats is exact.
        if cost == diagonal + _difference(left[row - 1], right[column - 1]):
            row, column = row - 1, column - 1
            beside[row] = column
        elif cost == costs[row - 1].get(column, float("inf")) + _gap(left[row - 1]):
            row -= 1
        else:
            column -= 1
    return beside


def _gap(phoneme: str) -> float:
    return _STRESS_GAP if phoneme in _STRESS else _GAP


def _difference(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return _TORN_WORD if " " in (one, other) else _OTHER_SOUND


def _filled(found: list[int], groups: Sequence[tuple[int, int]]) -> list[int]:
    """What lies beside nothing goes to the word before it in its group, else to that behind it."""
    last = 0
    for start, end in groups:
        known = [owner for owner in found[start:end] if owner != NO_WORD]
        last = max(last, known[0]) if known else last
        for place in range(start, end):
            last = max(last, found[place])
            found[place] = last
    return found
