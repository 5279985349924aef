"""Who may do what, by Discord's order of roles and overwrites."""

from __future__ import annotations

from typing import Any

import pytest

from discordsim import DEFAULT_PERMISSIONS, ChannelKind, Overwrite, Permission, RefusedError

pytestmark = pytest.mark.unit

SEND, VIEW = Permission.SEND_MESSAGES, Permission.VIEW_CHANNEL


def overwrite(target: int, *, is_role: bool = True, allow: int = 0, deny: int = 0) -> Overwrite:
    return Overwrite(target, is_role, int(allow), int(deny))


def test_everybody_may_what_everyone_may(place: Any) -> None:
    held = place.world.directory.permissions(place.ann.id, place.text)

    assert held == DEFAULT_PERMISSIONS


def test_roles_add_and_administrators_and_owners_may_everything(place: Any) -> None:
    directory = place.world.directory
    role = directory.add_role(place.guild.id, "admin", Permission.ADMINISTRATOR)
    directory.change_member(place.guild.id, place.ann.id, role_ids=frozenset({role.id}))
    closed = directory.change_channel(
        place.text.id, overwrites=(overwrite(place.guild.id, deny=VIEW),)
    )

    for user_id in (place.ann.id, place.guild.owner_id):
        assert directory.permissions(user_id, closed) & Permission.MANAGE_CHANNELS
    assert directory.permissions(place.ben.id, closed) == 0


def test_members_win_over_roles_and_roles_over_everyone(place: Any) -> None:
    directory = place.world.directory
    role = directory.add_role(place.guild.id, "quiet")
    directory.change_member(place.guild.id, place.ann.id, role_ids=frozenset({role.id}))

    def may_send(*overwrites: Overwrite) -> bool:
        channel = directory.change_channel(place.text.id, overwrites=overwrites)
        return bool(directory.permissions(place.ann.id, channel) & SEND)

    everyone = overwrite(place.guild.id, deny=SEND)
    of_role = overwrite(role.id, allow=SEND)
    of_member = overwrite(place.ann.id, is_role=False, deny=SEND)
    assert not may_send(everyone)
    assert may_send(everyone, of_role)
    assert not may_send(everyone, of_role, of_member)


def test_without_sending_there_are_no_files_and_without_connecting_no_speech(place: Any) -> None:
    directory = place.world.directory
    wanted = (overwrite(place.guild.id, deny=SEND | Permission.CONNECT),)
    channel = directory.change_channel(place.text.id, overwrites=wanted)

    held = directory.permissions(place.ann.id, channel)

    assert not held & (Permission.ATTACH_FILES | Permission.SPEAK)
    assert held & Permission.READ_MESSAGE_HISTORY


def test_strangers_and_other_peoples_messages_are_out_of_sight(place: Any) -> None:
    directory = place.world.directory
    stranger = directory.add_user("Zoe")
    direct = directory.direct_channel(place.ann.id, place.bot.id)

    assert directory.permissions(stranger.id, place.text) == 0
    assert directory.permissions(place.ben.id, direct) == 0
    with pytest.raises(RefusedError, match="50001"):
        directory.require(stranger.id, place.text, VIEW)


def test_private_threads_are_seen_by_their_members(place: Any) -> None:
    threads, directory = place.world.threads, place.world.directory
    thread = threads.open(place.ann.id, place.text, "ours", private=True)
    assert thread.kind is ChannelKind.PRIVATE_THREAD
    assert not directory.permissions(place.ben.id, thread) & VIEW

    joined = threads.join(thread, place.ben.id)

    assert directory.permissions(place.ben.id, joined) & VIEW


def test_direct_messages_are_one_channel_whoever_asks(place: Any) -> None:
    directory = place.world.directory

    first = directory.direct_channel(place.ann.id, place.bot.id)

    assert directory.direct_channel(place.bot.id, place.ann.id) == first
