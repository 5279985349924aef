"""Models of tenants in memory: loaded for the first who asks, lent, and unloaded when idle.

The chassis' `shelf.life` decides what is loaded and what goes; here it is done. Its `Shelf` does
not fit: these models are opened and warmed in the event loop, not in a thread.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf.life import Failed, Full, Life, Load
from voicemesh_trainer.errors import ModelLoadingError, ModelsBusyError, ModelUnusableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from voicemesh_chassis.shelf import ShelfLimits
    from voicemesh_trainer.domain.models import TunedModel
    from voicemesh_trainer.ports.language_models import LanguageModel, ModelShelfMeter

__all__ = ("ModelShelf",)

_logger = get_logger(__name__)

_RETRY_AFTER_S = 2.0


class ModelShelf:
    """A `TunedModels` that keeps models in memory. Belongs to one event loop.

    A model that is leased is not unloaded: answers running on a model that was replaced by another
    finish. Which model goes when there is no room: the one that was not used for longest.

    Args:
        make: gives the model that a row describes, not yet opened; may look into files.
        limits: how many, and for how long.
        meter: told what is in memory.
        clock: the time in seconds.
    """

    def __init__(
        self,
        make: Callable[[TunedModel], Awaitable[LanguageModel]],
        limits: ShelfLimits,
        meter: ModelShelfMeter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._limits = limits
        self._meter = meter
        self._clock = clock
        self._life = Life(limits, frozenset())
        self._models: dict[str, LanguageModel] = {}
        self._loads: dict[str, asyncio.Task[ServiceError | None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def lease(self, model: TunedModel) -> AsyncIterator[LanguageModel]:
        """See `TunedModels.lease`. A caller that goes away does not end a load."""
        key = model.job_id  # a name may come again after a deletion
        self._ask(key, model)
        try:
            await self._arrival(key, model)
            yield self._models[key]
        finally:
            self._life.drop(key, self._clock())
            self._changed.set()

    async def aclose(self) -> None:
        """Unloads everything. Safe to call twice."""
        tasks = {*self._loads.values(), *((self._watch,) if self._watch else ())}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._watch = None
        for key in list(self._models):
            self._begin_unload(key)
        await self._unloaded()

    def _ask(self, key: str, model: TunedModel) -> None:
        match self._life.ask(key, self._clock()):
            case Full():
                msg = (
                    f"model {model.name} is not in memory, and the {self._limits.most_loaded} "
                    "that may be are in use; try again later"
                )
                raise ModelsBusyError(msg, retry_after_s=_RETRY_AFTER_S)
            case Failed(ModelUnusableError() as error):
                raise _again(error)
            case Load(evicted):
                if evicted is not None:
                    self._begin_unload(evicted)
                if self._watch is None:
                    watching = self._unload_idle()
                    self._watch = asyncio.create_task(watching, name="trainer-idle-models")
                loading = self._load(key, model)
                self._loads[key] = asyncio.create_task(loading, name="trainer-load-model")

    async def _arrival(self, key: str, model: TunedModel) -> None:
        loading = self._loads.get(key)
        if loading is None:
            return
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_timeout_s)
        if not done:
            msg = f"model {model.name} is still being loaded; try again later"
            raise ModelLoadingError(msg, retry_after_s=_RETRY_AFTER_S)
        if loading.cancelled():
            msg = "the service is stopping"
            raise ModelLoadingError(msg)
        error = loading.result()
        if error is not None:
            raise _again(error) if isinstance(error, ModelUnusableError) else error

    async def _load(self, key: str, model: TunedModel) -> ServiceError | None:
        """Loads it, and returns what was wrong: there may be nobody left to raise it to."""
        begun_s = self._clock()
        try:
            await self._unloaded()  # what was evicted makes room first
            ready = await self._opened(model)
        except Exception as error:  # whatever a library raises: the other models serve on
            return self._failed(key, model, error)
        finally:
            del self._loads[key]
        spent_s = self._clock() - begun_s
        self._models[key] = ready
        self._life.loaded(key, self._clock())
        self._meter.model_loaded(spent_s)
        _logger.info("a tenant's model is loaded", model=model.name, seconds=round(spent_s, 3))
        self._changed.set()
        return None

    async def _opened(self, model: TunedModel) -> LanguageModel:
        ready = await self._make(model)
        try:
            await ready.open()
        except BaseException:
            await ready.aclose()
            raise
        return ready

    def _failed(self, key: str, model: TunedModel, error: Exception) -> ServiceError:
        """What callers are told, also those of the next seconds."""
        self._meter.load_failed()
        if isinstance(error, ServiceError):
            told = error
            _logger.error("a tenant's model cannot be used", model=model.name, cause=error.message)
        else:
            if not isinstance(error, StartupError):
                _logger.error("a tenant's model cannot be loaded", exc_info=error)
            cause = str(error) if isinstance(error, StartupError) else "the log has the cause"
            msg = f"model {model.name} cannot be loaded ({cause}); roll back or promote another"
            told = ModelUnusableError(msg, metadata={"model": model.name})
        # Where the file store cannot be reached, the very next call may be lucky.
        passing = not isinstance(told, ModelUnusableError)
        self._life.failed(key, told, -float("inf") if passing else self._clock())
        return told

    def _begin_unload(self, key: str) -> None:
        """From now on it is not found; its memory follows."""
        task = asyncio.create_task(self._close(self._models.pop(key)), name="trainer-unload-model")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close(self, model: LanguageModel) -> None:
        await model.aclose()
        self._meter.model_unloaded()
        _logger.info("a tenant's model is unloaded", model=model.info.name)

    async def _unloaded(self) -> None:
        while self._closing:
            await asyncio.wait(self._closing)

    async def _unload_idle(self) -> None:
        while True:
            self._changed.clear()
            now_s = self._clock()
            for key in self._life.take_idle(now_s):
                self._begin_unload(key)
            due_s = self._life.next_idle_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(0.0, due_s - now_s)):
                    await self._changed.wait()


def _again(error: ModelUnusableError) -> ModelUnusableError:
    """The same for one more caller; an exception keeps the traceback of each raise."""
    return ModelUnusableError(error.message, metadata=error.metadata)
