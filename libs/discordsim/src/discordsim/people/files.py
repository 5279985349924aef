"""Files as people upload them."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from discordsim.domain import Attachment
from discordsim.people.speech import Speech

if TYPE_CHECKING:
    from discordsim.snowflakes import Snowflakes

__all__ = ("File", "attached", "recorded")

_LEVELS = 64


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload."""

    name: str
    content: bytes = field(repr=False)
    content_type: str | None = None
    """Media type; None takes what the name says."""

    @classmethod
    async def read(cls, path: Path | str) -> File:
        """Return a file of this machine.

        Raises:
            OSError: it cannot be read.
        """
        found = Path(path)
        return cls(found.name, await asyncio.to_thread(found.read_bytes))


async def attached(ids: Snowflakes, file: File | Path | str) -> Attachment:
    """Return a file as it is on a message.

    Raises:
        OSError: it cannot be read.
    """
    opened = file if isinstance(file, File) else await File.read(file)
    kind = opened.content_type or mimetypes.guess_type(opened.name)[0]
    return Attachment(ids.next(), opened.name, opened.content, kind)


async def recorded(ids: Snowflakes, path: Path | str) -> Attachment:
    """Return a recording as a voice message has it: with its length and its levels.

    Raises:
        OSError: it cannot be read.
        UnreadableAudioError: it is no recording.
    """
    file = await File.read(path)
    speech = await asyncio.to_thread(Speech.from_file, path)
    kind = mimetypes.guess_type(file.name)[0] or "audio/ogg"
    return Attachment(
        ids.next(),
        file.name,
        file.content,
        kind,
        duration_s=round(speech.duration_s, 3),
        waveform=_waveform(speech),
    )


def _waveform(speech: Speech) -> str:
    """Up to 64 levels, 0 to 255, of the parts of a recording."""
    loudness = 10 ** (speech.levels_db / 20)
    parts = np.array_split(loudness, min(_LEVELS, len(loudness)))
    levels = np.array([part.max() for part in parts])
    scaled = np.clip(levels / max(float(levels.max()), 1e-6) * 255, 0, 255)
    return base64.b64encode(scaled.astype(np.uint8).tobytes()).decode()
