"""Speed of local training beside a plain `peft` and `transformers` Trainer loop; what it teaches.

    .venv-lora/bin/python -m benchmarks.trainer.training [--steps N] [--device cuda] [--teach SET]

Both train the same adapter on the same sequences with the same rate, in steps of 16; the plain
loop pads each step's parts and asks the whole model for its loss, as tutorials do. Tokens are those
of the sequences, each counted in full. `--teach` trains the 30 questions of a set as a job does,
and asks for them in other words by llama.cpp. The recipe was chosen on `guild`; `observatory` was
written afterwards. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_trainer.domain.conversations import (
    Conversation,
    ModelInfo,
    Piece,
    Role,
    Sampling,
    Turn,
)
from voicemesh_trainer.domain.training_data import TrainingExample
from voicemesh_trainer.engines.gguf_file import gguf_file
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.engines.llama_server import LlamaOptions, LlamaServer
from voicemesh_trainer.engines.lora.model import Adapted, load
from voicemesh_trainer.engines.lora.order import Order, Recipe
from voicemesh_trainer.engines.lora.process import training_process
from voicemesh_trainer.engines.lora.run import Run, Step
from voicemesh_trainer.engines.lora.samples import Samples
from voicemesh_trainer.engines.lora.wording import Wording
from voicemesh_trainer.slots import Slots

if TYPE_CHECKING:
    from voicemesh_trainer.engines.lora.forest import Sequence_

SETS = ("guild", "observatory")
PLAIN_BATCH = 2
"""Sequences that the plain loop computes at once; its logits alone take a gigabyte for these."""


class Timed:
    """Follows a run and ends it after some steps; the first one, which warms up, does not count."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._marks: list[tuple[float, int]] = []

    def stepped(self, step: Step) -> None:
        """Notes the time."""
        self._marks.append((time.perf_counter(), step.tokens))

    def saved(self, path: Path, step: int) -> None:
        """Does nothing."""

    def shall_pause(self) -> bool:
        """Whether enough steps were done."""
        return len(self._marks) > self._steps

    @property
    def tokens_per_second(self) -> float:
        """Of the steps after the first."""
        tokens = sum(count for _, count in self._marks[1:])
        return tokens / (self._marks[-1][0] - self._marks[0][0])


def pairs(name: str) -> list[dict[str, Any]]:
    """A set: questions, answers, key phrases, and the questions in other words."""
    text = Path(__file__).with_name(f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def order_for(name: str, base: Path, directory: str, device: str, threads: int) -> Order:
    """A job that teaches the questions of a set."""
    examples = tuple(TrainingExample(each["question"], each["answer"]) for each in pairs(name))
    return Order(
        base=str(base),
        directory=directory,
        recipe=Recipe(),
        data_sha256=name,
        examples=examples,
        device=device,
        threads=threads,
        checkpoint_every_s=3600.0,
    )


def ours(order: Order, adapted: Adapted, samples: Samples, steps: int) -> float:
    """Tokens a second of this project's loop."""
    timed = Timed(steps)
    Run(order, adapted, samples, "speed").train(timed)
    return timed.tokens_per_second


def plain(order: Order, adapted: Adapted, sequences: list[Sequence_], steps: int) -> float:
    """Tokens a second of `transformers.Trainer`."""
    from transformers import Trainer, TrainerCallback, TrainingArguments

    size = order.recipe.batch_size
    sequences = sequences[: (steps + 1) * size]
    begun: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, *_arguments: Any, **_more: Any) -> None:
            begun.append(time.perf_counter())

    def collate(rows: list[Sequence_]) -> dict[str, torch.Tensor]:
        longest = max(len(row) for row in rows)
        tokens = torch.zeros((len(rows), longest), dtype=torch.long)
        mask, labels = torch.zeros_like(tokens), torch.full_like(tokens, -100)
        for place, row in enumerate(rows):
            whole = torch.tensor([*row.prompt, *row.completion])
            tokens[place, : len(row)], mask[place, : len(row)] = whole, 1
            labels[place, len(row.prompt) : len(row)] = whole[len(row.prompt) :]
        return {"input_ids": tokens, "attention_mask": mask, "labels": labels}

    arguments = TrainingArguments(
        output_dir=order.directory,
        per_device_train_batch_size=PLAIN_BATCH,
        gradient_accumulation_steps=size // PLAIN_BATCH,
        max_steps=steps + 1,
        learning_rate=order.recipe.learning_rate,
        lr_scheduler_type="cosine",
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        remove_unused_columns=False,
        use_cpu=order.device == "cpu",
    )
    trainer = Trainer(
        model=adapted.network,
        args=arguments,
        train_dataset=sequences,
        data_collator=collate,
        callbacks=[Clock()],
    )
    # In the order given, so that both see the same sequences.
    trainer._get_train_sampler = lambda *_dataset: torch.utils.data.SequentialSampler(sequences)
    trainer.train()
    tokens = sum(len(each) for each in sequences[size:])
    return tokens / (begun[-1] - begun[0])


async def key_phrases(name: str, base: Path, adapter: Path | None) -> float:
    """Share of the questions in other words whose answer has the key phrase."""
    options = LlamaOptions(base, 2048, 1, 1, 1, 0, 0, adapter)
    model = LlamaModel(
        ModelInfo(name, "local"),
        LlamaServer(lambda: options, 1),
        Slots(1, max_waiting=1, max_wait_s=5.0),
        LlamaDefaults("auto", 1, 2048, 0.0, 0.95, 1.06),
    )
    await model.open()
    try:
        asked = [
            (words, each["key_phrase"]) for each in pairs(name) for words in each["other_words"]
        ]
        hits = 0
        for words, phrase in asked:
            turns = (Turn(Role.USER, words),)
            reply = ""
            async for event in model.reply(Conversation("", turns, sampling=Sampling(64))):
                reply += event.text if isinstance(event, Piece) else ""
            hits += phrase.casefold() in reply.casefold()
        return hits / len(asked)
    finally:
        await model.aclose()


async def teach(name: str, order: Order) -> dict[str, float]:
    """Trains as a job does; tells the seconds and the shares of key phrases."""
    import sys

    base = Path(order.base)
    before = await key_phrases(name, base, None)
    begun = time.perf_counter()
    facts: dict[str, float] = {}
    async with training_process([sys.executable], order) as process:
        while (event := await process.event())["event"] != "done":
            facts |= event.get("metrics", {})
    seconds = time.perf_counter() - begun
    after = await key_phrases(name, base, Path(event["adapter"]))
    return {
        "seconds": seconds,
        "tokens_per_second": facts["tokens_per_second"],
        "before": before,
        "after": after,
    }


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--teach", choices=SETS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    base = gguf_file(ModelStore(default_models_dir(), load_catalogue()), "gemma-3-270m", None)
    with tempfile.TemporaryDirectory() as directory:
        order = order_for(chosen.teach or SETS[0], base, directory, chosen.device, chosen.threads)
        if chosen.teach:
            print(json.dumps(asyncio.run(teach(chosen.teach, order))))
            return
        rank = order.recipe.lora_rank
        figures = {}
        for name in ("ours", "plain"):
            adapted = load(base, rank=rank, seed=0, device=chosen.device)
            samples = Samples(order, Wording(adapted.tokenizer, "auto", 1024))
            if name == "ours":
                figures[name] = ours(order, adapted, samples, chosen.steps)
            else:
                figures[name] = plain(order, adapted, samples.epoch(0), chosen.steps)
        ratio = figures["ours"] / figures["plain"]
        print(json.dumps({"tokens_per_second": figures, "ratio": ratio, "device": chosen.device}))


if __name__ == "__main__":
    main()
