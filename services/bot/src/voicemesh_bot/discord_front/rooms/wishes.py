"""What a guild and the people in its voice room decided, as far as a room needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.domain import VoiceChoice
from voicemesh_bot.guilds import GuildVoice, PersonVoice
from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_bot.discord_front.rooms.parts import RoomStores
    from voicemesh_bot.guilds import Consent

__all__ = ("Wishes",)

_logger = get_logger(__name__)


class Wishes:
    """A copy of what the database says of one guild; whoever is not in it agreed to nothing."""

    def __init__(self, guild: GuildVoice, stores: RoomStores, session_start_time: float) -> None:
        """Takes the guild's settings, and when the room's stay began, in seconds since 1970."""
        self._guild = guild
        self._stores = stores
        self._session_start_time = session_start_time
        self._people: dict[int, tuple[Consent | None, PersonVoice]] = {}
        self._is_stale = False
        self._reloads = 0

    @property
    def guild(self) -> GuildVoice:
        """The guild's settings."""
        return self._guild

    async def reload(self, user_ids: Iterable[int]) -> None:
        """Reads all of it anew.

        Raises:
            DatabaseUnavailableError, StorageFullError: if the database is away. Nobody agrees then
                until `learn` finds it back: somebody may just have taken their consent back.
        """
        self._people, self._is_stale = {}, True
        self._reloads += 1
        await self._read_all(user_ids)

    async def learn(self, user_ids: Iterable[int]) -> bool:
        """Reads what is not known yet, of these people and the guild; whether all is known now."""
        try:
            await self._read_all(user_ids)
        except (DatabaseUnavailableError, StorageFullError) as error:
            _logger.warning("nobody new is heard for now", reason=error.reason)
            return False
        return True

    def agrees(self, user_id: int) -> bool:
        """Whether somebody may be listened to."""
        consent, _ = self._people.get(user_id, (None, None))
        return consent is not None and consent.holds(self._session_start_time)

    def language(self, user_id: int) -> str:
        """BCP-47 code of what somebody speaks; empty if nobody said."""
        return self._guild.language_for(self._person(user_id))

    def voice(self, user_id: int | None) -> VoiceChoice:
        """How somebody wants to be answered; None is everybody."""
        if user_id is None:
            return VoiceChoice(self._guild.voice, self._guild.language_code)
        person = self._person(user_id)
        return VoiceChoice(self._guild.voice_for(person), self._guild.language_for(person))

    async def _read_all(self, user_ids: Iterable[int]) -> None:
        # What was read while a reload began may be older than what was decided before that: it is
        # read once more.
        wanted = tuple(user_ids)
        while self._is_stale or not self._people.keys() >= set(wanted):
            reloads = self._reloads
            if self._is_stale:
                guild = await self._stores.guilds.guild(self._guild.guild_id)
                if reloads == self._reloads:
                    self._guild, self._is_stale = guild, False
                continue
            user_id = next(each for each in wanted if each not in self._people)
            wishes = await self._read(user_id)
            if reloads == self._reloads:
                self._people[user_id] = wishes

    async def _read(self, user_id: int) -> tuple[Consent | None, PersonVoice]:
        guild_id = self._guild.guild_id
        consent = await self._stores.consents.consent(guild_id, user_id)
        return consent, await self._stores.people.person(guild_id, user_id)

    def _person(self, user_id: int) -> PersonVoice:
        _, person = self._people.get(user_id, (None, None))
        return person or PersonVoice(self._guild.guild_id, user_id)
