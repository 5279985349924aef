"""What holds for the player whatever happens, in whatever order."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from voicemesh_bot.voice.frames import (
    SILENCE,
    SILENCES_AT_END,
    Entry,
    Frame,
    PassageId,
    PassageKind,
    PassageState,
)
from voicemesh_bot.voice.player import Player, PlayerOptions

pytestmark = pytest.mark.unit

OPTIONS = PlayerOptions(
    preroll_s=0.04, expectation_s=0.1, hold_s=0.2, report_s=0.06, most_announcements=100
)
MOST_PASSAGES = 12


class Playing(RuleBasedStateMachine):
    """Answers and announcements at random, over a line that is lost now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.player = Player(OPTIONS)
        self.given: dict[PassageId, list[bytes]] = {}
        self.over: set[PassageId] = set()  # ended or cut by us
        self.cut: set[PassageId] = set()
        self.paused: set[PassageId] = set()
        self.heard: dict[PassageId, list[bytes]] = {}
        self.told: dict[PassageId, int] = {}
        self.finished: dict[PassageId, PassageState] = {}
        self.sending: tuple[PassageId, bytes] | None = None
        self.frames: list[Frame | None] = []

    def name(self, packet: bytes) -> PassageId:
        kind, number, _ = packet.decode().split(":")
        return PassageId(PassageKind(kind), int(number))

    @rule(kind=st.sampled_from(PassageKind))
    @precondition(lambda self: len(self.given) < MOST_PASSAGES)
    def begin(self, kind: PassageKind) -> None:
        number = sum(each.kind is kind for each in self.given) + 1
        passage = PassageId(kind, number)
        self.given[passage] = []
        self.player.begin(passage)

    @rule(data=st.data(), count=st.integers(1, 12))
    @precondition(lambda self: self.given)
    def append(self, data: st.DataObject, count: int) -> None:
        passage = data.draw(st.sampled_from(sorted(self.given, key=str)))
        start = len(self.given[passage])
        packets = [f"{passage.kind}:{passage.number}:{start + i}".encode() for i in range(count)]
        self.player.append(passage, packets)
        if passage not in self.over:
            self.given[passage] += packets

    @rule(data=st.data(), cut=st.booleans())
    @precondition(lambda self: self.given)
    def finish(self, data: st.DataObject, cut: bool) -> None:
        passage = data.draw(st.sampled_from(sorted(self.given, key=str)))
        self.over.add(passage)
        if cut:
            self.cut.add(passage)
            self.player.cut(passage)
        else:
            self.player.end(passage)

    @rule(data=st.data(), pause=st.booleans())
    @precondition(lambda self: self.given)
    def hold(self, data: st.DataObject, pause: bool) -> None:
        passage = data.draw(st.sampled_from(sorted(self.given, key=str)))
        if pause:
            self.paused.add(passage)
            self.player.pause(passage)
        else:
            self.paused.discard(passage)
            self.player.resume(passage)

    @rule()
    def expect(self) -> None:
        self.player.expect()

    @rule(ducked=st.booleans())
    def duck(self, ducked: bool) -> None:
        self.player.duck(ducked)

    @rule(count=st.integers(1, 30))
    def tick(self, count: int) -> None:
        for _ in range(count):
            self._tick()

    @rule()
    def lose_line(self) -> None:
        self.sending = None
        self.frames.clear()
        self.player.line_lost()

    def _tick(self) -> None:
        if self.sending is not None:
            passage, packet = self.sending
            self.heard.setdefault(passage, []).append(packet)
            self.sending = None
        frame = self.player.next_frame()
        self.frames.append(frame)
        if frame is None or frame.packet == SILENCE:
            assert frame is None or frame.entry is None
            return
        passage = self.name(frame.packet)
        assert passage not in self.cut, "nothing of what was cut is given after it"
        assert passage not in self.paused, "nothing of what is paused is given"
        heard = self.heard.get(passage, [])
        assert (frame.entry is Entry.BEGINS) == (not heard)
        following = self.given[passage][len(heard) + 1 :]
        assert frame.following == (following[0] if following else None)
        if frame.following is None:
            assert passage in self.over
        self.sending = (passage, frame.packet)

    @invariant()
    def reports_are_exact(self) -> None:
        for each in self.player.take_progress():
            assert self.finished.get(each.passage) is None, "nothing follows the last report"
            assert each.frames == len(self.heard.get(each.passage, [])) or (
                each.state is PassageState.PLAYING
                and each.frames <= len(self.heard.get(each.passage, []))
            )
            assert each.frames >= self.told.get(each.passage, 0)
            self.told[each.passage] = each.frames
            if each.state is not PassageState.PLAYING:
                self.finished[each.passage] = each.state
                assert (each.state is PassageState.CUT) == (each.passage in self.cut)

    @invariant()
    def passages_are_heard_in_order_and_whole(self) -> None:
        for passage, packets in self.heard.items():
            assert packets == self.given[passage][: len(packets)]

    @invariant()
    def a_line_that_is_closed_by_the_player_ends_in_silence(self) -> None:
        for index, frame in enumerate(self.frames):
            if frame is None and index and self.frames[index - 1] is not None:
                last = self.frames[max(0, index - SILENCES_AT_END) : index]
                assert all(each is None or each.packet == SILENCE for each in last)
        self.frames = self.frames[-SILENCES_AT_END:]

    def teardown(self) -> None:
        self.paused.clear()
        for passage in self.given:
            self.player.resume(passage)
            if passage not in self.over:
                self.over.add(passage)
                self.player.end(passage)
        packets = sum(map(len, self.given.values()))
        for _ in range(packets + 20 * len(self.given) + 40):
            self._tick()
        self.reports_are_exact()
        assert self.player.is_idle
        assert set(self.finished) == set(self.given), "every passage comes to an end"
        for passage, state in self.finished.items():
            if state is PassageState.DONE:
                assert self.heard.get(passage, []) == self.given[passage]


TestPlaying = Playing.TestCase
TestPlaying.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
