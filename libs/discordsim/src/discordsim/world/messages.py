"""What is written: messages with their files and reactions, in order."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from discordsim.domain import (
    Attachment,
    Channel,
    ChannelKind,
    Json,
    Message,
    MessageFlag,
    MessageKind,
    Reaction,
)
from discordsim.errors import RefusedError, invalid_form, unknown
from discordsim.events import (
    Change,
    ChannelChanged,
    MessageChanged,
    MessagesDeleted,
    ReactionChanged,
    TypingStarted,
)
from discordsim.permissions import Permission
from discordsim.world.content import check_attachments
from discordsim.world.mentions import mentions_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.events import Events
    from discordsim.snowflakes import Snowflakes
    from discordsim.world.directory import Directory

__all__ = ("Draft", "Messages")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be written; its parts are checked by `discordsim.world.content`."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0
    allowed_mentions: Json | None = None
    """None allows all."""
    reply_to: int | None = None
    fail_if_reply_is_gone: bool = True
    nonce: str | None = None
    enforce_nonce: bool = False
    """Whether a second message with the same nonce is the first one again."""
    tts: bool = False
    kind: MessageKind = MessageKind.DEFAULT
    interaction_id: int | None = None
    application_id: int | None = None
    visible_to: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.content or self.embeds or self.components or self.attachments)


class Messages:
    """All messages by id."""

    def __init__(
        self, directory: Directory, ids: Snowflakes, events: Events, clock: Callable[[], float]
    ) -> None:
        """Start with none.

        Args:
            directory: who may write where.
            ids: makes ids.
            events: where changes are told.
            clock: seconds since 1970.
        """
        self._directory = directory
        self._ids = ids
        self._events = events
        self._clock = clock
        self._messages: dict[int, Message] = {}
        self._by_channel: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._nonces: dict[tuple[int, str], int] = {}
        # Files outlive their messages, as on Discord's servers; the tests are short.
        self._attachments: dict[int, Attachment] = {}
        events.subscribe(self._forget_channel)

    def get(self, channel_id: int, message_id: int) -> Message:
        """Return a message, an ephemeral one too.

        Raises:
            RefusedError: there is none with this id in the channel.
        """
        message = self._messages.get(message_id)
        if message is None or message.channel_id != channel_id:
            raise unknown("Message")
        return message

    def find(self, message_id: int) -> Message | None:
        """Return a message of any channel, or None."""
        return self._messages.get(message_id)

    def attachment(self, attachment_id: int) -> Attachment | None:
        """Return a file by its id, or None."""
        return self._attachments.get(attachment_id)

    def keep(self, attachment: Attachment) -> None:
        """Keep a file that is on no message: one that was given to a command."""
        self._attachments[attachment.id] = attachment

    def history(self, channel_id: int, *, reader_id: int | None = None) -> tuple[Message, ...]:
        """Return the messages of a channel, oldest first, with ephemeral ones of the reader."""
        written = (self._messages[each] for each in self._by_channel[channel_id])
        return tuple(each for each in written if each.visible_to in {None, reader_id})

    def count(self, channel_id: int) -> int:
        """Return how many messages a channel has."""
        return len(self._by_channel[channel_id])

    def latest_id(self, channel_id: int) -> int | None:
        """Return the id of the last message of a channel, or None."""
        return next(reversed(self._by_channel[channel_id]), None)

    def require_writing(self, author_id: int, channel: Channel, draft: Draft) -> None:
        """Check that somebody may write this here.

        Raises:
            RefusedError: they may not, or there is nothing to show.
        """
        wanted = Permission.SEND_MESSAGES
        if channel.kind.is_thread:
            wanted = Permission.SEND_MESSAGES_IN_THREADS
        if channel.kind is ChannelKind.CATEGORY:
            raise RefusedError(400, 50008, "Cannot send messages in a non-text channel")
        if draft.attachments:
            wanted |= Permission.ATTACH_FILES
        voice_message = bool(draft.flags & MessageFlag.IS_VOICE_MESSAGE)
        if voice_message:
            wanted |= Permission.SEND_VOICE_MESSAGES
        if draft.reply_to is not None:
            wanted |= Permission.READ_MESSAGE_HISTORY
        self._directory.require(author_id, channel, wanted)
        if channel.archived and channel.locked:
            raise RefusedError(400, 50083, "Thread is archived")
        if voice_message and (draft.content or draft.embeds):
            raise RefusedError(400, 50159, "Voice messages do not support additional content.")

    def write(self, author_id: int, channel: Channel, draft: Draft) -> Message:
        """Write a message; `require_writing` says whether its author may.

        Raises:
            RefusedError: it is empty, its files are not allowed, or it replies to nothing.
        """
        if draft.is_empty and not draft.flags & MessageFlag.LOADING:
            raise RefusedError(400, 50006, "Cannot send an empty message")
        voice_message = bool(draft.flags & MessageFlag.IS_VOICE_MESSAGE)
        check_attachments(draft.attachments, voice_message=voice_message)
        if draft.nonce is not None and draft.enforce_nonce:
            earlier = self._messages.get(self._nonces.get((author_id, draft.nonce), 0))
            if earlier is not None:
                return earlier
        replied = None if draft.reply_to is None else self._messages.get(draft.reply_to)
        if draft.reply_to is not None and (replied is None or replied.channel_id != channel.id):
            if draft.fail_if_reply_is_gone:
                raise invalid_form(
                    {"message_reference": [("REPLIES_UNKNOWN_MESSAGE", "Unknown message")]}
                )
            replied = None
        message = self._made(author_id, channel, draft, replied)
        self._messages[message.id] = message
        self._by_channel[channel.id][message.id] = None
        self._attachments |= {each.id: each for each in message.attachments}
        if draft.nonce is not None:
            self._nonces[author_id, draft.nonce] = message.id
        if channel.archived:
            self._directory.change_channel(channel.id, archived=False)
        self._events.emit(MessageChanged(Change.CREATED, message))
        return message

    def _made(
        self, author_id: int, channel: Channel, draft: Draft, replied: Message | None
    ) -> Message:
        mentions = mentions_in(
            draft.content,
            draft.allowed_mentions,
            replied_to=None if replied is None else replied.author_id,
        )
        everyone = mentions.everyone and bool(
            self._directory.permissions(author_id, channel) & Permission.MENTION_EVERYONE
        )
        return Message(
            id=self._ids.next(),
            channel_id=channel.id,
            author_id=author_id,
            content=draft.content,
            created_time=self._clock(),
            kind=MessageKind.REPLY if replied is not None else draft.kind,
            flags=draft.flags,
            embeds=draft.embeds,
            components=draft.components,
            attachments=draft.attachments,
            mention_ids=mentions.user_ids,
            mention_role_ids=mentions.role_ids,
            mention_everyone=everyone,
            reply_to=None if replied is None else replied.id,
            interaction_id=draft.interaction_id,
            application_id=draft.application_id,
            visible_to=draft.visible_to,
            nonce=draft.nonce,
            tts=draft.tts,
        )

    def edit(self, message: Message, draft: Draft, *, marks_edited: bool = True) -> Message:
        """Give a message what `draft` shows; its pings stay as they would be if written anew.

        Raises:
            RefusedError: nothing would be left to show, or its files are not allowed.
        """
        if draft.is_empty:
            raise RefusedError(400, 50006, "Cannot send an empty message")
        if message.flags & MessageFlag.IS_VOICE_MESSAGE:
            raise RefusedError(400, 50162, "Voice messages cannot be edited.")
        check_attachments(draft.attachments, voice_message=False)
        mentions = mentions_in(draft.content, draft.allowed_mentions)
        edited = replace(
            message,
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            attachments=draft.attachments,
            flags=draft.flags,
            mention_ids=mentions.user_ids,
            mention_role_ids=mentions.role_ids,
            edited_time=self._clock() if marks_edited else message.edited_time,
        )
        return self._put(edited)

    def pin(self, message: Message, *, pinned: bool) -> Message:
        """Pin a message, or take the pin off."""
        return self._put(replace(message, pinned=pinned))

    def delete(self, message: Message) -> None:
        """Delete a message."""
        self._forget(message.channel_id, message.id)
        self._events.emit(MessageChanged(Change.DELETED, message))

    def delete_many(self, channel_id: int, message_ids: tuple[int, ...]) -> None:
        """Delete messages of a channel at once; those that are not there are left out."""
        gone = tuple(
            each
            for each in message_ids
            if (message := self._messages.get(each)) is not None
            and message.channel_id == channel_id
        )
        for message_id in gone:
            self._forget(channel_id, message_id)
        self._events.emit(MessagesDeleted(channel_id, gone))

    def react(self, message: Message, user_id: int, emoji: str) -> Message:
        """Add somebody's reaction; a second one of the same emoji changes nothing."""
        reactions = {each.emoji: each.user_ids for each in message.reactions}
        if user_id in reactions.get(emoji, ()):
            return message
        reactions[emoji] = (*reactions.get(emoji, ()), user_id)
        return self._reacted(message, reactions, Change.CREATED, emoji, user_id)

    def take_reaction_back(self, message: Message, user_id: int, emoji: str) -> Message:
        """Remove somebody's reaction.

        Raises:
            RefusedError: nobody reacted with this emoji.
        """
        reactions = {each.emoji: each.user_ids for each in message.reactions}
        if emoji not in reactions:
            raise unknown("Emoji")
        if user_id not in reactions[emoji]:
            return message
        reactions[emoji] = tuple(each for each in reactions[emoji] if each != user_id)
        return self._reacted(message, reactions, Change.DELETED, emoji, user_id)

    def _reacted(
        self,
        message: Message,
        reactions: dict[str, tuple[int, ...]],
        change: Change,
        emoji: str,
        user_id: int,
    ) -> Message:
        kept = tuple(Reaction(each, users) for each, users in reactions.items() if users)
        changed = replace(message, reactions=kept)
        self._messages[message.id] = changed
        self._events.emit(ReactionChanged(change, changed, emoji, user_id))
        return changed

    def type_in(self, user_id: int, channel: Channel) -> None:
        """Show that somebody is typing.

        Raises:
            RefusedError: they may not write there.
        """
        self.require_writing(user_id, channel, Draft("…"))
        self._events.emit(TypingStarted(channel.id, user_id, self._clock()))

    def _put(self, message: Message) -> Message:
        if message.id not in self._messages:
            raise unknown("Message")
        self._attachments |= {each.id: each for each in message.attachments}
        self._messages[message.id] = message
        self._events.emit(MessageChanged(Change.UPDATED, message))
        return message

    def _forget_channel(self, event: object) -> None:
        if isinstance(event, ChannelChanged) and event.change is Change.DELETED:
            for message_id in self._by_channel.pop(event.channel.id, {}):
                del self._messages[message_id]

    def _forget(self, channel_id: int, message_id: int) -> None:
        del self._messages[message_id]
        del self._by_channel[channel_id][message_id]
