"""Who is there, who is heard, and what has to be done when that changes."""

from __future__ import annotations

import pytest

from voicemesh_bot.conversation.events import Arrived, Departed
from voicemesh_bot.discord_front.rooms.attendance import Attendance, Attendant

pytestmark = pytest.mark.unit

ANN = Attendant("Ann", is_bot=False, is_heard=True)
DEAF_ANN = Attendant("Ann", is_bot=False, is_heard=False)
RADIO = Attendant("Radio", is_bot=True, is_heard=False)


def test_who_comes_is_told_before_they_are_heard() -> None:
    attendance = Attendance()
    change = attendance.update({1: ANN, 2: RADIO})

    assert change.events == (Arrived("1", "Ann"), Arrived("2", "Radio", is_bot=True))
    assert change.open == ((1, ""),)
    assert change.close == ()
    assert attendance.heard == {1}
    assert attendance.people == 1
    assert attendance.arrivals() == change.events


def test_what_stays_as_it_was_needs_nothing() -> None:
    attendance = Attendance()
    attendance.update({1: ANN})
    change = attendance.update({1: ANN})
    assert (change.close, change.events, change.open) == ((), (), ())


@pytest.mark.parametrize("now", [{1: DEAF_ANN}, {}])
def test_who_takes_their_consent_back_or_goes_is_not_heard(now: dict[int, Attendant]) -> None:
    attendance = Attendance()
    attendance.update({1: ANN})
    change = attendance.update(now)
    assert change.close == (1,)
    assert change.events == (() if now else (Departed("1"),))
    assert not attendance.heard


def test_another_language_opens_the_ear_anew_and_another_name_is_told() -> None:
    attendance = Attendance()
    attendance.update({1: ANN})
    change = attendance.update({1: Attendant("Anna", False, True, "de")})
    assert change.open == ((1, "de"),)
    assert change.close == ()
    assert change.events == (Arrived("1", "Anna"),)
