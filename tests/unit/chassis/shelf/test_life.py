"""What is in memory: scripts of asking, dropping and loading in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_chassis.shelf.life import (
    Answer,
    Failed,
    Full,
    Life,
    Load,
    Ready,
    ShelfLimits,
    Stuck,
    Wait,
)

pytestmark = pytest.mark.unit

LIMITS = ShelfLimits(3, idle_timeout_s=300.0, most_hanging=2, retry_pause_s=5.0)
ERROR = OSError("cut off")

Step = tuple[float, str, str, object]
"""When, what is done, to which model, and what it must give."""


def ask(at_s: float, name: str, answer: Answer) -> Step:
    return (at_s, "ask", name, answer)


def drop(at_s: float, name: str) -> Step:
    return (at_s, "drop", name, None)


def loaded(at_s: float, name: str) -> Step:
    return (at_s, "loaded", name, None)


def failed(at_s: float, name: str) -> Step:
    return (at_s, "failed", name, None)


def given_up(at_s: float, name: str) -> Step:
    return (at_s, "given up", name, None)


def ended(at_s: float) -> Step:
    return (at_s, "ended", "", None)


def adopt(at_s: float, name: str, *, has_place: bool) -> Step:
    return (at_s, "adopt", name, has_place)


def take(at_s: float, name: str, *, is_free: bool) -> Step:
    return (at_s, "take", name, is_free)


def idle(at_s: float, *names: str) -> Step:
    return (at_s, "idle", "", list(names))


def used(at_s: float, name: str) -> list[Step]:
    """A whole use that loads the model, all at one time."""
    return [ask(at_s, name, Load()), loaded(at_s, name), drop(at_s, name)]


SCRIPTS: dict[str, list[Step]] = {
    "the first to ask loads, later ones wait for that load, then it is ready": [
        ask(0, "a", Load()),
        ask(1, "a", Wait()),
        loaded(2, "a"),
        ask(3, "a", Ready()),
    ],
    "a model in use is not idle however long it is used": [
        ask(0, "a", Load()),
        loaded(1, "a"),
        idle(10_000),
        drop(10_000, "a"),
        idle(10_299),
        idle(10_300, "a"),
        ask(10_301, "a", Load()),
    ],
    "idle time counts from the end of the last of several uses": [
        ask(0, "a", Load()),
        loaded(1, "a"),
        ask(2, "a", Ready()),
        drop(3, "a"),
        drop(200, "a"),
        idle(499),
        idle(500, "a"),
        idle(501),
    ],
    "a model whose callers all gave up during its load is loaded, and idle from then": [
        ask(0, "a", Load()),
        drop(1, "a"),
        idle(1_000),
        loaded(1_000, "a"),
        idle(1_299),
        idle(1_300, "a"),
    ],
    "what is kept is never idle": [*used(0, "kept"), idle(1_000_000)],
    "the least recently used idle model makes room": [
        *used(0, "a"),
        *used(1, "b"),
        *used(2, "c"),
        ask(3, "a", Ready()),
        drop(4, "a"),
        ask(5, "d", Load(evicted="b")),
        loaded(6, "d"),
        ask(7, "b", Load(evicted="c")),
    ],
    "what is kept makes no room": [
        *used(0, "kept"),
        *used(1, "b"),
        *used(2, "c"),
        ask(3, "d", Load(evicted="b")),
    ],
    "nothing makes room while all are in use or being loaded": [
        *used(0, "kept"),
        ask(1, "a", Load()),
        ask(2, "b", Load()),
        loaded(3, "b"),
        ask(4, "c", Full()),
        drop(5, "b"),
        ask(6, "c", Load(evicted="b")),
    ],
    "a refused call holds nothing": [
        *used(0, "kept"),
        ask(1, "a", Load()),
        ask(1, "b", Load()),
        loaded(2, "a"),
        loaded(2, "b"),
        ask(3, "c", Full()),
        drop(4, "a"),
        drop(4, "b"),
        idle(304, "a", "b"),
    ],
    "a failed load is told again for a while, and then tried again": [
        ask(0, "a", Load()),
        ask(1, "a", Wait()),
        failed(2, "a"),
        drop(2, "a"),
        drop(2, "a"),
        ask(6.9, "a", Failed(ERROR)),
        ask(7, "a", Load()),
        failed(8, "a"),
        drop(8, "a"),
        ask(12.9, "a", Failed(ERROR)),
        ask(13, "a", Load()),
        loaded(14, "a"),
        ask(14, "a", Ready()),
    ],
    "a failed load leaves the loaded models, and its place, alone": [
        *used(0, "a"),
        *used(1, "b"),
        ask(2, "c", Load()),
        failed(3, "c"),
        drop(3, "c"),
        ask(4, "a", Ready()),
        ask(4, "b", Ready()),
        ask(4, "d", Load()),
    ],
    "what is taken is absent, and what is in use is not taken": [
        take(0, "a", is_free=False),
        ask(1, "a", Load()),
        take(1, "a", is_free=False),
        loaded(2, "a"),
        take(2, "a", is_free=False),
        drop(3, "a"),
        take(3, "a", is_free=True),
        take(3, "a", is_free=False),
        ask(4, "a", Load()),
    ],
    "a load that was given up is tried again after the pause, and gives its place free": [
        ask(0, "a", Load()),
        *used(1, "b"),
        ask(2, "c", Load()),
        given_up(10, "a"),
        ask(14, "a", Failed(ERROR)),
        ask(14, "d", Load()),
    ],
    "with too many loads that hang no other is begun until one ends": [
        *used(0, "b"),
        ask(0, "a", Load()),
        given_up(10, "a"),
        ask(15, "a", Load()),
        given_up(25, "a"),
        ask(30, "a", Stuck()),
        ask(30, "c", Stuck()),
        ask(30, "b", Ready()),
        ended(31),
        ask(31, "c", Load()),
    ],
    "what comes of a load that was given up is taken in where it has a place": [
        ask(0, "a", Load()),
        given_up(10, "a"),
        drop(10, "a"),
        ended(20),
        adopt(20, "a", has_place=True),
        ask(20, "a", Ready()),
    ],
    "what comes too late is not wanted if it is loaded, or being loaded, again": [
        ask(0, "a", Load()),
        given_up(10, "a"),
        ask(15, "a", Load()),
        adopt(16, "a", has_place=False),
        loaded(17, "a"),
        adopt(18, "a", has_place=False),
    ],
    "what comes too late has no place where others have taken it": [
        ask(0, "a", Load()),
        given_up(10, "a"),
        *used(11, "b"),
        *used(11, "c"),
        *used(11, "d"),
        adopt(12, "a", has_place=False),
    ],
}


def play(life: Life, step: Step) -> object:
    at_s, verb, name, _ = step
    verbs: dict[str, Callable[[], object]] = {
        "ask": lambda: life.ask(name, at_s),
        "drop": lambda: life.drop(name, at_s),
        "loaded": lambda: life.loaded(name, at_s),
        "failed": lambda: life.failed(name, ERROR, at_s),
        "given up": lambda: life.given_up(name, ERROR, at_s),
        "ended": life.ended,
        "adopt": lambda: life.adopt(name, at_s),
        "take": lambda: life.take(name),
        "idle": lambda: sorted(life.take_idle(at_s)),
    }
    return verbs[verb]()


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_of_asking_and_dropping(script: list[Step]) -> None:
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(script))
    life = Life(LIMITS, frozenset({"kept"}))

    for step in script:
        assert play(life, step) == step[3], step


def test_it_says_when_the_next_one_falls_idle() -> None:
    life = Life(LIMITS, frozenset({"kept"}))
    assert life.next_idle_s() is None

    for step in (*used(0, "kept"), *used(10, "a"), *used(20, "b")):
        play(life, step)
    assert life.next_idle_s() == 310

    life.ask("a", 30)
    assert life.next_idle_s() == 320


def test_an_idle_timeout_of_zero_keeps_everything() -> None:
    life = Life(ShelfLimits(most_loaded=2, idle_timeout_s=0), frozenset())
    for step in used(0, "a"):
        play(life, step)

    assert life.next_idle_s() is None
    assert life.take_idle(1e9) == []


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from(["ask", "end", "idle"]))))
def test_no_order_of_calls_exceeds_the_limit_or_unloads_what_is_used(
    calls: list[tuple[str, str]],
) -> None:
    life = Life(LIMITS, frozenset({"a"}))
    present: set[str] = set()
    holders: list[str] = []
    for now_s, (name, verb) in enumerate(calls):
        if verb == "ask":
            answer = life.ask(name, now_s * 100)
            assert isinstance(answer, Ready if name in present else Load | Full)
            if isinstance(answer, Load):
                if answer.evicted is not None:
                    assert answer.evicted not in {*holders, "a"}
                    present.remove(answer.evicted)
                life.loaded(name, now_s * 100)
                present.add(name)
            if not isinstance(answer, Full):
                holders.append(name)
        elif verb == "end" and name in holders:
            holders.remove(name)
            life.drop(name, now_s * 100)
        elif verb == "idle":
            gone = set(life.take_idle(now_s * 100))
            assert not gone & {*holders, "a"}
            present -= gone
        assert len(present) <= LIMITS.most_loaded
