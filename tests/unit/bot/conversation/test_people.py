"""Who is in the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import DuckAudio, ShowMessage
from voicemesh_bot.conversation.events import Arrived, Departed, OptionsChanged
from voicemesh_bot.conversation.options import ConversationOptions
from voicemesh_bot.conversation.people import People
from voicemesh_bot.domain import Address

if TYPE_CHECKING:
    from tests.unit.bot.conftest import Room

pytestmark = pytest.mark.unit


def test_people_of_the_same_name_are_told_apart() -> None:
    people = People()
    for speaker in ("1", "2", "3"):
        people.arrive(Arrived(speaker, "Ann"))

    assert [people.name(speaker) for speaker in ("1", "2", "3")] == ["Ann", "Ann (2)", "Ann (3)"]


def test_who_changes_their_name_is_still_one_person() -> None:
    people = People()
    people.arrive(Arrived("1", "Ann"))
    people.arrive(Arrived("1", "Anna"))
    people.arrive(Arrived("1", " "))

    assert people.count == 1
    assert people.name("1") == "1"


def test_others_are_called_by_their_first_or_their_whole_name() -> None:
    people = People()
    people.arrive(Arrived("1", "Ann"))
    people.arrive(Arrived("2", "Bob Smith"))
    people.arrive(Arrived("3", "Al Bundy"))
    people.arrive(Arrived("4", "★"))
    people.arrive(Arrived("5", "Music", is_bot=True))

    assert people.names_of_others("1") == {"bobsmith", "bob", "albundy"}


def test_the_history_has_names_and_everything_else_has_ids(room: Room) -> None:
    room.do(Arrived("4711", "Ann"))
    room.say("What is the time?", turn=1, speaker="4711")

    assert room.asked() == ["Ann: What is the time?"]
    assert room.seen(ShowMessage)[0].speaker == "4711"


def test_who_is_heard_without_having_arrived_is_a_person(make_room: type[Room]) -> None:
    room = make_room("ann")
    room.say("Hello there, Ann.", turn=1, speaker="bob")

    assert [c.address for c in room.seen(ShowMessage)] == [None]


def test_who_writes_from_outside_is_answered_and_not_counted(make_room: type[Room]) -> None:
    room = make_room("ann")
    room.write("Hello?", speaker="zed")
    room.speak("Hi.", 1.0, 1.0)
    room.say("What is the time?", turn=1)

    reasons = [c.address for c in room.seen(ShowMessage)]
    assert reasons == [Address.WRITTEN, Address.ALONE]


def test_who_has_left_does_not_keep_the_bot_soft(make_room: type[Room]) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.say("Max, count.", turn=1)
    room.speak("One two three four.", 4.0, 1.0)
    room.start(speaker="bob")
    assert DuckAudio(ducked=True) in room.log
    left = room.do(Departed("bob"))

    assert DuckAudio(ducked=False) in left


def test_a_late_report_does_not_bring_back_who_has_left(make_room: type[Room]) -> None:
    room = make_room("ann", "bob")
    room.start(speaker="bob")
    room.do(Departed("bob"))
    room.final("Hello.", revision=0, speaker="bob")
    room.say("What is the time?", turn=1)

    assert [c.address for c in room.seen(ShowMessage)] == [Address.ALONE]


def test_names_may_change_while_people_talk(make_room: type[Room]) -> None:
    room = make_room("ann", "bob", names=("Max",))
    room.do(OptionsChanged(ConversationOptions(names=("Moritz",))))
    room.say("Max, hello.", turn=1)
    room.say("Moritz, hello.", turn=2)

    assert [c.address for c in room.seen(ShowMessage)] == [None, Address.NAMED]
