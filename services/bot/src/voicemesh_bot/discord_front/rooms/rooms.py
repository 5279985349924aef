"""All voice rooms of one login, at most one in each guild."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from voicemesh_bot.discord_front.rooms.herald import Letter, send
from voicemesh_bot.discord_front.rooms.room import VoiceChannel, VoiceRoom
from voicemesh_bot.discord_front.rooms.steering import Steering
from voicemesh_bot.voice.errors import JoinError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    import discord
    from discord.abc import Messageable

    from voicemesh_bot.discord_front.rooms.parts import RoomParts, RoomStores

__all__ = ("VoiceRooms",)

_Made = TypeVar("_Made")

_CLOSE_S = 8.0

_logger = get_logger(__name__)


class VoiceRooms:
    """Joins and leaves; belongs to one event loop and one login of the bot."""

    def __init__(self, parts: RoomParts, *, most_rooms: int = 100) -> None:
        """Takes what rooms are made of, and how many there may be at once."""
        self._parts = parts
        self._most_rooms = most_rooms
        self._rooms: dict[int, VoiceRoom] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._joining: set[int] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        self._steering = Steering(parts.stores.guilds, self)
        self._closing = False

    @property
    def parts(self) -> RoomParts:
        """What rooms are made of."""
        return self._parts

    @property
    def stores(self) -> RoomStores:
        """Where what people decided and said is kept."""
        return self._parts.stores

    def room(self, guild_id: int) -> VoiceRoom | None:
        """The room of a guild; None while the bot is in none of its channels."""
        return self._rooms.get(guild_id)

    async def join(
        self,
        channel: VoiceChannel,
        *,
        told_in: Messageable | None = None,
        allow: Callable[[VoiceRoom | None], None] = lambda _: None,
    ) -> VoiceRoom:
        """Comes into a channel, from another of the guild if it is in one.

        Args:
            channel: where to go.
            told_in: where it tells of itself; None means the channel's own chat, or where it has
                told of itself before.
            allow: called with the room that there is, once nobody else joins or leaves; what it
                raises is raised, and the bot stays where it is.

        Raises:
            JoinError: with a sentence for people, if it may not or cannot.
            DatabaseUnavailableError: if it cannot be known what the guild decided.
        """
        guild_id = channel.guild.id
        async with self._lock(guild_id):
            self._refuse_if_full(guild_id)
            allow(self._rooms.get(guild_id))
            if (room := self._rooms.get(guild_id)) is not None:
                await self._move(room, channel, told_in)
                return room
            self._joining.add(guild_id)
            try:
                return await self._open(channel, told_in)
            finally:
                self._joining.discard(guild_id)

    async def leave(self, guild_id: int) -> bool:
        """Leaves the guild's voice channel; False if the bot is in none.

        Cancelled, it leaves all the same, and is cancelled then.
        """
        async with self._lock(guild_id):
            room = self._rooms.pop(guild_id, None)
            if room is None:
                return False
            closing = self._spawn(room.aclose())
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                await asyncio.wait({closing})  # Nobody joins before: there is one place in a guild.
                raise
            _logger.info("voice room closed", rooms=len(self._rooms))
            return True

    async def refresh(self, guild_id: int) -> None:
        """Takes over, at once, what a guild or somebody in it has just decided.

        Raises:
            DatabaseUnavailableError: if it cannot be read; nobody is heard there until it can.
        """
        self._steering.note_settings(guild_id)
        if (room := self._rooms.get(guild_id)) is not None:
            await room.reload()

    def channel_id(self, guild_id: int) -> int | None:
        """In which voice channel of a guild the bot is; None is none."""
        room = self._rooms.get(guild_id)
        return None if room is None else room.channel.id

    def note_ready(self, guilds: Iterable[discord.Guild]) -> None:
        """Notes which guilds there are; the bot may be wanted in some of them."""
        for guild in guilds:
            self._steering.note(guild)

    def note_voice_state(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Notes that somebody came, left, moved or muted."""
        if before.channel == after.channel:
            return
        if (room := self._rooms.get(member.guild.id)) is not None:
            room.note_people()
        self._steering.note(member.guild)

    def note_member(self, member: discord.Member) -> None:
        """Notes that somebody has another name."""
        if (room := self._rooms.get(member.guild.id)) is not None:
            room.note_people()

    def note_guild_removed(self, guild_id: int) -> None:
        """Notes that the bot is in a guild no more."""
        self._steering.forget(guild_id)
        self._spawn(self.leave(guild_id))

    async def aclose(self) -> None:
        """Leaves every channel, all at once."""
        self._closing = True
        await self._steering.aclose()
        # Also those that are being joined or left at this moment: who holds the lock is waited for.
        for guild_id in tuple(self._locks):
            self._spawn(self.leave(guild_id))
        if leaving := tuple(self._tasks):
            _, late = await asyncio.wait(leaving, timeout=_CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _refuse_if_full(self, guild_id: int) -> None:
        if self._closing:
            msg = "I am about to stop; try again in a minute."
            raise JoinError(msg)
        others = (self._rooms.keys() | self._joining) - {guild_id}
        if len(others) >= self._most_rooms:
            msg = "I am in as many voice channels as I can be; try again later."
            raise JoinError(msg)

    def _lock(self, guild_id: int) -> asyncio.Lock:
        return self._locks.setdefault(guild_id, asyncio.Lock())

    def _spawn(self, work: Coroutine[object, object, _Made]) -> asyncio.Task[_Made]:
        task = asyncio.create_task(work, name="voice rooms")
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("a voice room could not be ended in order", exc_info=error)

    async def _open(self, channel: VoiceChannel, told_in: Messageable | None) -> VoiceRoom:
        guild_id = channel.guild.id
        guild = await self._parts.stores.guilds.guild(guild_id)
        room = VoiceRoom(channel, told_in, guild, self._parts, self._note_end)
        try:
            await room.open()
        except BaseException:
            await room.aclose()
            raise
        self._rooms[guild_id] = room
        _logger.info("voice room opened", rooms=len(self._rooms))
        return room

    async def _move(
        self, room: VoiceRoom, channel: VoiceChannel, told_in: Messageable | None
    ) -> None:
        try:
            await room.move(channel, told_in=told_in)
        except JoinError:
            if room.is_lost:
                del self._rooms[channel.guild.id]
                await room.aclose()
            raise

    def _note_end(self, room: VoiceRoom, sentence: str) -> None:
        self._spawn(self._end(room, sentence))

    async def _end(self, room: VoiceRoom, sentence: str) -> None:
        guild_id = room.channel.guild.id
        async with self._lock(guild_id):
            if self._rooms.get(guild_id) is not room:
                return
            del self._rooms[guild_id]
            await room.aclose()
        if sentence:
            await send(Letter(room.told_in, sentence))
