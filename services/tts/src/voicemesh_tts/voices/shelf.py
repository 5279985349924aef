"""The voices in memory, and who holds which.

A call leases its voice for as long as it lasts. A voice that is not in memory is loaded for the
first call that wants it, and calls that come meanwhile wait for the same load. `life` decides what
is loaded and what goes; here it is done.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_tts.errors import VoiceLoadingError, VoicesBusyError, VoiceUnusableError
from voicemesh_tts.voices.life import Failed, Full, Load, VoiceLife, VoiceLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from voicemesh_tts.domain import Voice
    from voicemesh_tts.metrics import TtsMetrics

__all__ = ("Shelf", "VoiceKeeper")

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


class Shelf:
    """Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self,
        limits: VoiceLimits,
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
        self._metrics = metrics
        self._clock = clock
        self._life = VoiceLife(limits, kept)
        self._loaded: dict[str, Voice] = {}
        self._loads: dict[str, asyncio.Task[Exception | None]] = {}
        self._unloads: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        metrics.watch_voices(self._memory)

    def start(self) -> None:
        """From now on voices that nobody uses are unloaded."""
        self._watch = asyncio.create_task(self._unload_idle(), name="tts-idle-voices")

    async def aclose(self) -> None:
        """Unloads everything; loads in progress are left to their threads."""
        tasks = {*self._loads.values(), *((self._watch,) if self._watch else ())}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for voice in list(self._loaded):
            self._begin_unload(voice)
        if self._unloads:
            await asyncio.wait(self._unloads)

    def is_loaded(self, voice: Voice) -> bool:
        """Whether the voice is in memory."""
        return voice.id in self._loaded

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
        self._ask(voice)
        try:
            await self._arrival(voice)
            yield
        finally:
            self._life.drop(voice.id, self._clock())
            self._changed.set()

    async def forget(self, voice: Voice) -> None:
        """Unloads a voice that there is no more, unless somebody still speaks with it."""
        if self._life.take(voice.id):
            self._begin_unload(voice.id)
            await asyncio.wait(self._unloads)

    def _ask(self, voice: Voice) -> None:
        answer = self._life.ask(voice.id, self._clock())
        match answer:
            case Full():
                msg = (
                    f"voice {voice.id!r} is not loaded, and the {self._limits.most_loaded} that "
                    "may be are in use; try again later"
                )
                raise VoicesBusyError(msg, retry_after_s=_RETRY_AFTER_S)
            case Failed():
                raise _unusable(voice)
            case Load(evicted):
                if evicted is not None:
                    self._begin_unload(evicted)
                self._loads[voice.id] = asyncio.create_task(
                    self._load(voice), name="tts-load-voice"
                )

    async def _arrival(self, voice: Voice) -> None:
        loading = self._loads.get(voice.id)
        if loading is None:
            return
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_timeout_s)
        if not done:
            msg = (
                f"voice {voice.id!r} was not loaded within {self._limits.load_timeout_s:g} s; "
                "the load goes on"
            )
            raise VoiceLoadingError(msg, retry_after_s=_RETRY_AFTER_S)
        if loading.cancelled():
            msg = "the service is stopping"
            raise UnavailableError(msg)
        error = loading.result()
        if error is not None:
            raise _unusable(voice) from error

    async def _load(self, voice: Voice) -> Exception | None:
        """Loads it, and returns what was wrong: there may be nobody left to raise it to."""
        begun_s = self._clock()
        try:
            while self._unloads:  # what was evicted makes room first
                await asyncio.wait(self._unloads)
            await asyncio.to_thread(self._keeper.load, voice)
        except Exception as error:  # whatever a library raises: the other voices serve on
            if isinstance(error, StartupError):
                # Its text names files of this machine, which are not the caller's business.
                _logger.error("a voice cannot be loaded", voice=voice.id, cause=str(error))
            else:
                _logger.exception("a voice cannot be loaded", voice=voice.id)
            self._life.failed(voice.id, self._clock())
            return error
        finally:
            del self._loads[voice.id]
        self._loaded[voice.id] = voice
        self._life.loaded(voice.id, self._clock())
        self._changed.set()
        spent_s = self._clock() - begun_s
        self._metrics.load_seconds.labels(voice.engine).observe(spent_s)
        _logger.info("voice loaded", voice=voice.id, seconds=round(spent_s, 3))
        return None

    def _begin_unload(self, voice_id: str) -> None:
        freeing = asyncio.to_thread(self._keeper.unload, self._loaded.pop(voice_id))
        task = asyncio.create_task(freeing, name="tts-unload-voice")
        self._unloads.add(task)
        task.add_done_callback(self._unloaded)
        _logger.info("voice unloaded", voice=voice_id)

    def _unloaded(self, task: asyncio.Task[None]) -> None:
        self._unloads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("a voice did not unload cleanly", exc_info=error)

    async def _unload_idle(self) -> None:
        while True:
            self._changed.clear()
            now_s = self._clock()
            for voice in self._life.take_idle(now_s):
                self._begin_unload(voice)
            due_s = self._life.next_idle_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(0.0, due_s - now_s)):
                    await self._changed.wait()

    def _memory(self) -> dict[str, list[int]]:
        """What each loaded voice takes up, by engine."""
        taken: dict[str, list[int]] = {}
        for voice in list(self._loaded.values()):
            taken.setdefault(voice.engine, []).append(self._keeper.memory_bytes(voice))
        return taken


def _unusable(voice: Voice) -> VoiceUnusableError:
    msg = f"voice {voice.id!r} cannot be loaded on this server; its log has the cause"
    return VoiceUnusableError(msg)
