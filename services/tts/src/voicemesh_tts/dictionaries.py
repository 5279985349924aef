"""The pronunciations of tenants: a file for each, read again when it has changed.

    # DATA/TENANT/pronunciations.toml
    [pronunciations]
    "ONNX" = "on x"                          # another spelling
    "Nguyen" = { phonemes = "ŋwiən" }        # International Phonetic Alphabet

Phonemes are for voices that take them; for others such an entry is not there.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.logs import get_logger
from voicemesh_tts.tenants import tenant_directory
from voicemesh_tts.text.pronunciations import Pronunciation, Pronunciations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ("Dictionaries",)

_logger = get_logger(__name__)

_FILE = "pronunciations.toml"
_TABLE = "pronunciations"
_MOST_BYTES = 1 << 20
_MOST_ENTRIES = 10_000
_MOST_TENANTS = 256
"""Tenants whose dictionary is remembered; others are read anew."""

_Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class _Dictionary:
    """One tenant's, as it was at a time."""

    stamp: _Stamp | None
    """What the file looked like; None if there was none."""
    whole: Pronunciations
    """All entries."""
    spelled: Pronunciations
    """Those without phonemes."""


_NONE = _Dictionary(None, Pronunciations(), Pronunciations())


class Dictionaries:
    """Belongs to one event loop."""

    def __init__(self, data: Path | None) -> None:
        """Takes the directory of all tenants; None if tenants have nothing here."""
        self._data = data
        self._read: OrderedDict[str, _Dictionary] = OrderedDict()

    async def of(
        self, tenant: str, own: Sequence[Pronunciation], *, phonemes: bool
    ) -> Pronunciations | None:
        """What holds for a request; None if that is nothing.

        A file that cannot be used is logged, and what it said before goes on to hold.

        Args:
            tenant: a checked name; empty for nobody.
            own: the request's entries, which win over the tenant's.
            phonemes: whether the voice takes them.
        """
        entries = [entry for entry in own if phonemes or not entry.phonemes]
        shared = await self._of_tenant(tenant, phonemes=phonemes)
        if not entries:
            return shared if len(shared) else None
        if len(shared):
            return await asyncio.to_thread(lambda: Pronunciations(entries).over(shared))
        return Pronunciations(entries)

    async def _of_tenant(self, tenant: str, *, phonemes: bool) -> Pronunciations:
        if self._data is None or not tenant:
            return _NONE.whole
        known = self._read.get(tenant, _NONE)
        path = tenant_directory(self._data, tenant) / _FILE
        found = await asyncio.to_thread(_looked_at, path, known)
        if found.stamp is None:
            self._read.pop(tenant, None)
        else:
            self._read[tenant] = found
            self._read.move_to_end(tenant)
            if len(self._read) > _MOST_TENANTS:
                self._read.popitem(last=False)
        return found.whole if phonemes else found.spelled


def _looked_at(path: Path, known: _Dictionary) -> _Dictionary:
    """The dictionary in a file, or what is known if the file is the same or cannot be used."""
    stamp = known.stamp
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == known.stamp:
                return known
            if status.st_size > _MOST_BYTES:
                msg = f"it has more than {_MOST_BYTES} bytes"
                raise ValueError(msg)
            entries = _entries(tomllib.load(file))
    except FileNotFoundError:
        return _NONE
    except (OSError, ValueError) as error:
        # Once for each state of the file, not for each call.
        _logger.warning("pronunciations cannot be used", file=str(path), cause=str(error))
        return replace(known, stamp=stamp)
    spelled = [entry for entry in entries if not entry.phonemes]
    return _Dictionary(stamp, Pronunciations(entries), Pronunciations(spelled))


def _entries(document: dict[str, Any]) -> list[Pronunciation]:
    table = document.get(_TABLE, {})
    if not isinstance(table, dict) or set(document) - {_TABLE}:
        msg = f"it must have one table, [{_TABLE}]"
        raise ValueError(msg)
    if len(table) > _MOST_ENTRIES:
        msg = f"it has more than {_MOST_ENTRIES} entries"
        raise ValueError(msg)
    return [_entry(number, *entry) for number, entry in enumerate(table.items(), start=1)]


def _entry(number: int, written: str, spoken: object) -> Pronunciation:
    try:
        if isinstance(spoken, str):
            return Pronunciation(written, respelling=spoken)
        if isinstance(spoken, dict) and isinstance(spoken.get("phonemes"), str):
            return Pronunciation(written, phonemes=spoken["phonemes"])
        msg = "it must be a text or { phonemes = TEXT }"
        raise ValueError(msg)
    except ValueError as error:
        # Its number alone: words that people use do not belong in a log.
        msg = f"entry {number}: {error}"
        raise ValueError(msg) from error
