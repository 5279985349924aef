"""A person who writes and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.domain import Channel, Message, MessageFlag, User
from discordsim.errors import RefusedError
from discordsim.people.files import File, attached, recorded
from discordsim.people.mailbox import Mailbox
from discordsim.permissions import Permission
from discordsim.world.content import check_content
from discordsim.world.messages import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from discordsim.domain import Attachment
    from discordsim.world import World

__all__ = ("Texting",)


class Texting:
    """The part of a person that writes and reads; see `Person`."""

    def __init__(self, world: World, user: User) -> None:
        """Take a user of the world."""
        self._world = world
        self._mailbox = Mailbox(world, user.id)
        self.id = user.id

    @property
    def user(self) -> User:
        """The user as others see it."""
        return self._world.directory.user(self.id)

    @property
    def name(self) -> str:
        """The name that others read."""
        return self.user.display_name

    @property
    def mention(self) -> str:
        """What to write to ping them."""
        return f"<@{self.id}>"

    def __repr__(self) -> str:
        return f"<Person {self.name} {self.id}>"

    # Writing

    async def type(
        self, channel: Channel, text: str, *, reply_to: Message | None = None
    ) -> Message:
        """Type a text and send it.

        Raises:
            RefusedError: Discord refuses: too long, empty, not allowed here.
        """
        self._world.messages.type_in(self.id, self._now(channel))
        return self._write(channel, text, (), reply_to)

    async def upload(
        self,
        channel: Channel,
        *files: File | Path | str,
        text: str = "",
        reply_to: Message | None = None,
    ) -> Message:
        """Send files, with a text or without.

        Raises:
            RefusedError: Discord refuses: too large, too many, not allowed here.
            OSError: a file cannot be read.
        """
        found = [await attached(self._world.ids, file) for file in files]
        return self._write(channel, text, found, reply_to)

    async def send_voice_message(self, channel: Channel, path: Path | str) -> Message:
        """Send a recording as a voice message.

        Raises:
            RefusedError: Discord refuses: no audio, not allowed here.
            UnreadableAudioError: it is no recording.
        """
        recording = await recorded(self._world.ids, path)
        return self._write(channel, "", [recording], None, int(MessageFlag.IS_VOICE_MESSAGE))

    def _write(
        self,
        channel: Channel,
        text: str,
        files: Iterable[Attachment],
        reply_to: Message | None,
        flags: int = 0,
    ) -> Message:
        place = self._now(channel)
        draft = Draft(
            content=check_content(text),
            attachments=tuple(files),
            flags=flags,
            reply_to=None if reply_to is None else reply_to.id,
        )
        self._world.messages.require_writing(self.id, place, draft)
        return self._world.messages.write(self.id, place, draft)

    async def edit(self, message: Message, text: str) -> Message:
        """Change what they wrote.

        Raises:
            RefusedError: Discord refuses.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        if now.author_id != self.id:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        draft = Draft(
            check_content(text), now.embeds, now.components, now.attachments, flags=now.flags
        )
        return self._world.messages.edit(now, draft)

    async def delete(self, message: Message) -> None:
        """Delete what they wrote, or what others wrote if they may.

        Raises:
            RefusedError: it is gone already, or they may not.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        if now.author_id != self.id:
            self._require(now, Permission.MANAGE_MESSAGES)
        self._world.messages.delete(now)

    async def react(self, message: Message, emoji: str) -> None:
        """React to a message with an emoji.

        Raises:
            RefusedError: the message is gone, or they may not.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        self._require(now, Permission.ADD_REACTIONS)
        self._world.messages.react(now, self.id, emoji)

    async def take_reaction_back(self, message: Message, emoji: str) -> None:
        """Take a reaction back.

        Raises:
            RefusedError: the message is gone, or nobody reacted so.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        self._world.messages.take_reaction_back(now, self.id, emoji)

    def direct_messages(self, other: Texting | int) -> Channel:
        """Return the channel of direct messages with somebody, such as a bot's id."""
        other_id = other if isinstance(other, int) else other.id
        return self._world.directory.direct_channel(self.id, other_id)

    # Reading

    async def wait_for_message(
        self,
        channel: Channel | None = None,
        *,
        author: Texting | User | int | None = None,
        contains: str | None = None,
        where: Callable[[Message], bool] | None = None,
        timeout_s: float = 10.0,
    ) -> Message:
        """Return a message of somebody else that no earlier call has returned.

        It may have come before this call. A message that is edited until it fits counts; one that
        still "thinks" does not.

        Args:
            channel: where; None for everywhere that they can see.
            author: who wrote it.
            contains: what it contains, in any case of letters.
            where: what else must be true of it.
            timeout_s: how long to wait at most.

        Raises:
            NotSeenError: there was none in time; the text has what came instead.
        """
        author_id = author if isinstance(author, int) or author is None else author.id

        def fits(message: Message) -> bool:
            return (
                (channel is None or message.channel_id == channel.id)
                and author_id in {None, message.author_id}
                and (contains is None or contains.casefold() in message.content.casefold())
                and (where is None or where(message))
            )

        named = "" if contains is None else f" with {contains!r}"
        return await self._mailbox.claim(
            fits, timeout_s=timeout_s, what=f"{self.name} waiting for a message{named}"
        )

    async def wait_for_change(
        self,
        message: Message,
        where: Callable[[Message], bool],
        *,
        timeout_s: float = 10.0,
    ) -> Message:
        """Return a message as soon as something is true of it, such as a text or a reaction.

        Raises:
            NotSeenError: it did not become so in time, or was deleted.
        """

        def look() -> bool:
            now = self._world.messages.find(message.id)
            return now is None or where(now)

        what = f"{self.name} waiting for a change of {message.content[:40]!r}"
        await self._mailbox.wait_until(look, timeout_s=timeout_s, what=what)
        return self._world.messages.get(message.channel_id, message.id)

    async def wait_until(
        self, look: Callable[[], bool], *, timeout_s: float = 10.0, what: str = "that"
    ) -> None:
        """Return when `look` is true; it is asked whenever anything happens.

        Raises:
            NotSeenError: it did not become so in time.
        """
        await self._mailbox.wait_until(look, timeout_s=timeout_s, what=what)

    def messages(self, channel: Channel) -> tuple[Message, ...]:
        """Return what they can read in a channel, oldest first."""
        return self._world.messages.history(channel.id, reader_id=self.id)

    def _require(self, message: Message, wanted: Permission) -> None:
        channel = self._world.directory.channel(message.channel_id)
        self._world.directory.require(self.id, channel, wanted)

    def _now(self, channel: Channel) -> Channel:
        """The channel as it is now; tests may hold an older one."""
        return self._world.directory.channel(channel.id)
