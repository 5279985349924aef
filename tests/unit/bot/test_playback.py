"""How much of an answer was heard."""

from __future__ import annotations

import pytest

from voicemesh_bot.domain import VoiceAudio
from voicemesh_bot.playback import Playback

pytestmark = pytest.mark.unit

TEXT = "Good evening. It may rain tomorrow."


def _piece(start: int, end: int, seconds: float, *, clause_end: bool = True) -> VoiceAudio:
    return VoiceAudio(b"", 24_000, seconds, (start, end), clause_end)


@pytest.mark.parametrize(
    ("heard_s", "words"),
    [
        (0.0, ""),
        (0.2, ""),
        (0.6, "Good"),
        (1.0, "Good evening."),
        (2.0, "Good evening. It may"),
        (2.99, TEXT),
        (3.0, TEXT),
        (9.0, TEXT),
    ],
)
def test_heard_text_is_whole_clauses_and_the_share_of_the_one_that_was_cut(
    heard_s: float, words: str
) -> None:
    playback = Playback()
    playback.add(_piece(0, 13, 1.0), 0.0)
    playback.add(_piece(13, 35, 2.0), 0.1)
    playback.end(0.2)

    assert playback.heard_text(TEXT, heard_s) == words


def test_a_clause_in_pieces_counts_as_one() -> None:
    playback = Playback()
    for _ in range(4):
        playback.add(_piece(0, 13, 0.25, clause_end=False), 0.0)
    playback.add(_piece(13, 35, 2.0), 0.1)

    assert playback.heard_text(TEXT, 1.0) == "Good evening."


def test_a_clause_whose_sound_is_not_complete_is_judged_by_the_pace_of_speech() -> None:
    playback = Playback()
    playback.add(_piece(0, 35, 0.5, clause_end=False), 0.0)

    assert playback.heard_text(TEXT, 0.5) == "Good"


def test_reports_neither_fall_nor_exceed_what_was_sent() -> None:
    playback = Playback()
    playback.add(_piece(0, 13, 1.0), 0.0)
    playback.report(0.8, 0.8)
    playback.report(0.3, 0.9)
    assert playback.played_s == 0.8
    playback.report(7.0, 1.0)
    assert playback.played_s == 1.0


def test_playback_goes_on_between_reports_but_not_for_long() -> None:
    playback = Playback()
    playback.add(_piece(0, 35, 10.0), 0.0)
    assert playback.estimate_s(5.0) == 0.0
    playback.report(1.0, 5.0)

    assert playback.estimate_s(5.1) == pytest.approx(1.1)
    assert playback.estimate_s(9.0) == pytest.approx(1.25)


def test_playback_is_finished_only_when_all_was_sent_and_played() -> None:
    playback = Playback()
    playback.add(_piece(0, 13, 1.0), 0.0)
    playback.report(1.0, 1.0)
    before = (playback.is_finished, playback.is_audible)
    playback.end(1.1)

    assert before == (False, True)
    assert (playback.is_finished, playback.is_audible) == (True, False)
