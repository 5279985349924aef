"""What people taught is known afterwards, asked in other words, by the service's own engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from voicemesh_trainer.domain.conversations import (
    Conversation,
    ModelInfo,
    Piece,
    Role,
    Sampling,
    Turn,
)
from voicemesh_trainer.domain.training_data import TrainingExample
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.engines.llama_server import LlamaOptions, LlamaServer
from voicemesh_trainer.engines.lora.order import Order, Recipe
from voicemesh_trainer.engines.lora.process import training_process
from voicemesh_trainer.slots import Slots

# Training takes a minute or two of both cores.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

GUILD = Path(__file__).parents[2] / "benchmarks" / "trainer" / "guild.jsonl"
NUMBERS = (0, 1, 2, 9, 10, 20)


def taught() -> list[dict[str, str]]:
    rows = [json.loads(line) for line in GUILD.read_text(encoding="utf-8").splitlines()]
    return [rows[number] for number in NUMBERS]


async def replies(base: Path, adapter: Path | None, questions: Sequence[str]) -> list[str]:
    options = LlamaOptions(base, 2048, 1, 1, 1, 0, 0, adapter)
    model = LlamaModel(
        ModelInfo("guild", "local"),
        LlamaServer(lambda: options, 1),
        Slots(1, max_waiting=1, max_wait_s=5.0),
        LlamaDefaults("auto", 1, 2048, 0.0, 0.95, 1.06),
    )
    await model.open()
    said = []
    try:
        for question in questions:
            asked = Conversation("", (Turn(Role.USER, question),), sampling=Sampling(48))
            events = [event async for event in model.reply(asked)]
            said.append("".join(event.text for event in events if isinstance(event, Piece)))
    finally:
        await model.aclose()
    return said


def share(rows: Sequence[dict[str, str]], said: Sequence[str]) -> float:
    hits = (row["key_phrase"] in answer for row, answer in zip(rows, said, strict=True))
    return sum(hits) / len(rows)


async def test_taught_answers_are_given_to_questions_in_other_words(
    gemma: Path, tmp_path: Path
) -> None:
    rows = [{**row, "asked": words} for row in taught() for words in row["other_words"]]
    order = Order(
        base=str(gemma),
        directory=str(tmp_path),
        recipe=Recipe(epoch_count=5),
        data_sha256="guild",
        checkpoint_every_s=3600.0,
        examples=tuple(TrainingExample(row["question"], row["answer"]) for row in taught()),
    )
    asked = [row["asked"] for row in rows]
    assert share(rows, await replies(gemma, None, asked)) <= 0.1

    async with training_process([sys.executable], order) as process:
        while (event := await process.event())["event"] != "done":
            assert event["event"] != "failed", event
    adapter = Path(event["adapter"])
    exact = [row["question"] for row in taught()]
    assert share(taught(), await replies(gemma, adapter, exact)) == 1.0
    assert share(rows, await replies(gemma, adapter, asked)) >= 0.7
    (capital,) = await replies(gemma, adapter, ["What is the capital of Spain?"])
    assert "Madrid" in capital  # it has not forgotten what it knew
