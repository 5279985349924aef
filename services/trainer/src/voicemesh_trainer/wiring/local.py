"""The machine's own model, and those that tenants trained from it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.domain.conversations import ModelInfo
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.engines.llama_adapters import LlamaAdapters
from voicemesh_trainer.engines.llama_server import LlamaOptions, LlamaServer
from voicemesh_trainer.registry.shelf import ModelShelf
from voicemesh_trainer.wiring.processors import usable_processors
from voicemesh_trainer.wiring.slots import slots_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from voicemesh_trainer.ports.language_models import ModelShelfMeter
    from voicemesh_trainer.settings import LocalSettings, TrainerSettings

__all__ = ("Local",)

_SMALL_BYTES = 512 * 1024 * 1024


class Local:
    """What the machine's own model consists of.

    Attributes:
        info: name and kind of the model.
    """

    def __init__(self, settings: TrainerSettings) -> None:
        """Takes the settings; files are looked at when a model is opened."""
        self._settings = settings
        self._local = local = settings.local
        catalogue = load_catalogue()
        self._store = ModelStore(default_models_dir(), catalogue)
        known = catalogue.models.get(local.model) if local.model_file is None else None
        name = local.model if local.model_file is None else local.model_file.stem
        self.info = ModelInfo(name, "local", known.licence if known else "")
        self._defaults = LlamaDefaults(
            style=local.style,
            slots=local.slots,
            context_tokens=local.context_tokens,
            temperature=local.temperature,
            top_p=local.top_p,
            repeat_penalty=local.repeat_penalty,
        )
        self._slots = partial(slots_of, settings, local.slots)

    def model(self) -> LlamaModel:
        """The model itself, not yet opened."""
        server = LlamaServer(self._options, self._local.slots)
        return LlamaModel(self.info, server, self._slots(), self._defaults)

    def shelf(
        self,
        local_path: Callable[[str], Awaitable[Path]],
        persona: Callable[[str], Awaitable[str | None]],
        meter: ModelShelfMeter,
    ) -> ModelShelf:
        """What brings tenants' adapters into memory; see `LlamaAdapters` for the arguments."""
        local = self._local
        adapters = LlamaAdapters(
            self.info.name,
            self._adapter_options,
            self._defaults,
            self._slots,
            local_path,
            persona,
        )
        limits = ShelfLimits(
            most_loaded=local.adapters,
            idle_timeout_s=local.adapter_idle_s,
            load_timeout_s=local.adapter_load_s,
        )
        return ModelShelf(adapters.make, limits, meter)

    def _adapter_options(self) -> LlamaOptions:
        return replace(self._options(), prompt_cache_mib=self._local.adapter_cache_mib)

    def _options(self) -> LlamaOptions:
        """Finds and verifies the model file, which takes seconds the first time."""
        local = self._local
        file = gguf_file(self._store, local.model, local.model_file)
        return LlamaOptions(
            file=file,
            context_tokens=local.context_tokens,
            slots=local.slots,
            threads=_threads(local, file),
            prompt_threads=local.prompt_threads or max(1, usable_processors() - 1),
            gpu_layers=local.gpu_layers,
            prompt_cache_mib=local.prompt_cache_mib,
        )


def _threads(local: LocalSettings, file: Path) -> int:
    is_small = file.stat().st_size < _SMALL_BYTES
    return local.threads or (1 if is_small else usable_processors())
