"""The Whisper models on disk: what they are, and how they get into memory and out of it."""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.service import ConfigurationError
from voicemesh_models import ModelCorruptError, ModelError
from voicemesh_stt.domain import SpeechModel
from voicemesh_stt.engines.vocabulary import language_codes
from voicemesh_stt.engines.whisper import WhisperEngine, WhisperPlace
from voicemesh_stt.errors import ModelLoadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from voicemesh_models import Model, ModelStore
    from voicemesh_stt.ports import Engine
    from voicemesh_stt.settings import SttSettings

__all__ = ("WhisperLibrary", "is_installed")

_ENGINE = "faster-whisper"
_NEEDED_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class _Shelved:
    """A model that was found."""

    directory: Path
    license: str
    catalogued: bool
    """Whether its files are pinned by the catalogue."""


class WhisperLibrary:
    """A `ModelLibrary`: the models that the settings name, or all that are installed."""

    def __init__(self, settings: SttSettings, store: ModelStore) -> None:
        """Finds the models that the settings name; loads nothing.

        Raises:
            ConfigurationError: if a setting names what is no Whisper model, or too many.
        """
        self._settings = settings
        self._store = store
        self._named: dict[str, _Shelved] = {}
        self._default = self._add(settings.model, "MODEL")
        warm = {self._add(each, "WARM_MODELS") for each in settings.warm_models}
        self._kept = frozenset({self._default, *warm})
        for each in settings.models:
            self._add(each, "MODELS")
        self._check_room()

    @property
    def default(self) -> str:
        """Name of the model that requests get which name none."""
        return self._default

    @property
    def pinned(self) -> tuple[str, ...]:
        """Names of the models of the catalogue that the settings name, which must be installed."""
        return tuple(name for name, found in self._named.items() if found.catalogued)

    @property
    def kept(self) -> frozenset[str]:
        """Names of the models that stay loaded."""
        return self._kept

    def models(self) -> tuple[SpeechModel, ...]:
        """What may be loaded; see `ports.ModelLibrary`."""
        return tuple(
            SpeechModel(
                name=name,
                language_codes=language_codes(found.directory),
                license=found.license,
                device="",
                loaded=False,
                is_default=name == self._default,
            )
            for name, found in self._found().items()
        )

    def load(self, name: str) -> Engine:
        """Loads and warms a model; see `ports.ModelLibrary`."""
        found = self._found().get(name)
        if found is None:
            gone = "its files are gone"
            raise ModelLoadError(name, gone, f"model {name} is not in {self._store.root} any more")
        device, arithmetic = self._settings.device, self._settings.compute_type
        try:
            if found.catalogued:
                self._store.require(name)
            engine = WhisperEngine(self._place(name, found))
            engine.warm()
        except ModelCorruptError as error:
            raise ModelLoadError(
                name, f"its file {error.file.name} is damaged", str(error)
            ) from error
        except ModelError as error:
            raise ModelLoadError(name, "its files are not all there", str(error)) from error
        except Exception as error:  # tokenizers raises nothing narrower
            # What a library says has paths in it that are no business of callers.
            cause = str(error).replace(f"{found.directory}{os.sep}", "")
            detail = (
                f"model {name} in {found.directory} cannot be loaded on device {device!r} as "
                f"{arithmetic!r}: {error}"
            )
            raise ModelLoadError(name, cause, detail) from error
        return engine

    def unload(self, engine: Engine) -> None:
        """Frees the memory of a model; see `ports.ModelLibrary`."""
        if isinstance(engine, WhisperEngine):
            engine.unload()
        gc.collect()
        _give_back_memory()

    def _place(self, name: str, found: _Shelved) -> WhisperPlace:
        return WhisperPlace(
            name,
            found.directory,
            found.license,
            self._settings.device,
            self._settings.compute_type,
            threads=self._settings.threads,
            most_in_batch=self._settings.max_batch,
            workers=self._settings.workers,
            min_context_s=self._settings.min_context_s,
        )

    def _add(self, named: str, variable: str) -> str:
        """Takes in a model that a setting names, and returns the name that requests use."""
        name, found = (
            self._in_directory(named, variable)
            if os.sep in named
            else self._in_catalogue(named, variable)
        )
        before = self._named.setdefault(name, found)
        if before.directory != found.directory:
            msg = (
                f"VOICEMESH_STT_{variable} = {named} is the second model called {name!r}, after "
                f"{before.directory}; rename one of the directories"
            )
            raise ConfigurationError(msg)
        return name

    def _in_directory(self, named: str, variable: str) -> tuple[str, _Shelved]:
        directory = Path(named).expanduser().absolute()
        for file in _NEEDED_FILES:
            if not (directory / file).is_file():
                msg = (
                    f"VOICEMESH_STT_{variable} = {directory} holds no {file}; name the directory "
                    "of a CTranslate2 Whisper model, or a model of the catalogue"
                )
                raise ConfigurationError(msg)
        return directory.name, _Shelved(directory, "unknown", catalogued=False)

    def _in_catalogue(self, named: str, variable: str) -> tuple[str, _Shelved]:
        models = self._store.catalogue.models
        if named not in models:
            known = ", ".join(each.name for each in models.values() if each.engine == _ENGINE)
            msg = (
                f"VOICEMESH_STT_{variable} = {named!r} is neither a model of the catalogue, which "
                f"has {known}, nor a path"
            )
            raise ConfigurationError(msg)
        model = models[named]
        if model.engine != _ENGINE:
            msg = (
                f"VOICEMESH_STT_{variable} = {named!r} is a model for {model.kind}, not for "
                "speech; name a Whisper model, such as whisper-tiny.en"
            )
            raise ConfigurationError(msg)
        return named, self._shelved(model)

    def _check_room(self) -> None:
        most, others = self._settings.max_loaded_models, len(self._named) > len(self._kept)
        needed = len(self._kept) + others
        if most < needed:
            msg = (
                f"VOICEMESH_STT_MAX_LOADED_MODELS = {most} must be at least {needed}: "
                f"{', '.join(sorted(self._kept))} stay loaded"
                + (", and those of VOICEMESH_STT_MODELS need a place" if others else "")
            )
            raise ConfigurationError(msg)

    def _found(self) -> Mapping[str, _Shelved]:
        """All models that may be loaded now."""
        # Where there is room for none besides those that stay, no other is offered.
        full = self._settings.max_loaded_models <= len(self._kept)
        if self._settings.models or full:
            return self._named
        return {**dict(self._installed()), **self._named}

    def _installed(self) -> Iterable[tuple[str, _Shelved]]:
        for model in self._store.catalogue.models.values():
            if model.engine == _ENGINE and is_installed(model, self._store.root):
                yield model.name, self._shelved(model)

    def _shelved(self, model: Model) -> _Shelved:
        return _Shelved(self._store.root / model.name, model.licence, catalogued=True)


def is_installed(model: Model, root: Path) -> bool:
    """Whether it was pulled; what has become of its files since is for the load to find."""
    return any((root / model.name / file.path).is_file() for file in model.files)


def _give_back_memory() -> None:
    """Gives freed memory to the system, which glibc does not of its own accord."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
