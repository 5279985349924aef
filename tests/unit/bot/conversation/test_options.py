"""Timings and limits of a conversation."""

from __future__ import annotations

import dataclasses
import math

import pytest

from voicemesh_bot.conversation.options import BOUNDS, TIMINGS, ConversationOptions
from voicemesh_chassis.errors import InvalidArgumentError

pytestmark = pytest.mark.unit


def test_every_number_has_bounds_and_a_default_within_them() -> None:
    numbers = {
        each.name
        for each in dataclasses.fields(ConversationOptions)
        if isinstance(each.default, int | float)
    }

    assert numbers == set(BOUNDS)
    assert numbers > TIMINGS
    ConversationOptions()


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_what_is_out_of_bounds_is_refused_by_name(name: str) -> None:
    least, most = BOUNDS[name]
    for value in (least - 1, most + 1, math.nan):
        with pytest.raises(InvalidArgumentError, match=name) as refused:
            ConversationOptions(**{name: value})  # type: ignore[arg-type]
        assert refused.value.field == name


def test_a_guild_may_choose_its_own_timings() -> None:
    chosen = ConversationOptions(names=("Max",)).with_timings({"pause_s": 0.6, "follow_up_s": 20})

    assert (chosen.pause_s, chosen.follow_up_s) == (0.6, 20)
    assert chosen.names == ("Max",)


@pytest.mark.parametrize(
    ("timings", "field"),
    [
        ({"pause": 1.0}, "pause"),
        ({"max_waiting": 3.0}, "max_waiting"),
        ({"names": 1.0}, "names"),
        ({"pause_s": math.inf}, "pause_s"),
        ({"pause_s": 99.0}, "pause_s"),
        ({"pause_s": 0.05}, "duck_s"),
    ],
)
def test_other_choices_are_refused_by_name(timings: dict[str, float], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        ConversationOptions().with_timings(timings)

    assert refused.value.field == field
