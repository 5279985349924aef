"""JSON and files out of a request: plain JSON, or a form with `payload_json` and `files[n]`."""

from __future__ import annotations

import json
import mimetypes
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader

from discordsim.errors import RefusedError
from discordsim.world.content import REQUEST_LIMIT_BYTES

if TYPE_CHECKING:
    from discordsim.rest.call import Call

__all__ = ("Body", "Upload", "read_body", "safe_filename", "type_of_file")

_FILE = re.compile(r"files\[(\d+)\]")
_UNSAFE = re.compile(r"[^\w.\-]+")
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str | None


@dataclass(frozen=True, slots=True)
class Body:
    """What came with a request."""

    fields: dict[str, Any]
    files: dict[int, Upload] = field(default_factory=dict)
    """By the number that the fields call them by."""


def safe_filename(name: str) -> str:
    """Return a file's name as Discord keeps it: no path, no spaces."""
    return _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]) or "unknown"


def type_of_file(name: str, said: str | None = None) -> str | None:
    """Return a file's media type, by its name as Discord does, else what the sender said."""
    guessed, _ = mimetypes.guess_type(name)
    return guessed or (said if said != "application/octet-stream" else None)


async def read_body(call: Call) -> Body:
    """Read a body.

    Raises:
        RefusedError: it is not JSON, not an object or too large.
    """
    if not call.request.content_type.startswith("multipart/"):
        return Body(await call.json())
    fields: dict[str, Any] = {}
    files: dict[int, Upload] = {}
    left = REQUEST_LIMIT_BYTES
    async for part in await call.request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = await _content(part, left)
        left -= len(content)
        if part.name == "payload_json":
            fields = _object(content)
        elif (match := _FILE.fullmatch(part.name or "")) is not None:
            name = safe_filename(part.filename or "")
            said = part.headers.get("Content-Type")
            files[int(match[1])] = Upload(name, content, type_of_file(name, said))
    return Body(fields, files)


async def _content(part: BodyPartReader, most: int) -> bytes:
    pieces = bytearray()
    while piece := await part.read_chunk(_PIECE):
        pieces += piece
        if len(pieces) > most:
            raise RefusedError(413, 40005, "Request entity too large")
    return bytes(pieces)


def _object(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise RefusedError(400, 50109, "The request body contains invalid JSON.") from error
    if not isinstance(found, dict):
        raise RefusedError(400, 50109, "The request body contains invalid JSON.")
    return found
