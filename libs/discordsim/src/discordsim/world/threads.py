"""Threads and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.domain import Channel, ChannelKind, Message
from discordsim.errors import RefusedError, invalid_form
from discordsim.events import ThreadMembersChanged
from discordsim.permissions import Permission
from discordsim.world.content import too_long

if TYPE_CHECKING:
    from discordsim.events import Events
    from discordsim.world.directory import Directory

__all__ = ("Threads",)

_PARENTS = frozenset({ChannelKind.TEXT, ChannelKind.ANNOUNCEMENT})


class Threads:
    """Opens threads and keeps their members."""

    def __init__(self, directory: Directory, events: Events) -> None:
        self._directory = directory
        self._events = events

    def open(
        self,
        owner_id: int,
        parent: Channel,
        name: str,
        *,
        message: Message | None = None,
        private: bool = False,
        auto_archive_minutes: int = 1440,
    ) -> Channel:
        """Open a thread on a channel, or on one of its messages, whose id it then has.

        Raises:
            RefusedError: the owner may not, the name does not fit, or there is one already.
        """
        wanted = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
        self._directory.require(owner_id, parent, wanted)
        if parent.kind not in _PARENTS:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        if not name.strip():
            raise invalid_form({"name": [("BASE_TYPE_REQUIRED", "This field is required")]})
        if len(name) > 100:
            raise invalid_form({"name": [too_long(100)]})
        if message is not None and self._directory.has_channel(message.id):
            raise RefusedError(400, 160004, "A thread has already been created for this message")
        return self._directory.add_channel(
            ChannelKind.PRIVATE_THREAD if private else ChannelKind.PUBLIC_THREAD,
            name.strip(),
            parent.guild_id,
            channel_id=None if message is None else message.id,
            parent_id=parent.id,
            owner_id=owner_id,
            members=frozenset({owner_id}),
            auto_archive_minutes=auto_archive_minutes,
        )

    def join(self, thread: Channel, user_id: int) -> Channel:
        """Bring somebody into a thread."""
        if user_id in thread.members:
            return thread
        joined = self._directory.change_channel(
            thread.id, quietly=True, members=thread.members | {user_id}
        )
        self._events.emit(ThreadMembersChanged(joined, added=(user_id,)))
        return joined

    def leave(self, thread: Channel, user_id: int) -> Channel:
        """Take somebody out of a thread."""
        if user_id not in thread.members:
            return thread
        left = self._directory.change_channel(
            thread.id, quietly=True, members=thread.members - {user_id}
        )
        self._events.emit(ThreadMembersChanged(left, removed=(user_id,)))
        return left
