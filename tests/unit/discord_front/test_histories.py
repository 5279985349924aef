"""What was said is remembered as far as it helps, and no further."""

from __future__ import annotations

import pytest

from voicemesh_bot.discord_front.histories import Histories
from voicemesh_bot.domain import HistoryTurn, Role

pytestmark = pytest.mark.unit


def turn(text: str) -> HistoryTurn:
    return HistoryTurn(role=Role.USER, text=text)


def test_channels_do_not_share_what_was_said() -> None:
    histories = Histories(turns_per_channel=4, channels=4)

    histories.add(1, turn("one"))
    histories.add(2, turn("two"))

    assert histories.turns(1) == (turn("one"),)
    assert histories.turns(2) == (turn("two"),)
    assert histories.turns(3) == ()


def test_old_turns_go_first() -> None:
    histories = Histories(turns_per_channel=2, channels=1)

    histories.add(1, turn("a"), turn("b"), turn("c"))

    assert histories.turns(1) == (turn("b"), turn("c"))


def test_the_channel_silent_for_longest_goes_first() -> None:
    histories = Histories(turns_per_channel=2, channels=2)

    for channel in (1, 2, 1, 3):
        histories.add(channel, turn(str(channel)))

    assert histories.turns(2) == ()
    assert len(histories.turns(1)) == 2


def test_a_channel_can_be_forgotten() -> None:
    histories = Histories(turns_per_channel=2, channels=2)
    histories.add(1, turn("a"))

    histories.forget(1)

    assert histories.turns(1) == ()
