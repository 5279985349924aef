"""What a person sees, and waiting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.errors import NotSeenError, RefusedError
from discordsim.events import Change, Event, MessageChanged, MessagesDeleted
from discordsim.people.waiting import Bell
from discordsim.permissions import Permission

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.domain import Message
    from discordsim.world import World

__all__ = ("Mailbox",)

_SHOWN = 5


class Mailbox:
    """Messages of others that a person can see and that nobody has waited for yet.

    So a test may do something first and wait for the answer afterwards: an answer that was faster
    is not missed, and none is found twice.
    """

    def __init__(self, world: World, user_id: int) -> None:
        """Begin to look; what was written before is not in it."""
        self._world = world
        self._user_id = user_id
        self._unclaimed: dict[int, None] = {}
        self._bell = Bell()
        world.events.subscribe(self._see)

    async def claim(
        self, fits: Callable[[Message], bool], *, timeout_s: float, what: str
    ) -> Message:
        """Return the first message that fits, as it is now, and take it out.

        Messages that still "think" fit nothing. Edits count: a message is looked at again whenever
        it changes.

        Raises:
            NotSeenError: none came in time; the text has what came instead.
        """

        def look() -> Message | None:
            for message_id in self._unclaimed:
                message = self._world.messages.find(message_id)
                if message is not None and not message.is_loading and fits(message):
                    del self._unclaimed[message_id]
                    return message
            return None

        try:
            return await self._bell.wait_for(look, timeout_s, what)
        except NotSeenError as error:
            raise NotSeenError(f"{error}; {self._instead()}") from error

    async def wait_until(self, look: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Return when `look` is true; it is asked whenever anything happens in the world.

        Raises:
            NotSeenError: it did not become so in time.
        """
        await self._bell.wait_for(lambda: True if look() else None, timeout_s, what)

    def _instead(self) -> str:
        found = [self._world.messages.find(each) for each in self._unclaimed]
        shown = [repr(message.content) for message in found if message is not None]
        return f"unread instead: {', '.join(shown[-_SHOWN:])}" if shown else "nothing was written"

    def _see(self, event: Event) -> None:
        if isinstance(event, MessageChanged):
            self._note(event.change, event.message)
        elif isinstance(event, MessagesDeleted):
            for message_id in event.message_ids:
                self._unclaimed.pop(message_id, None)
        self._bell.ring()

    def _note(self, change: Change, message: Message) -> None:
        if change is Change.DELETED:
            self._unclaimed.pop(message.id, None)
        elif change is Change.CREATED and self._sees(message):
            self._unclaimed[message.id] = None

    def _sees(self, message: Message) -> bool:
        if message.author_id == self._user_id or message.visible_to not in {None, self._user_id}:
            return False
        try:
            channel = self._world.directory.channel(message.channel_id)
        except RefusedError:
            return False
        held = self._world.directory.permissions(self._user_id, channel)
        return bool(held & Permission.VIEW_CHANNEL)
