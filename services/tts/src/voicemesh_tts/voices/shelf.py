"""The voices in memory: what a call that wants one is told, and what is counted and logged.

What is loaded and what goes is the business of `voicemesh_chassis.shelf`.
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf import (
    HangingError,
    NoRoomError,
    NotLoadedError,
    Shelf,
    ShelfLimits,
    StillLoadingError,
)
from voicemesh_tts.errors import VoiceLoadingError, VoicesBusyError, VoiceUnusableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from voicemesh_tts.domain import Voice
    from voicemesh_tts.metrics import TtsMetrics

__all__ = ("VoiceKeeper", "VoiceShelf")

_logger = get_logger(__name__)

_RETRY_AFTER_S = 5.0
"""When a call that found no room, or no patience, may come again; nobody knows it better."""


@dataclass(frozen=True)
class VoiceKeeper:
    """What a shelf needs of the engines. All of it blocks and runs in threads."""

    load: Callable[[Voice], None]
    """Loads a voice and gets it ready to speak; raises `StartupError` if it cannot be used."""

    unload: Callable[[Voice], None]
    """Gives back its memory."""

    memory_bytes: Callable[[Voice], int]
    """What it takes up, about; does not block."""


class VoiceShelf:
    """Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self,
        limits: ShelfLimits,
        kept: frozenset[str],
        keeper: VoiceKeeper,
        metrics: TtsMetrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes an empty shelf.

        Args:
            limits: how many voices are in memory, and for how long.
            kept: ids of voices that are never unloaded.
            keeper: who loads them.
            metrics: told what is in memory.
            clock: the time in seconds.
        """
        self._limits = limits
        self._keeper = keeper
        # An engine has one copy of a voice, however often it is told to load it.
        self._shelf: Shelf[Voice] = Shelf(
            limits, kept, keeper.unload, _Record(metrics), clock, own_copies=False
        )
        self.start = self._shelf.start
        self.aclose = self._shelf.aclose
        metrics.watch_voices(self._memory)

    def is_loaded(self, voice: Voice) -> bool:
        """Whether the voice is in memory."""
        return self._shelf.get(voice.id) is not None

    @asynccontextmanager
    async def lease(self, voice: Voice) -> AsyncIterator[None]:
        """Keeps the voice loaded until the block ends.

        A call that is cancelled while it waits does not end the load.

        Raises:
            VoiceUnusableError: if it cannot be loaded; tried again after some seconds at the
                earliest.
            VoiceLoadingError: if that takes longer than a call may wait.
            VoicesBusyError: if as many voices as may be loaded are in use.
            UnavailableError: if the service is stopping.
        """
        try:
            await self._shelf.take(voice.id, partial(self._load, voice))
        except NotLoadedError as refusal:
            msg = f"voice {voice.id!r} cannot be loaded on this server; its log has the cause"
            raise VoiceUnusableError(msg) from refusal.error
        except StillLoadingError as error:
            msg = (
                f"voice {voice.id!r} was not loaded within {self._limits.load_timeout_s:g} s; "
                "the load goes on"
            )
            raise VoiceLoadingError(msg, retry_after_s=_RETRY_AFTER_S) from error
        except NoRoomError as error:
            msg = (
                f"voice {voice.id!r} is not loaded, and the {self._limits.most_loaded} that "
                "may be are in use; try again later"
            )
            raise VoicesBusyError(msg, retry_after_s=_RETRY_AFTER_S) from error
        try:
            yield
        finally:
            self._shelf.drop(voice.id)

    async def forget(self, voice: Voice) -> None:
        """Unloads a voice that there is no more, unless somebody still speaks with it."""
        await self._shelf.forget(voice.id)

    def _load(self, voice: Voice) -> Voice:
        self._keeper.load(voice)
        return voice

    def _memory(self) -> dict[str, list[int]]:
        """What each loaded voice takes up, by engine."""
        taken: dict[str, list[int]] = {}
        for voice in self._shelf.items.values():
            taken.setdefault(voice.engine, []).append(self._keeper.memory_bytes(voice))
        return taken


class _Record:
    """A `ShelfObserver`: the log, and how long loads take."""

    def __init__(self, metrics: TtsMetrics) -> None:
        self._metrics = metrics

    def loaded(self, name: str, item: Voice, spent_s: float) -> None:
        self._metrics.load_seconds.labels(item.engine).observe(spent_s)
        _logger.info("voice loaded", voice=name, seconds=round(spent_s, 3))

    def unloaded(self, name: str) -> None:
        _logger.info("voice unloaded", voice=name)

    def failed(self, name: str, error: Exception) -> None:
        if isinstance(error, StartupError | HangingError):
            # Its text names files of this machine, which are not the caller's business.
            _logger.error("a voice cannot be loaded", voice=name, cause=str(error))
        else:
            _logger.error("a voice cannot be loaded", voice=name, exc_info=error)
