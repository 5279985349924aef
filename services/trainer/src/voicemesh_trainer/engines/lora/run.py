"""The run itself: steps, checkpoints, and what is told about them."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch

from voicemesh_trainer.engines.lora.checkpoints import Saved, read_checkpoint, write_checkpoint
from voicemesh_trainer.engines.lora.faults import TrainingFault
from voicemesh_trainer.engines.lora.forest import Sequence_, batches_of_nodes
from voicemesh_trainer.engines.lora.loss import preference_loss

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from voicemesh_trainer.engines.lora.model import Adapted
    from voicemesh_trainer.engines.lora.order import Order
    from voicemesh_trainer.engines.lora.samples import Samples

__all__ = ("Run", "Step", "Watcher")

_WARM_UP_SHARE = 0.06
_LEAST_RATE_SHARE = 0.05
_LARGEST_GRADIENT = 1.0
_MOST_NODES = 1_536
"""Tokens that are computed at once: bounds the memory of a step."""


@dataclass(frozen=True)
class Step:
    """A step that was done."""

    number: int
    """From 1."""
    loss: float
    """Before the step: mean over the tokens of its answers, or over its pairs."""
    learning_rate: float
    """Step size."""
    tokens: int
    """Tokens of its sequences, each counted in full."""


class Watcher(Protocol):
    """Follows a run. What it raises ends the run."""

    def stepped(self, step: Step) -> None:
        """A step was done."""

    def saved(self, path: Path, step: int) -> None:
        """A checkpoint was written; it may be gone when this returns."""

    def shall_pause(self) -> bool:
        """Whether the run is to save and to end now."""


@dataclass(frozen=True)
class _Pair:
    chosen: Sequence_
    rejected: Sequence_
    reference: float
    """How much likelier the chosen one was before training, as a logarithm."""


_Unit: TypeAlias = Sequence_ | _Pair


class Run:
    """Trains the adapter of a model."""

    def __init__(self, order: Order, adapted: Adapted, samples: Samples, identity: str) -> None:
        """Prepares a run.

        Args:
            order: how to train, and where to go on.
            adapted: the model, as it is before training.
            samples: what is learnt.
            identity: what a checkpoint must be of.

        Raises:
            TrainingFault: if the checkpoint is of another run.
        """
        self._order = order
        self._adapted = adapted
        self._samples = samples
        self._identity = identity
        self._weights = dict(adapted.weights())
        self._optimizer = torch.optim.AdamW(
            self._weights.values(), betas=(0.9, 0.99), weight_decay=0.0, fused=True
        )
        self._pairs = self._with_references(samples.pairs())
        self._units: list[_Unit] = []
        self._units_of = -1
        self._unit_count = len(self._epoch(0))
        self.step = 0
        """Steps done."""
        if order.checkpoint:
            self._restore(order.checkpoint_path)

    @property
    def step_count(self) -> int:
        """Steps in all."""
        return self._steps_an_epoch * self._order.recipe.epoch_count

    @property
    def _steps_an_epoch(self) -> int:
        return math.ceil(self._unit_count / self._order.recipe.batch_size)

    def train(self, watcher: Watcher) -> bool:
        """Goes on to the end; returns False if it was paused before that.

        Raises:
            TrainingFault: if the numbers have grown beyond all bounds.
        """
        saved_at = time.monotonic()
        while self.step < self.step_count:
            watcher.stepped(self._one_step())
            ends = self.step == self.step_count
            pauses = watcher.shall_pause() and not ends
            if pauses or time.monotonic() - saved_at >= self._order.checkpoint_every_s:
                path = self._order.directory_path / f"step-{self.step}.safetensors"
                self._save(path)
                watcher.saved(path, self.step)
                path.unlink(missing_ok=True)
                saved_at = time.monotonic()
            if pauses:
                return False
        return True

    def _one_step(self) -> Step:
        size = self._order.recipe.batch_size
        epoch, place = divmod(self.step, self._steps_an_epoch)
        units = self._epoch(epoch)[place * size : (place + 1) * size]
        rate = self._rate()
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        loss, tokens = self._accumulate(units)
        norm = torch.nn.utils.clip_grad_norm_(self._weights.values(), _LARGEST_GRADIENT)
        if not math.isfinite(loss) or not math.isfinite(float(norm)):
            msg = "training went out of bounds; a smaller learning_rate may help"
            raise TrainingFault(msg)
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.step += 1
        return Step(self.step, loss, rate, tokens)

    def _rate(self) -> float:
        """Rises in a straight line, then falls as half a cosine."""
        warm_up = max(1, round(_WARM_UP_SHARE * self.step_count))
        if self.step < warm_up:
            share = (self.step + 1) / warm_up
        else:
            done = (self.step - warm_up) / max(1, self.step_count - warm_up)
            share = _LEAST_RATE_SHARE + (1 - _LEAST_RATE_SHARE) * (1 + math.cos(math.pi * done)) / 2
        return self._order.recipe.learning_rate * share

    def _accumulate(self, units: Sequence[_Unit]) -> tuple[float, int]:
        """Adds up the gradients of a step; returns its loss and its tokens."""
        texts = [unit for unit in units if isinstance(unit, Sequence_)]
        pairs = [unit for unit in units if isinstance(unit, _Pair)]
        answer_tokens = sum(len(text.completion) for text in texts)
        text_share = len(texts) / len(units)
        total = 0.0
        for part in batches_of_nodes(texts, _MOST_NODES):
            likely, _forest = self._adapted.log_probabilities([texts[number] for number in part])
            loss = -likely.sum() * (text_share / answer_tokens)
            loss.backward()
            total += loss.item()
        for pair in pairs:
            loss = self._preference(pair) / len(units)
            loss.backward()
            total += loss.item()
        sequences = [*texts, *(each for pair in pairs for each in (pair.chosen, pair.rejected))]
        return total, sum(len(each) for each in sequences)

    def _preference(self, pair: _Pair) -> torch.Tensor:
        chosen, rejected = self._adapted.sums([pair.chosen, pair.rejected])
        beta = self._order.recipe.preference_strength
        return preference_loss(chosen, rejected, torch.tensor(pair.reference), beta)

    def _with_references(self, pairs: Sequence[tuple[Sequence_, Sequence_]]) -> list[_Pair]:
        made = []
        with torch.no_grad():
            for chosen, rejected in pairs:
                sums = self._adapted.sums([chosen, rejected]).tolist()
                made.append(_Pair(chosen, rejected, sums[0] - sums[1]))
        return made

    def _epoch(self, epoch: int) -> list[_Unit]:
        if epoch != self._units_of:
            self._units = [*self._samples.epoch(epoch), *self._pairs]
            if self._pairs:
                random.Random(f"{self._order.recipe.seed}/mixed/{epoch}").shuffle(self._units)  # noqa: S311
            self._units_of = epoch
        return self._units

    def _save(self, path: Path) -> None:
        tensors = {}
        for name, weight in self._weights.items():
            tensors[f"weight/{name}"] = weight.detach()
            for moment, value in self._optimizer.state[weight].items():
                tensors[f"{moment}/{name}"] = value
        write_checkpoint(path, Saved(self.step, self._identity, tensors))

    def _restore(self, path: Path) -> None:
        saved = read_checkpoint(path, self._identity)
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(saved.tensors[f"weight/{name}"])
                self._optimizer.state[weight] = {
                    moment: saved.tensors[f"{moment}/{name}"].to(
                        weight.device if moment != "step" else "cpu"
                    )
                    for moment in ("step", "exp_avg", "exp_avg_sq")
                }
        self.step = saved.step
