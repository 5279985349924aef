"""Which voices are in memory, by scripted calls and a clock of numbers."""

from __future__ import annotations

import pytest

from voicemesh_tts.voices.life import Failed, Full, Load, Ready, VoiceLife, VoiceLimits, Wait

pytestmark = pytest.mark.unit


@pytest.fixture
def life() -> VoiceLife:
    """Room for two, of which the default is always there."""
    made = VoiceLife(VoiceLimits(most_loaded=2, idle_timeout_s=10), frozenset({"default"}))
    used(made, "default", 0.0)
    return made


def used(life: VoiceLife, voice: str, now_s: float) -> None:
    """A call that loads a voice, if need be, and ends at once."""
    if isinstance(life.ask(voice, now_s), Load):
        life.loaded(voice, now_s)
    life.drop(voice, now_s)


def test_the_first_call_loads_and_others_wait(life: VoiceLife) -> None:
    assert life.ask("a", 1.0) == Load()
    assert life.ask("a", 1.0) == Wait()
    life.loaded("a", 2.0)
    assert life.ask("a", 2.0) == Ready()


def test_the_one_unused_for_longest_makes_room_but_never_the_kept_one() -> None:
    life = VoiceLife(VoiceLimits(most_loaded=3), frozenset({"default"}))
    used(life, "default", 0.0)
    used(life, "a", 1.0)
    used(life, "b", 2.0)
    used(life, "a", 3.0)

    assert life.ask("c", 4.0) == Load(evicted="b")


def test_a_voice_in_use_is_not_taken_away(life: VoiceLife) -> None:
    life.ask("a", 1.0)
    life.loaded("a", 1.0)

    assert life.ask("b", 2.0) == Full()
    assert not life.take("a")
    life.drop("a", 3.0)
    assert life.ask("b", 4.0) == Load(evicted="a")


def test_idle_voices_are_due_after_their_last_use(life: VoiceLife) -> None:
    used(life, "a", 1.0)
    used(life, "a", 5.0)

    assert life.next_idle_s() == 15.0
    assert life.take_idle(14.9) == []
    assert life.take_idle(15.0) == ["a"]
    assert life.next_idle_s() is None
    assert life.ask("a", 16.0) == Load()


def test_nothing_is_idle_without_a_limit() -> None:
    life = VoiceLife(VoiceLimits(idle_timeout_s=0), frozenset())
    used(life, "a", 1.0)

    assert life.next_idle_s() is None
    assert life.take_idle(1e9) == []


def test_a_load_that_failed_is_tried_again_after_a_pause(life: VoiceLife) -> None:
    life.ask("a", 1.0)
    life.failed("a", 2.0)
    life.drop("a", 2.0)

    assert life.ask("a", 6.9) == Failed()
    assert life.ask("a", 7.0) == Load()


def test_a_voice_that_is_taken_is_absent(life: VoiceLife) -> None:
    used(life, "a", 1.0)

    assert life.take("a")
    assert not life.take("a")
    assert not life.take("never seen")
    assert life.ask("a", 2.0) == Load()
