"""How much of an answer was heard."""

from __future__ import annotations

import pytest

from voicemesh_bot.conversation.playback import Playback
from voicemesh_bot.domain import VoiceAudio

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


def test_nothing_is_presumed_played_during_a_pause() -> None:
    playback = Playback()
    playback.add(_piece(0, 35, 10.0), 0.0)
    playback.report(1.0, 5.0)
    playback.pause(5.1)
    assert playback.estimate_s(5.2) == pytest.approx(1.1)
    playback.resume(9.0)

    assert playback.estimate_s(9.0) == pytest.approx(1.1)
    assert playback.estimate_s(9.1) == pytest.approx(1.2)
    assert playback.changed_at_s == 9.0


def test_the_first_clause_is_heard_once_all_its_sound_was_played() -> None:
    playback = Playback()
    assert not playback.first_clause_heard
    playback.add(_piece(0, 13, 0.5, clause_end=False), 0.0)
    playback.report(0.5, 0.5)
    assert not playback.first_clause_heard
    playback.add(_piece(0, 13, 0.5), 0.5)
    playback.report(0.9, 0.9)
    assert not playback.first_clause_heard
    playback.report(1.0, 1.0)

    assert playback.first_clause_heard


def test_sound_that_was_stopped_is_not_audible() -> None:
    playback = Playback()
    playback.add(_piece(0, 13, 1.0), 0.0)
    playback.stop()

    assert not playback.is_audible


def test_playback_is_finished_only_when_all_was_sent_and_played() -> None:
    playback = Playback()
    playback.add(_piece(0, 13, 1.0), 0.0)
    playback.report(1.0, 1.0)
    before = (playback.is_finished, playback.is_audible)
    playback.end(1.1)

    assert before == (False, True)
    assert (playback.is_finished, playback.is_audible) == (True, False)


@pytest.mark.parametrize(
    ("heard_s", "words"),
    [
        (0.3, ""),
        (0.45, "Good"),
        (1.0, "Good evening."),
        (1.2, "Good evening."),
        (1.8, "Good evening. It may"),
        (2.9, "Good evening. It may rain"),
        (3.0, TEXT),
    ],
)
def test_where_the_voice_says_when_words_are_over_those_are_heard(
    heard_s: float, words: str
) -> None:
    playback = Playback()
    first = ((0.45, 4), (0.95, 13))
    playback.add(VoiceAudio(b"", 48_000, 1.0, (0, 13), True, word_ends=first), 0.0)
    second = ((1.5, 16), (1.7, 20), (2.0, 25))
    playback.add(VoiceAudio(b"", 48_000, 1.0, (14, 35), False, word_ends=second), 0.1)
    playback.add(VoiceAudio(b"", 48_000, 1.0, (14, 35), True, word_ends=((2.95, 35),)), 0.1)
    playback.end(0.2)

    assert playback.heard_text(TEXT, heard_s) == words
