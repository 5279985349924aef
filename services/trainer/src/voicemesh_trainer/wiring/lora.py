"""Training of the machine's own model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.lora.backend import LoraOptions, LoraTraining, find_python
from voicemesh_trainer.wiring.processors import usable_processors

if TYPE_CHECKING:
    from voicemesh_trainer.ports.tenants import TenantStore
    from voicemesh_trainer.settings import TrainerSettings
    from voicemesh_trainer.stores.files import FileStore

__all__ = ("lora_training",)


def lora_training(
    settings: TrainerSettings, files: FileStore, tenants: TenantStore
) -> LoraTraining | None:
    """What trains adapters here; None without an environment for it, so that jobs are refused.

    Args:
        settings: all settings.
        files: where adapters are.
        tenants: what prompts of each tenant begin with.
    """
    lora, local = settings.lora, settings.local
    python = find_python(lora.python, Path.cwd())
    if not python:
        return None
    store = ModelStore(default_models_dir(), load_catalogue())
    options = LoraOptions(
        base=local.model if local.model_file is None else local.model_file.stem,
        base_file=lambda: gguf_file(store, local.model, local.model_file),
        style=local.style,
        python=python,
        threads=lora.threads or usable_processors(),
        device=lora.device,
        memory_mib=lora.memory_mib,
        checkpoint_every_s=lora.checkpoint_s,
    )

    async def persona(tenant: str) -> tuple[str | None, str]:
        found = await tenants.persona(tenant)
        return found.system_prompt or None, found.name

    return LoraTraining(options, files.local_path, persona)
