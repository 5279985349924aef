"""Which frames a decoder gets: enough for each piece, in few lengths, the first piece short."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_tts.engines.piper.windows import Reach, ladder, windows

pytestmark = pytest.mark.unit

REACH = Reach(10, 9)
FIRST, LONGEST = 13, 172
SIZES = ladder(REACH, FIRST, LONGEST)

counts = st.integers(0, 3000)
firsts = st.integers(1, 100)
longests = st.integers(20, 400)
reaches = st.builds(Reach, st.integers(0, 30), st.integers(0, 30))


@given(counts, firsts, longests, reaches, st.booleans())
def test_pieces_follow_one_another_and_have_what_they_need_around_them(
    count: int, first: int, longest: int, reach: Reach, in_sizes: bool
) -> None:
    sizes = ladder(reach, first, longest) if in_sizes else ()
    found = list(windows(count, first, longest, reach, sizes))

    assert [each.start for each in found] == [0, *(each.end for each in found)][: len(found)]
    assert (found[-1].end if found else 0) == count
    for each in found:
        assert 0 <= each.begin <= each.start < each.end <= each.stop <= count
        assert each.begin <= max(0, each.start - reach.before)
        assert each.stop >= min(count, each.end + reach.after)


@given(counts)
def test_only_the_lengths_asked_for_are_used_but_for_very_short_sounds(count: int) -> None:
    found = list(windows(count, FIRST, LONGEST, REACH, SIZES))

    lengths = {each.stop - each.begin for each in found}
    assert lengths <= ({count} if count < SIZES[0] else set(SIZES))


@given(counts, firsts, longests)
def test_without_sizes_pieces_grow_and_none_is_too_long(
    count: int, first: int, longest: int
) -> None:
    found = [each.end - each.start for each in windows(count, first, longest, REACH)]

    # What the decoder gets for the sake of a piece is not left for another if it is all there is.
    assert all(0 < size <= max(1.25 * longest, longest + REACH.after) for size in found)
    assert all(one <= other for one, other in itertools.pairwise(found[:-1]))


@given(st.integers(1, 5), st.integers(150, 3000))
def test_the_first_piece_is_short_however_long_the_sound_is(tenths: int, count: int) -> None:
    first = 9 * tenths
    piece = next(windows(count, first, LONGEST, REACH, SIZES))

    assert first <= piece.end <= 1.4 * (first + REACH.after) + 8


@given(firsts, longests, reaches)
def test_steps_are_small_and_each_leaves_room_for_a_piece(
    first: int, longest: int, reach: Reach
) -> None:
    sizes = ladder(reach, first, longest)

    assert sizes[0] > reach.before + reach.after
    assert sizes[-1] >= 1.25 * longest + reach.before + reach.after
    assert all(size % 8 == 0 for size in sizes)
    assert all(one < other <= one * 4 / 3 + 8 for one, other in itertools.pairwise(sizes))


def test_a_usual_voice_has_few_sizes() -> None:
    assert SIZES == (24, 32, 48, 64, 88, 120, 160, 192, 216, 240)
