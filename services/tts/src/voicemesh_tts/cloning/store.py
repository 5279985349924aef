"""Cloned voices on disk: a directory for each, complete or not there at all.

    DATA/TENANT/voices/ID/voice.json    what the service knows of it
    DATA/TENANT/voices/ID/...           what its engine wrote

A voice is made in a directory whose name begins with a dot, and renamed when it is complete; to be
deleted it is renamed first. So a process that is killed leaves no half of a voice, and several
processes may share the data. What is left over is swept away at the next start.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.logs import get_logger
from voicemesh_tts.domain import Voice
from voicemesh_tts.tenants import tenant_directory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ("StoredVoice", "VoiceStore")

_logger = get_logger(__name__)

_RECORD = "voice.json"
_FORMAT = 1
_UNFINISHED = ".new-"
_DELETED = ".gone-"
_LEFT_OVER_S = 3_600.0
"""Age at which an unfinished voice is nobody's any more, in seconds."""


@dataclass(frozen=True)
class StoredVoice:
    """A cloned voice and its files."""

    voice: Voice
    """What is known of it."""

    directory: Path
    """Where its engine finds what it wrote."""


class VoiceStore:
    """All methods block."""

    def __init__(self, data: Path) -> None:
        """Takes the directory of all tenants; it is made when it is needed."""
        self._data = data

    def sweep(self) -> None:
        """Removes what was never finished, or not deleted to the end."""
        for directory in self._data.glob("*/voices/.*"):
            if directory.name.startswith(_DELETED) or (
                directory.name.startswith(_UNFINISHED) and _age_s(directory) > _LEFT_OVER_S
            ):
                shutil.rmtree(directory, ignore_errors=True)

    def names(self, tenant: str) -> frozenset[str]:
        """The names of the tenant's voices' directories."""
        try:
            with os.scandir(self._voices(tenant)) as entries:
                return frozenset(entry.name for entry in entries if not entry.name.startswith("."))
        except OSError:
            return frozenset()

    def read(self, tenant: str, names: Iterable[str]) -> list[StoredVoice]:
        """The voices in directories of a tenant; what is none is left out and logged."""
        found: list[StoredVoice] = []
        for name in sorted(names):
            directory = self._voices(tenant) / name
            try:
                voice = _voice(json.loads((directory / _RECORD).read_bytes()))
                if voice.tenant != tenant:
                    msg = "it belongs to another tenant"
                    raise ValueError(msg)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except (OSError, ValueError, KeyError, TypeError) as error:
                _logger.warning("not a cloned voice", directory=str(directory), cause=repr(error))
                continue
            found.append(StoredVoice(voice, directory))
        return found

    def begin(self, tenant: str, name: str) -> Path:
        """An empty directory for a voice that is being made.

        Raises:
            OSError: if it cannot be made.
        """
        directory = self._voices(tenant) / f"{_UNFINISHED}{name}"
        directory.mkdir(parents=True)
        return directory

    def finish(self, begun: Path, name: str, voice: Voice) -> StoredVoice:
        """Makes a voice complete: from now on it is there.

        Args:
            begun: from `begin`, filled by the engine.
            name: its name.
            voice: what is to be known of it.

        Raises:
            OSError: if it cannot be written.
        """
        with (begun / _RECORD).open("w", encoding="utf-8") as file:
            json.dump(_record(voice), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        directory = begun.with_name(name)
        begun.rename(directory)
        return StoredVoice(voice, directory)

    def discard(self, begun: Path) -> None:
        """Removes a voice that was not finished."""
        shutil.rmtree(begun, ignore_errors=True)

    def remove(self, tenant: str, name: str) -> bool:
        """Deletes a voice with all its files; says whether it was there.

        Raises:
            OSError: if it is there and cannot be deleted.
        """
        directory = self._voices(tenant) / name
        gone = directory.with_name(f"{_DELETED}{name}")
        try:
            directory.rename(gone)
        except FileNotFoundError:
            return False
        shutil.rmtree(gone)
        return True

    def _voices(self, tenant: str) -> Path:
        return tenant_directory(self._data, tenant) / "voices"


def _age_s(directory: Path) -> float:
    try:
        return time.time() - directory.stat().st_mtime
    except OSError:
        return 0.0


def _record(voice: Voice) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "id": voice.id,
        "tenant": voice.tenant,
        "display_name": voice.display_name,
        "language_codes": list(voice.language_codes),
        "sample_rate_hertz": voice.sample_rate_hertz,
        "license": voice.license,
        "takes_phonemes": voice.takes_phonemes,
        "has_word_times": voice.has_word_times,
        "create_time": voice.create_time.isoformat() if voice.create_time else None,
    }


def _voice(record: dict[str, Any]) -> Voice:
    if record["format"] != _FORMAT:
        msg = f"format {record['format']!r} is not known"
        raise ValueError(msg)
    made = record["create_time"]
    return Voice(
        id=str(record["id"]),
        display_name=str(record["display_name"]),
        language_codes=tuple(str(code) for code in record["language_codes"]),
        sample_rate_hertz=int(record["sample_rate_hertz"]),
        license=str(record["license"]),
        takes_phonemes=bool(record["takes_phonemes"]),
        has_word_times=bool(record["has_word_times"]),
        tenant=str(record["tenant"]),
        create_time=datetime.fromisoformat(made) if made else None,
    )
