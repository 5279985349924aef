"""What the process that trains does, from its order to the adapter."""

from __future__ import annotations

import hashlib
import json
import platform
import random
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from voicemesh_trainer.engines.lora.export import Shape, write_adapter
from voicemesh_trainer.engines.lora.model import Adapted, load
from voicemesh_trainer.engines.lora.neighbours import Neighbours
from voicemesh_trainer.engines.lora.run import Run, Step
from voicemesh_trainer.engines.lora.samples import Samples
from voicemesh_trainer.engines.lora.wording import Wording

if TYPE_CHECKING:
    from voicemesh_trainer.engines.lora.order import Order

__all__ = ("Line", "work")

_PACKAGES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "gguf", "numpy")
_SPEED_STEPS = 20


class Line(Protocol):
    """The line to the parent."""

    def tell(self, kind: str, **facts: object) -> None:
        """Sends an event."""

    def tell_checkpoint(self, path: Path, step: int) -> None:
        """Sends a checkpoint, and waits until it is taken."""

    def shall_pause(self) -> bool:
        """Whether the parent asked for the end."""


class _Reports:
    """Follows a run, and tells of it."""

    def __init__(self, line: Line, step_count: int) -> None:
        self._line = line
        self._step_count = step_count
        self._marks: list[tuple[float, int]] = [(time.monotonic(), 0)]
        self.begun = time.monotonic()
        self.tokens = 0
        self.loss = 0.0

    def stepped(self, step: Step) -> None:
        self.tokens += step.tokens
        self.loss = step.loss
        self._marks = [*self._marks[-_SPEED_STEPS:], (time.monotonic(), self.tokens)]
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        passed = max(last - first, 1e-9)
        left = self._step_count - step.number
        self._line.tell(
            "progress",
            step=step.number,
            step_count=self._step_count,
            loss=step.loss,
            learning_rate=step.learning_rate,
            tokens_per_second=(after - before) / passed,
            remaining_s=left * passed / (len(self._marks) - 1),
        )

    def saved(self, path: Path, step: int) -> None:
        self._line.tell_checkpoint(path, step)

    def shall_pause(self) -> bool:
        return self._line.shall_pause()


def work(order: Order, line: Line) -> None:
    """Trains, and tells the end: `done` or `paused`.

    Raises:
        TrainingFault: if it cannot be done.
    """
    begun = time.monotonic()
    _make_reproducible(order)
    base, start = Path(order.base), Path(order.adapter) if order.adapter else None
    recipe = order.recipe
    adapted = load(base, rank=recipe.lora_rank, seed=recipe.seed, device=order.device, start=start)
    line.tell("facts", versions=_versions(order))
    wording = Wording(
        adapted.tokenizer, order.style, recipe.max_example_tokens, order.assistant_name
    )
    questions = [example.prompt for example in order.examples]
    neighbours = Neighbours(adapted.embeddings, adapted.tokenizer, questions)
    run = Run(order, adapted, Samples(order, wording, neighbours), _identity(order))
    loaded_s = time.monotonic() - begun
    line.tell("log", text=f"the base model is loaded after {loaded_s:.0f} s")
    reports = _Reports(line, run.step_count)
    if not run.train(reports):
        line.tell("paused")
        return
    seconds = time.monotonic() - reports.begun
    adapter = Path(order.directory) / "adapter.gguf"
    _export(adapted, adapter, order.name)
    metrics = {
        "loss": reports.loss,
        "tokens": float(reports.tokens),
        "tokens_per_second": reports.tokens / max(seconds, 1e-9),
        "seconds": seconds,
        "load_seconds": loaded_s,
    }
    line.tell("facts", metrics=metrics)
    line.tell("done", adapter=str(adapter))


def _export(adapted: Adapted, path: Path, name: str) -> None:
    weights = {each: weight.detach() for each, weight in adapted.weights()}
    write_adapter(path, weights, Shape.of(adapted.config), adapted.alpha, name)


def _make_reproducible(order: Order) -> None:
    torch.set_num_threads(order.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(order.recipe.seed)
    np.random.seed(order.recipe.seed % 2**32)
    random.seed(order.recipe.seed)


def _identity(order: Order) -> str:
    """What a run is of: another one may not go on from its checkpoints."""
    base = Path(order.base)
    size = base.stat().st_size if base.is_file() else 0
    facts = [order.data_sha256, asdict(order.recipe), base.name, size, order.style]
    facts += [order.about, order.assistant_name, order.adapter != ""]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _versions(order: Order) -> dict[str, str]:
    versions = {name: version(name) for name in _PACKAGES}
    device = torch.cuda.get_device_name(order.device) if order.device != "cpu" else "cpu"
    return versions | {"python": platform.python_version(), "device": device}
