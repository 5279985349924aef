"""Keeps what was said until it expires."""

from __future__ import annotations

import time
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, tuple_

from voicemesh_bot.guilds.transcripts import TranscriptLine, TranscriptSession
from voicemesh_bot.stores.rows import insert_unless_there
from voicemesh_bot.stores.schema import consents, transcript_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_bot.stores.database import BotDatabase

__all__ = ("TranscriptTable",)

_MOST_LINES = 1000
_MOST_SESSIONS = 100
_COLUMNS = tuple(transcript_lines.c[each.name] for each in fields(TranscriptLine))


class TranscriptTable:
    """A `TranscriptStore` in the bot's database."""

    def __init__(self, database: BotDatabase, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def add(self, lines: Sequence[TranscriptLine], *, expire_time: float) -> int:
        """See `TranscriptStore.add`."""
        if len(lines) > _MOST_LINES:
            msg = f"at most {_MOST_LINES} lines at once"
            raise ValueError(msg)
        if not lines or expire_time <= self._now():
            return 0
        async with self._database.transaction() as connection:
            agreed = await _agreed(connection, lines)
            kept = [
                {**asdict(line), "expire_time": expire_time}
                for line in lines
                if line.speaker_id is None or (line.guild_id, line.speaker_id) in agreed
            ]
            if kept:
                await insert_unless_there(connection, transcript_lines, kept)
        return len(kept)

    async def lines(
        self, guild_id: int, session_id: str, *, skip: int = 0, limit: int = _MOST_LINES
    ) -> tuple[TranscriptLine, ...]:
        """See `TranscriptStore.lines`."""
        found = (
            select(*_COLUMNS)
            .where(
                transcript_lines.c.guild_id == guild_id,
                transcript_lines.c.session_id == session_id,
                transcript_lines.c.expire_time > self._now(),
            )
            .order_by(transcript_lines.c.start_time, transcript_lines.c.number)
            .offset(skip)
            .limit(max(1, min(limit, _MOST_LINES)))
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(found)
            return tuple(TranscriptLine(**row._mapping) for row in rows)

    async def sessions(
        self, guild_id: int, *, channel_id: int | None = None, limit: int = 10
    ) -> tuple[TranscriptSession, ...]:
        """See `TranscriptStore.sessions`."""
        table = transcript_lines
        wanted = [table.c.guild_id == guild_id, table.c.expire_time > self._now()]
        if channel_id is not None:
            wanted.append(table.c.channel_id == channel_id)
        began = func.min(table.c.start_time)
        found = (
            select(
                table.c.session_id,
                table.c.channel_id,
                began.label("start_time"),
                func.max(table.c.end_time).label("end_time"),
                func.count().label("lines"),
            )
            .where(*wanted)
            .group_by(table.c.session_id, table.c.channel_id)
            .order_by(began.desc(), table.c.session_id)
            .limit(max(1, min(limit, _MOST_SESSIONS)))
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(found)
            return tuple(TranscriptSession(**row._mapping) for row in rows)

    async def expire(self) -> int:
        """See `TranscriptStore.expire`."""
        old = delete(transcript_lines).where(transcript_lines.c.expire_time <= self._now())
        async with self._database.transaction() as connection:
            return (await connection.execute(old)).rowcount


async def _agreed(
    connection: AsyncConnection, lines: Iterable[TranscriptLine]
) -> set[tuple[int, int]]:
    """Guild and person of each speaker who agrees; until the transaction ends, none can take back.

    On PostgreSQL the rows are locked for that; on SQLite one transaction writes at a time.
    """
    speakers = {(each.guild_id, each.speaker_id) for each in lines if each.speaker_id is not None}
    if not speakers:
        return set()
    key = tuple_(consents.c.guild_id, consents.c.user_id)
    found = (
        select(consents.c.guild_id, consents.c.user_id)
        .where(key.in_(sorted(speakers)), consents.c.given)
        .order_by(consents.c.guild_id, consents.c.user_id)
        .with_for_update(read=True)
    )
    rows = await connection.execute(found)
    return {(row.guild_id, row.user_id) for row in rows}
