"""Numbers and places of audio."""

from __future__ import annotations

import pytest

from voicemesh_tts.domain import Clause, EncodedAudio, Span
from voicemesh_tts.timeline import Timeline

pytestmark = pytest.mark.unit

ONE, TWO = Clause("One.", Span(0, 4)), Clause("Two.", Span(5, 9))


def test_clauses_are_counted_and_placed() -> None:
    timeline = Timeline()

    first = timeline.place(ONE, EncodedAudio(b"ab", sample_count=1), end=False)
    second = timeline.place(ONE, EncodedAudio(b"cd", sample_count=1), end=True)
    third = timeline.place(TWO, EncodedAudio(b"ef", sample_count=1), end=True)

    assert [
        (e.clause_index, e.start_sample, e.clause_end) for e in (first, second, third) if e
    ] == [
        (0, 0, False),
        (0, 1, True),
        (1, 2, True),
    ]


def test_what_an_encoder_holds_counts_when_it_comes() -> None:
    timeline = Timeline()

    assert timeline.place(ONE, EncodedAudio(sample_count=960), end=False) is None
    ended = timeline.place(ONE, EncodedAudio(sample_count=40), end=True)
    tail = timeline.tail(EncodedAudio(b"page"))

    assert ended is not None
    assert ended.audio.sample_count == 1_000
    assert tail is not None
    assert (tail.span, tail.start_sample, tail.audio.sample_count) == (ONE.span, 1_000, 0)
    assert timeline.tail(EncodedAudio()) is None
