"""Training by preference is that of `trl`, on the same batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from voicemesh_trainer.domain.training_data import PreferencePair
from voicemesh_trainer.engines.lora.forest import Sequence_
from voicemesh_trainer.engines.lora.loss import preference_loss
from voicemesh_trainer.engines.lora.model import Adapted, load
from voicemesh_trainer.engines.lora.order import Order
from voicemesh_trainer.engines.lora.run import Run
from voicemesh_trainer.engines.lora.samples import Samples
from voicemesh_trainer.engines.lora.wording import Wording

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROWS = [
    {"prompt": "Who are you?", "chosen": " A friend.", "rejected": " Nobody at all."},
    {"prompt": "Is it late?", "chosen": " It is.", "rejected": " No."},
]


def change(made: Adapted) -> None:
    """Lets the adapter do something, so that the model differs from its base."""
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for _name, weight in made.weights():
            weight.copy_(0.05 * torch.randn(weight.shape, generator=chance))


def test_the_loss_and_its_gradient_are_those_of_trl(llama: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    model = load(llama, rank=4, seed=3, device="cpu")
    model.network.float()
    model.tokenizer.pad_token = model.tokenizer.eos_token
    arguments = DPOConfig(
        output_dir=str(tmp_path),
        per_device_train_batch_size=2,
        beta=0.3,
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
    )
    trainer = DPOTrainer(
        model=model.network,
        args=arguments,
        train_dataset=Dataset.from_list(ROWS),
        processing_class=model.tokenizer,
    )
    # trl compares with the adapter as it is now, which does nothing yet.
    change(model)
    batch = next(iter(trainer.get_train_dataloader()))
    weights = [weight for _, weight in model.weights()]
    for weight in weights:
        weight.requires_grad_(True)
    theirs = trainer.compute_loss(model.network, batch)
    their_gradients = torch.autograd.grad(theirs, weights)

    chosen, rejected = sequences(batch)
    together = [*chosen, *rejected]
    sums = model.sums(together)
    with torch.no_grad(), model.network.disable_adapter():
        base = model.sums(together)
    count = len(chosen)
    reference = base[:count] - base[count:]
    ours = preference_loss(sums[:count], sums[count:], reference, 0.3).mean()
    our_gradients = torch.autograd.grad(ours, weights)

    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    for mine, other in zip(our_gradients, their_gradients, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-2, atol=1e-5)


def sequences(batch: dict[str, torch.Tensor]) -> tuple[list[Sequence_], list[Sequence_]]:
    """The sequences of trl's batch: first the good answers, then the bad ones."""
    rows = []
    for tokens, mask, answer in zip(
        batch["input_ids"], batch["attention_mask"], batch["completion_mask"], strict=True
    ):
        prompt = tokens[(mask == 1) & (answer == 0)].tolist()
        rows.append(Sequence_(tuple(prompt), tuple(tokens[answer == 1].tolist())))
    half = len(rows) // 2
    return rows[:half], rows[half:]


def test_training_makes_the_good_answer_likelier_than_the_bad_one(
    order: Callable[..., Order],
) -> None:
    pairs = (PreferencePair("Who are you?", "A friend.", "Nobody."),)
    wanted = order(pairs=pairs, examples=(), epoch_count=30, learning_rate=0.01)
    model = load(Path(wanted.base), rank=4, seed=0, device="cpu")
    samples = Samples(wanted, Wording(model.tokenizer, wanted.style, 512))
    ((chosen, rejected),) = samples.pairs()

    def lead() -> float:
        with torch.no_grad():
            sums = model.sums([chosen, rejected]).tolist()
        return float(sums[0] - sums[1])

    class Unwatched:
        def stepped(self, step: object) -> None:
            pass

        def saved(self, path: Path, step: int) -> None:
            pass

        def shall_pause(self) -> bool:
            return False

    before = lead()
    Run(wanted, model, samples, "x").train(Unwatched())
    assert lead() > before + 5
