"""Wiring of the trainer: settings to engines to generation to servicers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voicemesh_chassis import app
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import ConfigurationError, Service
from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.domain import ModelInfo
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.engines.llama_server import LlamaOptions, LlamaServer
from voicemesh_trainer.engines.openai import EndpointOptions, OpenAIModel
from voicemesh_trainer.generation import Generation, GenerationLimits
from voicemesh_trainer.metering import ModelMetrics
from voicemesh_trainer.roster import ModelRoster
from voicemesh_trainer.rpc.servicer import apis
from voicemesh_trainer.settings import TrainerSettings
from voicemesh_trainer.slots import Slots

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_trainer.ports import LanguageModel
    from voicemesh_trainer.settings import LocalSettings

__all__ = ("build", "main")

_logger = get_logger(__name__)

_OPENAI_HOST = "api.openai.com"
_MOST_THREADS = 8
_SMALL_BYTES = 512 * 1024 * 1024


def build(settings: TrainerSettings) -> Service:
    """The trainer as the chassis runs it.

    Raises:
        StartupError: if the chosen model is not configured; whether it is there, `start` tells.
    """
    registry = new_registry()
    chosen = settings.chosen_backend
    model = _remote_model(settings) if chosen == "openai" else _local_model(settings)
    roster = ModelRoster([model])
    limits = GenerationLimits(settings.limits.generation_s, settings.limits.silence_s)

    async def start() -> None:
        await roster.open()
        _logger.info("model ready", model=model.info.name, backend=model.info.backend)

    return Service(
        name="trainer",
        apis=apis(Generation(roster, limits, ModelMetrics(registry)), roster),
        start=start,
        stop=roster.aclose,
        registry=registry,
    )


def _local_model(settings: TrainerSettings) -> LanguageModel:
    local = settings.local
    catalogue = load_catalogue()
    store = ModelStore(default_models_dir(), catalogue)
    known = catalogue.models.get(local.model) if local.model_file is None else None
    name = local.model if local.model_file is None else local.model_file.stem
    defaults = LlamaDefaults(
        style=local.style,
        slots=local.slots,
        context_tokens=local.context_tokens,
        temperature=local.temperature,
        top_p=local.top_p,
        repeat_penalty=local.repeat_penalty,
    )
    info = ModelInfo(name, "local", known.licence if known else "")
    server = LlamaServer(lambda: _llama_options(local, store), local.slots)
    return LlamaModel(info, server, _slots(settings, local.slots), defaults)


def _llama_options(local: LocalSettings, store: ModelStore) -> LlamaOptions:
    """Finds and verifies the model file, which takes seconds the first time."""
    file = gguf_file(store, local.model, local.model_file)
    return LlamaOptions(
        file=file,
        context_tokens=local.context_tokens,
        slots=local.slots,
        threads=local.threads or (1 if _is_small(file) else _usable_processors()),
        prompt_threads=local.prompt_threads or max(1, _usable_processors() - 1),
        gpu_layers=local.gpu_layers,
        prompt_cache_mib=local.prompt_cache_mib,
    )


def _remote_model(settings: TrainerSettings) -> LanguageModel:
    key, url, remote = settings.openai_api_key, settings.openai_base_url, settings.openai
    if key is None and url is None:
        msg = (
            "VOICEMESH_TRAINER_BACKEND is openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL "
            "is set; set the key, or the address of an endpoint that needs none"
        )
        raise ConfigurationError(msg)
    host = urlsplit(url).hostname if url else _OPENAI_HOST
    limit_field = remote.token_limit_field
    if limit_field == "auto":
        limit_field = "max_completion_tokens" if host == _OPENAI_HOST else "max_tokens"
    options = EndpointOptions(
        # The library wants a key; an endpoint of one's own may not.
        api_key=key.get_secret_value() if key else "none",
        base_url=url,
        context_tokens=remote.context_tokens,
        temperature=remote.temperature,
        connect_timeout_s=remote.connect_timeout_s,
        read_timeout_s=remote.read_timeout_s,
        attempts=remote.attempts,
        token_limit_field=limit_field,
    )
    _logger.info("conversations are sent to an endpoint", host=host)
    info = ModelInfo(remote.model, "openai")
    return OpenAIModel(info, options, _slots(settings, remote.concurrency))


def _slots(settings: TrainerSettings, count: int) -> Slots:
    limits = settings.limits
    return Slots(count, max_waiting=limits.waiting, max_wait_s=limits.wait_s)


def _is_small(file: Path) -> bool:
    return file.stat().st_size < _SMALL_BYTES


def _usable_processors() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, _MOST_THREADS)


def main() -> None:
    """Runs the trainer until it is told to stop."""
    app.main(TrainerSettings, build)


if __name__ == "__main__":
    main()
