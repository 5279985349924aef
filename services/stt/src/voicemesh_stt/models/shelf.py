"""The speech models: by which name requests reach them, and what those that want one are told.

What is loaded and what goes is the business of `voicemesh_chassis.shelf`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.shelf import (
    HangingError,
    NoRoomError,
    NotLoadedError,
    Shelf,
    ShelfLimits,
    StillLoadingError,
)
from voicemesh_stt.errors import (
    ModelLoadError,
    ModelLoadingError,
    ModelsBusyError,
    UnknownModelError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from voicemesh_stt.domain import SpeechModel
    from voicemesh_stt.ports import Engine, ModelLibrary, ModelObserver

__all__ = ("ModelShelf",)

_logger = get_logger(__name__)

_RETRY_AFTER_S = 5.0
"""When a call that found no room, or no patience, may come again; nobody knows it better."""


class ModelShelf:
    """An `EngineSource`. Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self,
        limits: ShelfLimits,
        observer: ModelObserver,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes an empty shelf.

        Args:
            limits: how many models are in memory, and for how long.
            observer: told what is in memory.
            clock: the time in seconds.
        """
        self._limits = limits
        self._observer = observer
        self._clock = clock
        self._library: ModelLibrary | None = None
        self._shelf: Shelf[Engine] | None = None
        self._known: dict[str, SpeechModel] = {}

    async def start(self, library: ModelLibrary) -> None:
        """Loads the models that are kept; from then on all of the library can be leased.

        Raises:
            ModelLoadError: if one of them cannot be loaded.
        """
        self._library = library
        record = _Record(self._observer)
        self._shelf = Shelf(
            self._limits, library.kept, library.unload, record, self._clock, own_copies=True
        )
        await self._look(library)
        for name in sorted(library.kept, key=lambda name: (name != library.default, name)):
            async with self.lease(name, field="model"):
                pass
        self._shelf.start()

    async def aclose(self) -> None:
        """Unloads everything; loads in progress are left to their threads."""
        if self._shelf is not None:
            await self._shelf.aclose()
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
        return () if self._shelf is None else tuple(self._shelf.items.values())

    def engine(self, name: str) -> Engine:
        """The engine of a leased model; see `ports.EngineSource`."""
        named = name or self._started().default
        engine = self._engine(named)
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
        shelf = self._shelf
        if shelf is None:
            raise _not_started()
        try:
            await shelf.take(model.name, partial(self._started().load, model.name))
        except NotLoadedError as refusal:
            raise _load_error(model.name, refusal.error) from refusal.error
        except StillLoadingError as error:
            waited = f"{self._limits.load_timeout_s:g} s"
            msg = f"model {model.name} was not loaded within {waited}; it goes on"
            raise ModelLoadingError(msg, retry_after_s=_RETRY_AFTER_S) from error
        except NoRoomError as error:
            msg = (
                f"model {model.name} is not loaded, and the {self._limits.most_loaded} that may be "
                "are in use; try again later"
            )
            raise ModelsBusyError(msg, retry_after_s=_RETRY_AFTER_S) from error
        try:
            yield self._described(model)
        finally:
            shelf.drop(model.name)

    async def _look(self, library: ModelLibrary) -> None:
        found = await asyncio.to_thread(library.models)
        # What is loaded serves on, whatever has become of its files.
        kept = {name: model for name, model in self._known.items() if self._engine(name)}
        self._known = {**kept, **{model.name: model for model in found}}

    def _engine(self, name: str) -> Engine | None:
        return None if self._shelf is None else self._shelf.get(name)

    def _started(self) -> ModelLibrary:
        if self._library is None:
            raise _not_started()
        return self._library

    def _described(self, model: SpeechModel) -> SpeechModel:
        engine = self._engine(model.name)
        is_default = model.name == self._started().default
        if engine is None:
            return replace(model, loaded=False, is_default=is_default, device="")
        return replace(model, loaded=True, is_default=is_default, device=engine.model.device)


class _Record:
    """A `ShelfObserver`: the log, and the observer of the service."""

    def __init__(self, observer: ModelObserver) -> None:
        self._observer = observer

    def loaded(self, name: str, item: Engine, spent_s: float) -> None:
        self._observer.model_loaded(name, item.memory_bytes)
        seconds = round(spent_s, 3)
        _logger.info("model loaded", model=name, device=item.model.device, seconds=seconds)

    def unloaded(self, name: str) -> None:
        self._observer.model_unloaded(name)
        _logger.info("model unloaded", model=name)

    def failed(self, name: str, error: Exception) -> None:
        if isinstance(error, ModelLoadError):
            _logger.error("a model cannot be loaded", model=name, cause=error.detail)
        elif isinstance(error, HangingError):
            _logger.error("a model cannot be loaded", model=name, cause=str(error))
        else:
            _logger.error("a model cannot be loaded", model=name, exc_info=error)


def _load_error(name: str, error: Exception) -> ModelLoadError:
    """What one more caller is told; an exception keeps the traceback of each raise."""
    if isinstance(error, ModelLoadError):
        return ModelLoadError(name, error.cause, error.detail)
    return ModelLoadError(name, "the server's log has the cause", str(error))


def _not_started() -> UnavailableError:
    return UnavailableError("no model is loaded yet")
