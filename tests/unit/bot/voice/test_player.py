"""What a guild hears, tick by tick, and what is told about it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from voicemesh_bot.voice.errors import QueueFullError
from voicemesh_bot.voice.frames import (
    SILENCE,
    Entry,
    Frame,
    PassageId,
    PassageKind,
    PassageState,
    Progress,
)
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = pytest.mark.unit

QUICK = PlayerOptions(preroll_s=0.04, expectation_s=0.2, hold_s=0.3, report_s=0.1)
"""Two frames of silence first, ten of expectation, fifteen of patience, a report every five."""


def answer(number: int = 1) -> PassageId:
    return PassageId(PassageKind.ANSWER, number)


def news(number: int = 1) -> PassageId:
    return PassageId(PassageKind.ANNOUNCEMENT, number)


def sound(name: str, count: int) -> list[bytes]:
    return [f"{name}{index}".encode() for index in range(count)]


def wanted(player: Player) -> bool:
    return player.wants_line


class Listener:
    """The far end of a line: takes frames and remembers them."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.frames: list[Frame | None] = []

    def hear(self, count: int = 1) -> str:
        """Takes frames; `.` is silence, `|` the end of the line, anything else the sound."""
        taken = [self.player.next_frame() for _ in range(count)]
        self.frames += taken
        return " ".join(_named(frame) for frame in taken)

    def hear_out(self) -> str:
        """Takes frames until the line closes."""
        taken = [*itertools.takewhile(lambda name: name != "|", iter(self.hear, ""))]
        return " ".join(taken)

    def told(self, passage: PassageId) -> list[Progress]:
        return [each for each in self.player.take_progress() if each.passage == passage]

    @property
    def last(self) -> Frame:
        assert self.frames[-1] is not None
        return self.frames[-1]


def _named(frame: Frame | None) -> str:
    if frame is None:
        return "|"
    return "." if frame.packet == SILENCE else frame.packet.decode()


@pytest.fixture
def player() -> Player:
    return Player(QUICK)


@pytest.fixture
def listener(player: Player) -> Listener:
    return Listener(player)


def say(player: Player, passage: PassageId, packets: Sequence[bytes]) -> None:
    player.append(passage, packets)
    player.end(passage)


class TestAPassage:
    def test_is_heard_between_silences_and_then_the_line_closes(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 3))
        assert wanted(player)
        assert listener.hear(11) == ". . a0 a1 a2 . . . . . |"
        assert player.is_idle

    def test_is_reported_exactly_at_its_first_frame_in_steps_and_at_its_end(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 8))
        told = []
        for _ in range(12):
            listener.hear()
            told += [(each.frames, each.state) for each in listener.told(answer())]
        playing, done = PassageState.PLAYING, PassageState.DONE
        assert told == [(1, playing), (6, playing), (8, done)]

    def test_counts_a_frame_only_when_its_time_is_over(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 3))
        listener.hear(3)
        assert listener.told(answer()) == []
        listener.hear()
        assert listener.told(answer()) == [Progress(answer(), 1, PassageState.PLAYING)]

    def test_names_what_follows_each_packet(self, player: Player, listener: Listener) -> None:
        say(player, answer(), sound("a", 3))
        listener.hear(2)
        heard = [(listener.hear(), listener.last.following, listener.last.entry) for _ in range(3)]
        assert heard == [
            ("a0", b"a1", Entry.BEGINS),
            ("a1", b"a2", Entry.CONTINUES),
            ("a2", None, Entry.CONTINUES),
        ]

    def test_keeps_its_last_known_packet_until_it_is_known_what_follows(
        self, player: Player, listener: Listener
    ) -> None:
        player.append(answer(), sound("a", 2))
        assert listener.hear(5) == ". . a0 . ."
        player.append(answer(), sound("b", 1))
        assert listener.hear(2) == "a1 ."
        player.end(answer())
        assert listener.hear(2) == "b0 ."

    def test_without_any_sound_is_over_at_once(self, player: Player) -> None:
        player.begin(answer())
        player.end(answer())
        assert player.take_progress() == (Progress(answer(), 0, PassageState.DONE),)
        assert not wanted(player)

    def test_takes_no_packets_after_its_end(self, player: Player, listener: Listener) -> None:
        say(player, answer(), sound("a", 2))
        player.append(answer(), sound("b", 2))
        assert listener.hear_out() == ". . a0 a1 . . . . ."
        player.append(answer(), sound("c", 2))
        assert not wanted(player)

    def test_is_kept_up_to_a_limit(self) -> None:
        player = Player(PlayerOptions(most_passage_s=1.0, preroll_s=0.0))
        say(player, answer(), sound("a", 60))
        heard = Listener(player).hear_out().split()
        assert heard[:50] == [f"a{index}" for index in range(50)]
        assert set(heard[50:]) == {"."}
        assert player.counts.frames_dropped == 10


class TestAnUnderrun:
    def test_is_silence_and_the_passage_goes_on_after_it(
        self, player: Player, listener: Listener
    ) -> None:
        player.append(answer(), sound("a", 3))
        assert listener.hear(7) == ". . a0 a1 . . ."
        assert listener.told(answer()) == [Progress(answer(), 2, PassageState.PLAYING)]
        player.append(answer(), sound("b", 2))
        assert listener.hear(2) == "a2 b0"
        assert listener.frames[-2] is not None
        assert listener.frames[-2].entry is Entry.REJOINS
        assert listener.last.entry is Entry.CONTINUES
        assert player.counts.underruns == 1

    def test_that_lasts_too_long_closes_the_line_until_there_is_sound(
        self, player: Player, listener: Listener
    ) -> None:
        player.append(answer(), sound("a", 2))
        assert listener.hear_out() == ". . a0" + 15 * " ."
        assert not wanted(player)
        player.append(answer(), sound("b", 1))
        assert wanted(player)
        assert listener.hear(3) == ". . a1"
        assert listener.last.entry is Entry.REJOINS


class TestAnExpectedAnswer:
    def test_finds_the_line_open_and_its_first_silence_over(
        self, player: Player, listener: Listener
    ) -> None:
        player.expect()
        assert wanted(player)
        assert listener.hear(4) == ". . . ."
        say(player, answer(), sound("a", 2))
        assert listener.hear(2) == "a0 a1"

    def test_waits_only_for_what_is_left_of_the_first_silence(
        self, player: Player, listener: Listener
    ) -> None:
        player.expect()
        listener.hear()
        say(player, answer(), sound("a", 2))
        assert listener.hear(2) == ". a0"

    def test_that_never_comes_closes_the_line(self, player: Player, listener: Listener) -> None:
        player.expect()
        assert listener.hear(11) == 10 * ". " + "|"
        assert player.is_idle

    def test_behind_an_announcement_keeps_the_line_open(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, news(), sound("n", 2))
        listener.hear(3)
        player.expect()
        assert listener.hear(8) == "n1 . . . . . . ."
        say(player, answer(), sound("a", 2))
        assert listener.hear() == "a0"


class TestACut:
    def test_silences_the_next_frame_with_five_silences_and_tells_what_was_heard(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 50))
        listener.hear(6)
        player.cut(answer())
        assert listener.hear(6) == ". . . . . |"
        assert listener.told(answer()) == [Progress(answer(), 4, PassageState.CUT)]

    def test_during_the_first_silence_leaves_nothing_to_hear(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 50))
        listener.hear(1)
        player.cut(answer())
        assert listener.told(answer()) == [Progress(answer(), 0, PassageState.CUT)]
        assert listener.hear() == "|"

    def test_drops_sound_that_comes_late(self, player: Player, listener: Listener) -> None:
        player.append(answer(), sound("a", 5))
        listener.hear(3)
        player.cut(answer())
        player.append(answer(), sound("b", 5))
        player.end(answer())
        assert listener.hear_out() == ". . . . ."

    def test_makes_way_for_the_next_passage_behind_five_silences(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(1), sound("a", 50))
        listener.hear(4)
        player.cut(answer(1))
        say(player, answer(2), sound("b", 1))
        assert listener.hear_out() == ". . . . . b0 . . . . ."

    def test_of_all_forgets_what_waits_and_what_was_expected(
        self, player: Player, listener: Listener
    ) -> None:
        player.expect()
        say(player, news(1), sound("n", 3))
        say(player, answer(), sound("a", 3))
        listener.hear(3)
        player.cut_all()
        assert listener.hear_out() == ". . . . ."
        ends = {each.passage: (each.frames, each.state) for each in player.take_progress()}
        assert ends == {news(1): (1, PassageState.CUT), answer(): (0, PassageState.CUT)}


class TestAPause:
    def test_holds_the_passage_at_the_next_frame_and_goes_on_from_there(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 6))
        listener.hear(4)
        player.pause(answer())
        assert listener.hear(8) == ". . . . . . . ."
        assert listener.told(answer()) == [Progress(answer(), 2, PassageState.PLAYING)]
        player.resume(answer())
        assert listener.hear(2) == "a2 a3"
        assert listener.frames[-2] is not None
        assert listener.frames[-2].entry is Entry.REJOINS
        assert player.counts.underruns == 0

    def test_keeps_what_comes_meanwhile(self, player: Player, listener: Listener) -> None:
        player.append(answer(), sound("a", 3))
        listener.hear(3)
        player.pause(answer())
        player.append(answer(), sound("b", 2))
        player.end(answer())
        listener.hear(6)
        player.resume(answer())
        assert listener.hear(4) == "a1 a2 b0 b1"

    def test_that_lasts_too_long_closes_the_line_and_a_new_one_goes_on(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 6))
        listener.hear(4)
        player.pause(answer())
        assert set(listener.hear_out().split()) == {"."}
        assert not wanted(player)
        player.resume(answer())
        assert wanted(player)
        assert listener.hear(3) == ". . a2"

    def test_may_end_in_a_cut(self, player: Player, listener: Listener) -> None:
        say(player, answer(), sound("a", 6))
        listener.hear(4)
        player.pause(answer())
        listener.hear(7)
        player.cut(answer())
        assert listener.told(answer()) == [Progress(answer(), 2, PassageState.CUT)]
        assert listener.hear_out() == ". . . . ."

    def test_of_an_answer_that_waits_keeps_it_from_beginning(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, news(), sound("n", 2))
        say(player, answer(), sound("a", 2))
        listener.hear(3)
        player.pause(answer())
        assert listener.hear_out() == "n1 . . . . ."
        player.resume(answer())
        assert listener.hear(3) == ". . a0"
        assert listener.last.entry is Entry.BEGINS


class TestTheQueue:
    def test_announcements_wait_for_the_answer_that_plays(
        self, player: Player, listener: Listener
    ) -> None:
        player.append(answer(), sound("a", 2))
        listener.hear(3)
        say(player, news(1), sound("n", 2))
        say(player, news(2), sound("m", 1))
        assert listener.hear(4) == ". . . ."
        player.end(answer())
        expected = "a1 . . . . . n0 n1 . . . . . m0 . . . . ."
        assert listener.hear_out() == expected

    def test_what_has_no_sound_yet_does_not_keep_back_what_has(
        self, player: Player, listener: Listener
    ) -> None:
        player.begin(news(1))
        say(player, answer(), sound("a", 1))
        player.append(news(1), sound("n", 1))
        player.end(news(1))
        assert listener.hear_out() == ". . n0 . . . . . a0 . . . . ."
        player.begin(news(2))
        say(player, answer(2), sound("b", 1))
        assert listener.hear_out() == ". . b0 . . . . ."

    def test_takes_so_many_announcements_and_no_more(self) -> None:
        player = Player(PlayerOptions(most_announcements=2))
        player.begin(news(1))
        player.begin(news(2))
        with pytest.raises(QueueFullError, match="2 announcements wait already"):
            player.append(news(3), sound("n", 1))
        player.append(answer(), sound("a", 1))
        player.cut(news(1))
        player.begin(news(3))


class TestALostLine:
    def test_plays_the_frame_again_of_which_nobody_knows_whether_it_was_sent(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 3))
        assert listener.hear(4) == ". . a0 a1"
        player.line_lost()
        assert wanted(player)
        assert listener.hear_out() == ". . a1 a2 . . . . ."
        assert listener.frames[6] is not None
        assert listener.frames[6].entry is Entry.REJOINS
        assert player.take_progress()[-1] == Progress(answer(), 3, PassageState.DONE)
        assert player.counts.lines_lost == 1
        assert player.counts.frames == 3

    def test_at_the_first_frame_begins_the_passage_again(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 3))
        listener.hear(3)
        player.line_lost()
        assert listener.hear(3) == ". . a0"
        assert listener.last.entry is Entry.BEGINS

    def test_after_a_cut_ends_the_passage_with_what_is_certain(
        self, player: Player, listener: Listener
    ) -> None:
        say(player, answer(), sound("a", 3))
        listener.hear(4)
        player.cut(answer())
        player.line_lost()
        assert player.take_progress()[-1] == Progress(answer(), 1, PassageState.CUT)
        assert player.is_idle

    def test_that_could_not_be_opened_ends_the_expectation_only(self, player: Player) -> None:
        player.expect()
        player.line_lost()
        assert player.is_idle
        assert player.counts.lines_lost == 0


def test_the_volume_is_that_of_the_moment(player: Player, listener: Listener) -> None:
    say(player, answer(), sound("a", 3))
    listener.hear(2)
    heard = []
    for ducked in (False, True, False):
        player.duck(ducked)
        listener.hear()
        heard.append(listener.last.ducked)
    assert heard == [False, True, False]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("preroll_s", 2.1),
        ("expectation_s", -1.0),
        ("hold_s", 61.0),
        ("report_s", 0.0),
        ("most_announcements", 0),
        ("most_passage_s", 0.5),
    ],
)
def test_an_option_out_of_bounds_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        PlayerOptions(**{name: value})  # type: ignore[arg-type]
