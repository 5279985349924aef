"""Keeps who agreed to be listened to and what people want, and forgets them."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, select

from voicemesh_bot.guilds.bounds import check_id
from voicemesh_bot.guilds.people import Consent, Forgotten, PersonVoice
from voicemesh_bot.stores.rows import insert_or_update, insert_unless_there
from voicemesh_bot.stores.schema import consents, person_voices, transcript_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.stores.database import BotDatabase

__all__ = ("PeopleTable",)


class PeopleTable:
    """A `ConsentStore` and a `PersonStore` in the bot's database."""

    def __init__(self, database: BotDatabase, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def consents(self, guild_id: int) -> tuple[Consent, ...]:
        """See `ConsentStore.consents`."""
        found = (
            select(consents)
            .where(consents.c.guild_id == guild_id)
            .order_by(consents.c.change_time, consents.c.user_id)
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(found)
            return tuple(Consent(**row._mapping) for row in rows)

    async def consent(self, guild_id: int, user_id: int) -> Consent | None:
        """See `ConsentStore.consent`."""
        found = select(consents).where(
            consents.c.guild_id == guild_id, consents.c.user_id == user_id
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(found)).one_or_none()
        return None if row is None else Consent(**row._mapping)

    async def decide(
        self, guild_id: int, user_id: int, *, given: bool, remembered: bool = True
    ) -> Consent:
        """See `ConsentStore.decide`."""
        check_id(guild_id, "guild_id")
        check_id(user_id, "user_id")
        # Who said no shall not be asked to say it again.
        decided = Consent(guild_id, user_id, given, remembered or not given, self._now())
        async with self._database.transaction() as connection:
            await insert_or_update(connection, consents, asdict(decided))
        return decided

    async def person(self, guild_id: int, user_id: int) -> PersonVoice:
        """See `PersonStore.person`."""
        found = select(person_voices).where(
            person_voices.c.guild_id == guild_id, person_voices.c.user_id == user_id
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(found)).one_or_none()
        return PersonVoice(guild_id, user_id) if row is None else PersonVoice(**row._mapping)

    async def change_person(
        self, guild_id: int, user_id: int, change: Callable[[PersonVoice], PersonVoice]
    ) -> PersonVoice:
        """See `PersonStore.change_person`."""
        this = and_(person_voices.c.guild_id == guild_id, person_voices.c.user_id == user_id)
        unchanged = PersonVoice(guild_id, user_id)
        async with self._database.transaction() as connection:
            await insert_unless_there(connection, person_voices, [asdict(unchanged)])
            found = select(person_voices).where(this).with_for_update()
            changed = change(PersonVoice(**(await connection.execute(found)).one()._mapping))
            if (changed.guild_id, changed.user_id) != (guild_id, user_id):
                msg = "the wishes of one person cannot become those of another"
                raise ValueError(msg)
            if changed == unchanged:
                await connection.execute(delete(person_voices).where(this))
            else:
                values = {"language_code": changed.language_code, "voice": changed.voice}
                await connection.execute(person_voices.update().where(this).values(values))
        return changed

    async def forget(self, user_id: int, guild_id: int | None = None) -> Forgotten:
        """See `PersonStore.forget`."""
        counts = []
        async with self._database.transaction() as connection:
            # The consent first: who adds lines at the same moment holds it, or finds it gone.
            for column in (
                consents.c.user_id,
                person_voices.c.user_id,
                transcript_lines.c.speaker_id,
            ):
                deleting = delete(column.table).where(column == user_id)
                if guild_id is not None:
                    deleting = deleting.where(column.table.c.guild_id == guild_id)
                counts.append((await connection.execute(deleting)).rowcount)
        return Forgotten(*counts)
