"""Takes the bot where its guilds want it without being told: see `guilds.presence`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

import discord

from voicemesh_bot.guilds.presence import Join, Presence
from voicemesh_bot.voice.errors import JoinError
from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from voicemesh_bot.guilds import GuildVoice
    from voicemesh_bot.guilds.ports import GuildStore
    from voicemesh_bot.guilds.presence import Move

__all__ = ("Steerable", "Steering")

_RETRY_S = 5.0

_logger = get_logger(__name__)


class Steerable(Protocol):
    """Goes where it is told."""

    def channel_id(self, guild_id: int) -> int | None:
        """In which voice channel of a guild the bot is; None is none."""

    async def join(self, channel: discord.VoiceChannel | discord.StageChannel) -> object:
        """Comes into a channel; raises `JoinError` or `DatabaseUnavailableError`."""

    async def leave(self, guild_id: int) -> bool:
        """Leaves the guild's channel."""


class _Guild:
    """What is known of one guild."""

    def __init__(self, guild: discord.Guild) -> None:
        self.guild = guild
        self.presence = Presence()
        self.settings: GuildVoice | None = None
        self.decisions = 0
        self.is_waiting = False
        self.looking = asyncio.Lock()
        self.timer: asyncio.TimerHandle | None = None


class Steering:
    """The bot's ways in all guilds; belongs to one event loop."""

    def __init__(self, guilds: GuildStore, bot: Steerable) -> None:
        """Takes where settings are kept, and who is steered."""
        self._store = guilds
        self._bot = bot
        self._guilds: dict[int, _Guild] = {}
        self._looks: set[asyncio.Task[None]] = set()

    def note(self, guild: discord.Guild) -> None:
        """Notes that somebody in a guild, or the bot, has come, gone or moved."""
        known = self._guilds.setdefault(guild.id, _Guild(guild))
        known.guild = guild
        self._look(known)

    def note_settings(self, guild_id: int) -> None:
        """Notes that a guild has decided something."""
        if (known := self._guilds.get(guild_id)) is not None:
            known.settings = None
            known.decisions += 1
            self._look(known)

    def forget(self, guild_id: int) -> None:
        """Notes that the bot is in a guild no more."""
        if (known := self._guilds.pop(guild_id, None)) is not None:
            _disarm(known)

    async def aclose(self) -> None:
        """Ends all ways."""
        for guild_id in tuple(self._guilds):
            self.forget(guild_id)
        looks = tuple(self._looks)
        for task in looks:
            task.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    def _look(self, known: _Guild) -> None:
        if known.is_waiting:
            return  # A look that has not begun will see all that there is to see.
        known.is_waiting = True
        task = asyncio.create_task(self._steer(known), name="steering")
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    async def _steer(self, known: _Guild) -> None:
        async with known.looking:
            known.is_waiting = False
            if self._guilds.get(known.guild.id) is not known:
                return
            _disarm(known)
            try:
                move = await self._decide(known)
                if move is not None:
                    await self._go(known.guild, move)
            except (DatabaseUnavailableError, StorageFullError) as error:
                _logger.warning("nobody knows where the bot is wanted", reason=error.reason)
                self._arm(known, _RETRY_S)

    async def _decide(self, known: _Guild) -> Move | None:
        settings, decisions = known.settings, known.decisions
        if settings is None:
            settings = await self._store.guild(known.guild.id)
            if decisions == known.decisions:
                known.settings = settings  # Else they may have been read before the last change.
        now_s = time.monotonic()
        here = self._bot.channel_id(known.guild.id)
        move = known.presence.update(settings, _people(known.guild), here, now_s)
        if (due_s := known.presence.due_s) is not None:
            self._arm(known, max(0.0, due_s - now_s))
        return move

    async def _go(self, guild: discord.Guild, move: Move) -> None:
        if not isinstance(move, Join):
            await self._bot.leave(guild.id)
            return
        channel = guild.get_channel(move.channel_id)
        if not isinstance(channel, discord.VoiceChannel | discord.StageChannel):
            return
        try:
            await self._bot.join(channel)
        except JoinError as error:
            _logger.warning("the bot could not go where it is wanted", sentence=str(error))

    def _arm(self, known: _Guild, wait_s: float) -> None:
        _disarm(known)
        known.timer = asyncio.get_running_loop().call_later(wait_s, self._look, known)


def _disarm(known: _Guild) -> None:
    if known.timer is not None:
        known.timer.cancel()
        known.timer = None


def _people(guild: discord.Guild) -> dict[int, set[int]]:
    """Who is in which voice channel, bots left out."""
    people: dict[int, set[int]] = {}
    for channel in (*guild.voice_channels, *guild.stage_channels):
        inside = {id_ for id_ in channel.voice_states if not _is_bot(guild, id_)}
        if inside:
            people[channel.id] = inside
    return people


def _is_bot(guild: discord.Guild, user_id: int) -> bool:
    member = guild.get_member(user_id)
    return user_id == guild.me.id or (member is not None and member.bot)
