"""Models that tenants trained on this machine: the server's own model with a LoRA adapter each.

Each has a llama.cpp server of its own. The weights of the base model are mapped from its file, and
so are in memory once, however many adapters there are; what each has for itself are its adapter,
its context and its buffers. One server with all adapters would have to be started anew for every
new one, and does not batch requests with different adapters.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import ModelInfo
from voicemesh_trainer.engines.adapter_file import check_adapter
from voicemesh_trainer.engines.llama import LlamaModel
from voicemesh_trainer.engines.llama_server import LlamaServer
from voicemesh_trainer.errors import FileLostError, ModelUnusableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from voicemesh_trainer.domain.models import TunedModel
    from voicemesh_trainer.engines.llama import LlamaDefaults
    from voicemesh_trainer.engines.llama_server import LlamaOptions
    from voicemesh_trainer.slots import Slots

__all__ = ("LlamaAdapters",)


class LlamaAdapters:
    """Makes models of rows.

    Args:
        base: name of the server's own local model; adapters of another one do not fit.
        options: tells how to set llama.cpp up for the base; called on a thread.
        defaults: what holds where a request does not say otherwise.
        slots: makes what bounds the answers of a new model.
        local_path: where a file of the store lies on this machine.
        persona: the tenant's instruction, which its prompts begin with; None if it has none.
    """

    def __init__(
        self,
        base: str,
        options: Callable[[], LlamaOptions],
        defaults: LlamaDefaults,
        slots: Callable[[], Slots],
        local_path: Callable[[str], Awaitable[Path]],
        persona: Callable[[str], Awaitable[str | None]],
    ) -> None:
        self._base = base
        self._options = options
        self._defaults = defaults
        self._slots = slots
        self._local_path = local_path
        self._persona = persona

    async def make(self, model: TunedModel) -> LlamaModel:
        """The model of a row, not yet opened.

        Raises:
            ModelUnusableError: if its base is not this server's, or its adapter is not there.
            ServiceError: if the file store or the database cannot be reached.
        """
        if model.base_model != self._base:
            msg = (
                f"model {model.name} was trained from {model.base_model}, and this server runs "
                f"{self._base}; roll back or promote another"
            )
            raise ModelUnusableError(msg, metadata={"model": model.name})
        if model.adapter_file is None:
            raise _gone(model)
        try:
            adapter = await self._local_path(model.adapter_file)
        except FileLostError as error:
            raise _gone(model) from error
        base = await asyncio.to_thread(self._options)
        await asyncio.to_thread(check_adapter, model, adapter, base.file)
        options = replace(base, adapter=adapter)
        info = ModelInfo(model.name, model.backend, model.license, tuned=True)
        server = LlamaServer(lambda: options, options.slots)
        about = await self._persona(model.tenant)
        # One slot has read the prompt's beginning: somebody waits, and one tenant seldom needs two.
        return LlamaModel(
            info, server, self._slots(), self._defaults, warm_up_about=about, warm_slots=1
        )


def _gone(model: TunedModel) -> ModelUnusableError:
    msg = (
        f"model {model.name} cannot be used: its adapter is gone or damaged; roll back or "
        "promote another"
    )
    return ModelUnusableError(msg, metadata={"model": model.name})
