"""Messages, pings and reactions."""

from __future__ import annotations

from typing import Any

import pytest

from discordsim import ChannelKind, Overwrite, Permission, RefusedError
from discordsim.domain import MessageKind
from discordsim.events import Change, MessageChanged, MessagesDeleted, ReactionChanged
from discordsim.snowflakes import Snowflakes, snowflake_time
from discordsim.world.mentions import mentions_in
from discordsim.world.messages import Draft

pytestmark = pytest.mark.unit


def test_ids_grow_and_have_their_time_in_them(place: Any) -> None:
    ids = Snowflakes(place.clock)

    first, second = ids.next(), ids.next()
    place.clock.now += 60
    third = ids.next()

    assert first < second < third
    assert snowflake_time(third) == pytest.approx(place.clock.now, abs=0.002)


@pytest.mark.parametrize(
    ("content", "allowed", "users", "everyone"),
    [
        ("<@7> and <@!8>", None, (7, 8), False),
        ("<@7> @everyone", {"parse": []}, (), False),
        ("<@7> <@8>", {"users": ["8"]}, (8,), False),
        ("<@7> @here", {"parse": ["users", "everyone"]}, (7,), True),
        ("<@7> <@7>", None, (7,), False),
        ("nobody", None, (), False),
    ],
)
def test_pings_are_those_that_are_allowed(
    content: str, allowed: Any, users: tuple[int, ...], everyone: bool
) -> None:
    found = mentions_in(content, allowed)

    assert (found.user_ids, found.everyone) == (users, everyone)


def test_a_reply_pings_its_author_if_allowed(place: Any) -> None:
    first = place.world.messages.write(place.ann.id, place.text, Draft("hm?"))

    loud = place.world.messages.write(place.ben.id, place.text, Draft("aha", reply_to=first.id))
    quiet = place.world.messages.write(
        place.ben.id,
        place.text,
        Draft("aha", reply_to=first.id, allowed_mentions={"replied_user": False}),
    )

    assert (loud.kind, loud.mention_ids) == (MessageKind.REPLY, (place.ann.id,))
    assert quiet.mention_ids == ()


def test_a_reply_to_what_is_gone_is_refused_or_a_plain_message(place: Any) -> None:
    with pytest.raises(RefusedError, match="Unknown message"):
        place.world.messages.write(place.ann.id, place.text, Draft("x", reply_to=5))

    plain = Draft("x", reply_to=5, fail_if_reply_is_gone=False)
    message = place.world.messages.write(place.ann.id, place.text, plain)
    assert (message.kind, message.reply_to) == (MessageKind.DEFAULT, None)


def test_everyone_is_pinged_only_by_who_may(place: Any) -> None:
    anns = place.world.messages.write(place.ann.id, place.text, Draft("@everyone"))
    owners = place.world.messages.write(place.guild.owner_id, place.text, Draft("@everyone"))

    assert (anns.mention_everyone, owners.mention_everyone) == (False, True)


def test_writing_needs_permissions_and_files_more_of_them(place: Any) -> None:
    messages, directory = place.world.messages, place.world.directory
    denied = Overwrite(place.ann.id, is_role=False, deny=Permission.SEND_MESSAGES)
    closed = directory.change_channel(place.text.id, overwrites=(denied,))

    with pytest.raises(RefusedError, match="50013"):
        messages.require_writing(place.ann.id, closed, Draft("x"))
    messages.require_writing(place.ben.id, closed, Draft("x"))
    category = directory.add_channel(ChannelKind.CATEGORY, "All", place.guild.id)
    with pytest.raises(RefusedError, match="50008"):
        messages.require_writing(place.ben.id, category, Draft("x"))


def test_edits_keep_the_id_and_the_order_and_are_told(place: Any) -> None:
    messages = place.world.messages
    first = messages.write(place.ann.id, place.text, Draft("one"))
    messages.write(place.ann.id, place.text, Draft("two"))
    place.clock.now += 5

    edited = messages.edit(first, Draft("ONE"))

    assert edited.edited_time == place.clock.now
    assert [each.content for each in messages.history(place.text.id)] == ["ONE", "two"]
    assert [event.change for event in place.happened(MessageChanged)] == [
        Change.CREATED,
        Change.CREATED,
        Change.UPDATED,
    ]
    with pytest.raises(RefusedError, match="50006"):
        messages.edit(edited, Draft())


def test_deleted_messages_are_unknown(place: Any) -> None:
    messages = place.world.messages
    sent = [messages.write(place.ann.id, place.text, Draft(str(n))) for n in range(4)]
    messages.delete(sent[0])

    messages.delete_many(place.text.id, (sent[0].id, sent[1].id, sent[2].id))

    (event,) = place.happened(MessagesDeleted)
    assert event.message_ids == (sent[1].id, sent[2].id)
    for gone in sent[:3]:
        with pytest.raises(RefusedError, match="Unknown Message"):
            messages.get(place.text.id, gone.id)


def test_reactions_count_each_person_once(place: Any) -> None:
    messages = place.world.messages
    message = messages.write(place.ann.id, place.text, Draft("nice"))
    for user in (place.ann, place.ben, place.ben):
        message = messages.react(message, user.id, "🎉")

    assert message.reactions[0].user_ids == (place.ann.id, place.ben.id)
    message = messages.take_reaction_back(message, place.ann.id, "🎉")
    message = messages.take_reaction_back(message, place.ben.id, "🎉")
    assert message.reactions == ()
    assert len(place.happened(ReactionChanged)) == 4
    with pytest.raises(RefusedError, match="Unknown Emoji"):
        messages.take_reaction_back(message, place.ann.id, "🎉")


def test_a_thread_on_a_message_has_its_id_and_there_is_one(place: Any) -> None:
    message = place.world.messages.write(place.ann.id, place.text, Draft("topic"))

    thread = place.world.threads.open(place.ben.id, place.text, "talk", message=message)

    assert thread.id == message.id
    with pytest.raises(RefusedError, match="160004"):
        place.world.threads.open(place.ann.id, place.text, "again", message=message)


def test_a_deleted_channel_takes_threads_and_messages_along(place: Any) -> None:
    thread = place.world.threads.open(place.ben.id, place.text, "talk")
    message = place.world.messages.write(place.ann.id, thread, Draft("in here"))

    place.world.directory.delete_channel(place.text.id)

    assert place.world.messages.find(message.id) is None
    assert not place.world.directory.has_channel(thread.id)


def test_an_archived_thread_wakes_when_somebody_writes(place: Any) -> None:
    thread = place.world.threads.open(place.ben.id, place.text, "talk")
    asleep = place.world.directory.change_channel(thread.id, archived=True)

    place.world.messages.write(place.ann.id, asleep, Draft("hello"))

    assert not place.world.directory.channel(thread.id).archived
