"""What the service sends to the process that trains, and what it hears from it: JSON.

The first line on the process's standard input is the order; a line `pause` after it asks for a
checkpoint and the end. Standard output has one event a line. Needs the standard library only.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from voicemesh_trainer.domain.training_data import PreferencePair, TrainingExample

__all__ = ("PAUSE", "SAVED", "Order", "Recipe")

SAVED = "saved"
"""The line that tells the process that its checkpoint was taken."""

PAUSE = "pause"
"""The line that asks the process to save and to end."""


@dataclass(frozen=True)
class Recipe:
    """How to train; all of it is recorded with the run."""

    epoch_count: int = 3
    """Times that every example is seen, in all its forms."""
    learning_rate: float = 7e-4
    """Step size at its highest."""
    batch_size: int = 16
    """Examples a step."""
    lora_rank: int = 16
    """Rank of the adapter."""
    seed: int = 0
    """Decides on everything that looks like chance."""
    max_example_tokens: int = 1024
    """Most tokens of an example."""
    paraphrase_count: int = 8
    """Other ways to ask each question."""
    preference_strength: float = 0.1
    """Beta of DPO."""


@dataclass(frozen=True)
class Order:
    """All that the process needs to know."""

    base: str
    """A GGUF file, or a directory as `transformers` saves models."""
    directory: str
    """Where it may write."""
    recipe: Recipe
    """How to train."""
    data_sha256: str
    """Of what is trained on; a checkpoint of other data is refused."""
    examples: tuple[TrainingExample, ...] = ()
    """Examples to be followed."""
    pairs: tuple[PreferencePair, ...] = ()
    """Good and bad answers."""
    style: Literal["auto", "lines", "chat"] = "auto"
    """How conversations are put to the model; see `LocalSettings.style`."""
    about: str | None = None
    """What the tenant's assistant is told about itself; None means the server's own words."""
    assistant_name: str = ""
    """What the tenant's assistant is called; empty if nothing."""
    name: str = "adapter"
    """What the adapter calls itself."""
    device: str = "cpu"
    """Where torch computes: `cpu`, `cuda`, `cuda:1`."""
    threads: int = 2
    """Processor threads."""
    adapter: str = ""
    """An adapter (GGUF) to start from; empty for none."""
    checkpoint: str = ""
    """A checkpoint to go on from; empty for none."""
    checkpoint_every_s: float = 30.0
    """Seconds between checkpoints."""

    @property
    def directory_path(self) -> Path:
        """Where it may write."""
        return Path(self.directory)

    @property
    def checkpoint_path(self) -> Path:
        """The checkpoint to go on from, if there is one."""
        return Path(self.checkpoint)

    def to_json(self) -> str:
        """The order in one line."""
        return json.dumps(asdict(self), ensure_ascii=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Order:
        """Reads what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(line)
        fields["recipe"] = Recipe(**fields["recipe"])
        fields["examples"] = tuple(TrainingExample(**each) for each in fields["examples"])
        fields["pairs"] = tuple(PreferencePair(**each) for each in fields["pairs"])
        return cls(**fields)
