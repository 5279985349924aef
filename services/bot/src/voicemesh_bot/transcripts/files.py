"""A whole transcript as a file to send to people."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_bot.transcripts.exports import export, file_name

if TYPE_CHECKING:
    from voicemesh_bot.guilds.ports import TranscriptStore
    from voicemesh_bot.guilds.transcripts import TranscriptLine
    from voicemesh_bot.transcripts.exports import TranscriptFormat

__all__ = ("TranscriptFile", "transcript_file")

_PAGE_LINES = 1000
_MOST_LINES = 100_000
"""A week of talk without a pause; what is said later is left out."""


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """A file."""

    name: str
    """Its name, with the ending of its format."""

    content: bytes
    """UTF-8."""


async def transcript_file(
    store: TranscriptStore,
    guild_id: int,
    format: TranscriptFormat,
    *,
    channel_id: int | None = None,
    session_id: str = "",
) -> TranscriptFile | None:
    """The transcript of a session.

    Args:
        store: where lines are kept; those that still wait are to be flushed before.
        guild_id: the guild.
        format: the form of the file.
        channel_id: the latest session in this voice channel; None means in any.
        session_id: this session instead of the latest.

    Returns:
        The file; None if nothing is kept.

    Raises:
        DatabaseUnavailableError: if the store is away.
    """
    if not session_id:
        latest = await store.sessions(guild_id, channel_id=channel_id, limit=1)
        if not latest:
            return None
        session_id = latest[0].session_id
    lines: list[TranscriptLine] = []
    while len(lines) < _MOST_LINES:
        page = await store.lines(guild_id, session_id, skip=len(lines), limit=_PAGE_LINES)
        lines.extend(page)
        if len(page) < _PAGE_LINES:
            break
    if not lines:
        return None
    # A long one takes a while to write.
    text = await asyncio.to_thread(export, lines, format)
    return TranscriptFile(file_name(lines, format), text.encode())
