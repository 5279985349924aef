"""The speech models: by which name requests reach them, and who holds which.

A call leases a model for as long as it lasts. A model that is not in memory is loaded for the first
call that names it, and calls that come meanwhile wait for the same load. `life` decides what
is loaded and what goes; here it is done.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_stt.errors import (
    ModelLoadError,
    ModelLoadingError,
    ModelsBusyError,
    UnknownModelError,
)
from voicemesh_stt.models.life import Failed, Full, Load, ModelLife, ModelLimits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from voicemesh_stt.domain import SpeechModel
    from voicemesh_stt.ports import Engine, ModelLibrary, ModelObserver

__all__ = ("Shelf",)

_logger = get_logger(__name__)

_RETRY_AFTER_S = 5.0
"""When a call that found no room, or no patience, may come again; nobody knows it better."""


class Shelf:
    """An `EngineSource`. Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self,
        limits: ModelLimits,
        load_timeout_s: float,
        observer: ModelObserver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes an empty shelf.

        Args:
            limits: how many models are in memory, and for how long.
            load_timeout_s: longest time that a call waits for its model.
            observer: told what is in memory.
            clock: the time in seconds.
        """
        self._limits = limits
        self._load_timeout_s = load_timeout_s
        self._observer = observer
        self._clock = clock
        self._library: ModelLibrary | None = None
        self._life = ModelLife(limits, frozenset())
        self._known: dict[str, SpeechModel] = {}
        self._engines: dict[str, Engine] = {}
        self._loads: dict[str, asyncio.Task[ModelLoadError | None]] = {}
        self._unloads: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def start(self, library: ModelLibrary) -> None:
        """Loads the models that are kept; from then on all of the library can be leased.

        Raises:
            ModelLoadError: if one of them cannot be loaded.
        """
        self._library = library
        self._life = ModelLife(self._limits, library.kept)
        await self._look(library)
        for name in sorted(library.kept, key=lambda name: (name != library.default, name)):
            async with self.lease(name, field="model"):
                pass
        self._watch = asyncio.create_task(self._unload_idle(), name="stt-idle-models")

    async def aclose(self) -> None:
        """Unloads everything; loads in progress are left to their threads."""
        tasks = {*self._loads.values(), *((self._watch,) if self._watch else ())}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for name in list(self._engines):
            self._begin_unload(name)
        if self._unloads:
            await asyncio.wait(self._unloads)
        self._library = None

    async def models(self) -> tuple[SpeechModel, ...]:
        """All models that requests may name, by name.

        Raises:
            UnavailableError: if the start is not over.
        """
        await self._look(self._started())
        return tuple(self._described(self._known[name]) for name in sorted(self._known))

    async def find(self, name: str, *, field: str) -> SpeechModel:
        """The model of that name, loaded or not; the default one if it is empty.

        For judging a request before a model is loaded for it.

        Raises:
            UnknownModelError: naming `field`, if there is none.
            UnavailableError: if the start is not over.
        """
        library = self._started()
        named = name or library.default
        if named not in self._known:
            await self._look(library)  # it may have been pulled since
        if named not in self._known:
            raise UnknownModelError(name, tuple(sorted(self._known)), field=field)
        return self._described(self._known[named])

    def loaded(self) -> Sequence[Engine]:
        """The models in memory."""
        return tuple(self._engines.values())

    def engine(self, name: str) -> Engine:
        """The engine of a leased model; see `ports.EngineSource`."""
        named = name or self._started().default
        engine = self._engines.get(named)
        if engine is None:
            msg = f"model {named} is not loaded"
            raise UnavailableError(msg)
        return engine

    @asynccontextmanager
    async def lease(self, name: str, *, field: str) -> AsyncIterator[SpeechModel]:
        """The model of that name, loaded, until the block ends; the default one if it is empty.

        A call that is cancelled while it waits does not end the load.

        Raises:
            UnknownModelError: naming `field`, if there is none.
            ModelLoadError: if it cannot be loaded; tried again after some seconds at the earliest.
            ModelLoadingError: if that takes longer than a call may wait.
            ModelsBusyError: if as many models as may be loaded are in use.
            UnavailableError: if the start is not over.
        """
        model = await self.find(name, field=field)
        self._ask(model.name)
        try:
            await self._arrival(model.name)
            yield self._described(model)
        finally:
            self._life.drop(model.name, self._clock())
            self._changed.set()

    async def _look(self, library: ModelLibrary) -> None:
        found = await asyncio.to_thread(library.models)
        # What is loaded serves on, whatever has become of its files.
        kept = {name: model for name, model in self._known.items() if name in self._engines}
        self._known = {**kept, **{model.name: model for model in found}}

    def _ask(self, name: str) -> None:
        answer = self._life.ask(name, self._clock())
        match answer:
            case Full():
                msg = (
                    f"model {name} is not loaded, and the {self._limits.most_loaded} that may be "
                    "are in use; try again later"
                )
                raise ModelsBusyError(msg, retry_after_s=_RETRY_AFTER_S)
            case Failed(error):
                raise _again(name, error)
            case Load(evicted):
                if evicted is not None:
                    self._begin_unload(evicted)
                self._loads[name] = asyncio.create_task(self._load(name), name="stt-load-model")

    async def _arrival(self, name: str) -> None:
        loading = self._loads.get(name)
        if loading is None:
            return
        done, _ = await asyncio.wait({loading}, timeout=self._load_timeout_s)
        if not done:
            msg = f"model {name} was not loaded within {self._load_timeout_s:g} s; it goes on"
            raise ModelLoadingError(msg, retry_after_s=_RETRY_AFTER_S)
        if loading.cancelled():
            msg = "the service is stopping"
            raise UnavailableError(msg)
        error = loading.result()
        if error is not None:
            raise _again(name, error) from error

    async def _load(self, name: str) -> ModelLoadError | None:
        """Loads it, and returns what was wrong: there may be nobody left to raise it to."""
        begun_s = self._clock()
        try:
            while self._unloads:  # what was evicted makes room first
                await asyncio.wait(self._unloads)
            engine = await asyncio.to_thread(self._started().load, name)
        except ModelLoadError as error:
            _logger.error("a model cannot be loaded", model=name, cause=error.detail)
            self._life.failed(name, error, self._clock())
            return error
        except Exception as error:  # whatever a library raises: the other models serve on
            _logger.exception("a model cannot be loaded", model=name)
            refusal = ModelLoadError(name, "the server's log has the cause", str(error))
            self._life.failed(name, refusal, self._clock())
            return refusal
        finally:
            del self._loads[name]
        self._engines[name] = engine
        self._life.loaded(name, self._clock())
        self._observer.model_loaded(name, engine.memory_bytes)
        self._changed.set()
        spent_s = round(self._clock() - begun_s, 3)
        _logger.info("model loaded", model=name, device=engine.model.device, seconds=spent_s)
        return None

    def _begin_unload(self, name: str) -> None:
        """From now on it is not found; its memory follows."""
        unload = self._started().unload
        freeing = asyncio.to_thread(unload, self._engines.pop(name))
        task = asyncio.create_task(freeing, name="stt-unload-model")
        self._unloads.add(task)
        task.add_done_callback(self._unloaded)
        self._observer.model_unloaded(name)
        _logger.info("model unloaded", model=name)

    def _unloaded(self, task: asyncio.Task[None]) -> None:
        self._unloads.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("a model did not unload cleanly", exc_info=error)

    async def _unload_idle(self) -> None:
        while True:
            self._changed.clear()
            now_s = self._clock()
            for name in self._life.take_idle(now_s):
                self._begin_unload(name)
            due_s = self._life.next_idle_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(0.0, due_s - now_s)):
                    await self._changed.wait()

    def _started(self) -> ModelLibrary:
        if self._library is None:
            msg = "no model is loaded yet"
            raise UnavailableError(msg)
        return self._library

    def _described(self, model: SpeechModel) -> SpeechModel:
        engine = self._engines.get(model.name)
        is_default = model.name == self._started().default
        if engine is None:
            return replace(model, loaded=False, is_default=is_default, device="")
        return replace(model, loaded=True, is_default=is_default, device=engine.model.device)


def _again(name: str, error: ModelLoadError) -> ModelLoadError:
    """The same for one more caller; an exception keeps the traceback of each raise."""
    return ModelLoadError(name, error.cause, error.detail)
