"""How long memory takes to find what was taught, among more and more examples."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert

from benchmarks.callers import percentiles
from benchmarks.report import Check, print_table
from benchmarks.services import memory_mib
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.lessons import Correction, Subject
from voicemesh_trainer.memory.questions import question_key
from voicemesh_trainer.memory.recall import Recall, RecallLimits
from voicemesh_trainer.memory.shelf import IndexShelf
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.lessons import SqlLessonStore
from voicemesh_trainer.stores.schema import datasets, examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from benchmarks.report import Report

__all__ = ("measure_retrieval",)

_SIZES = (1_000, 10_000, 100_000)
_QUESTIONS = 200
_CORRECTIONS = 20
_MOST_S = 0.020
_BATCH = 5_000
_TENANT = "benchmark"
_ASKED = ("Could you tell me", "I wonder", "Somebody asked", "Do you happen to know")
_KINDS = ("leader", "fortress", "banner", "motto", "cook", "song", "treasure", "enemy", "river")
_PLACES = ("in the north", "of the second hall", "by the old mill", "under the bridge", "at sea")


async def measure_retrieval(report: Report) -> None:
    """Questions, half of them word for word as taught, to memories of three sizes on SQLite."""
    rows, found = [], {}
    with tempfile.TemporaryDirectory() as directory:
        for size in _SIZES:
            database = Database(f"sqlite:///{Path(directory) / f'{size}.db'}")
            await database.open()
            try:
                figures = await _measure(database, size)
            finally:
                await database.aclose()
            found[str(size)] = figures
            rows.append(
                (
                    f"{size:,}",
                    *(f"{figures[name] * 1000:.1f} ms" for name in ("p50_s", "p95_s", "after_s")),
                    f"{figures['build_s']:.1f} s",
                    f"{figures['memory_mib']:.0f} MiB",
                )
            )
            name = f"recall among {size} examples, p95, seconds"
            report.checks.append(Check.at_most(name, figures["p95_s"], _MOST_S))
    report.measurements["retrieval"] = found
    header = ("examples", "p50", "p95", "after a correction", "first question", "memory")
    print_table(header, rows)


async def _measure(database: Database, size: int) -> dict[str, float]:
    choice = random.Random(size)  # noqa: S311 - the same questions every time
    questions = await _fill(database, size, choice)
    store = SqlLessonStore(database)
    before_mib = memory_mib(os.getpid())
    shelf = IndexShelf(store, most_tenants=1, wait_s=600)
    recall = Recall(store, shelf, RecallLimits())
    try:
        build_s = await _timed(recall, "What is it?")
        held_mib = memory_mib(os.getpid()) - before_mib
        asked = [_asked(choice, choice.choice(questions)) for _ in range(_QUESTIONS)]
        times_s = [await _timed(recall, question) for question in asked]
        after_s = []
        for number in range(_CORRECTIONS):
            correction = Correction(_TENANT, f"Answer {number}.", question=f"{asked[number]} Now?")
            await store.record_correction(correction)
            after_s.append(await _timed(recall, asked[number]))
    finally:
        await shelf.aclose()
    spread = percentiles(times_s)
    return {
        "p50_s": spread["p50"],
        "p95_s": spread["p95"],
        "after_s": percentiles(after_s)["p50"],
        "build_s": build_s,
        "memory_mib": held_mib,
    }


async def _timed(recall: Recall, question: str) -> float:
    began = time.perf_counter()
    await recall.recall(_TENANT, question, in_context=False)
    return time.perf_counter() - began


def _asked(choice: random.Random, question: str) -> str:
    """The question as it was taught, or in other words."""
    if choice.random() < 0.5:
        return question
    return f"{choice.choice(_ASKED)} {question[0].lower()}{question[1:]}"


async def _fill(database: Database, size: int, choice: random.Random) -> Sequence[str]:
    dataset_id, now = new_id(), time.time()
    async with database.transaction() as connection:
        row = {
            "dataset_id": dataset_id,
            "tenant": _TENANT,
            "name": "benchmark",
            "example_count": size,
            "content_sha256": "0" * 64,
            "create_time": now,
            "update_time": now,
        }
        await connection.execute(insert(datasets).values(row))
        questions = []
        for batch in _batches(dataset_id, size, choice):
            await connection.execute(insert(examples), batch)
            questions += [row["prompt"] for row in batch]
        await announce(connection, _TENANT, Subject.DATASET, [dataset_id])
    return questions


def _batches(
    dataset_id: str, size: int, choice: random.Random
) -> Iterator[Sequence[dict[str, Any]]]:
    names = ["".join(choice.choices("abdefgiklmnoprstu", k=7)) for _ in range(max(50, size // 20))]
    for start in range(0, size, _BATCH):
        batch = []
        for position in range(start, min(size, start + _BATCH)):
            one, other = choice.choices(names, k=2)
            kind, place = choice.choice(_KINDS), choice.choice(_PLACES)
            prompt = f"What is the {kind} of {one} {place} {other}?"
            batch.append(
                {
                    "example_id": new_id(),
                    "tenant": _TENANT,
                    "dataset_id": dataset_id,
                    "position": position,
                    "prompt": prompt,
                    "completion": f"It is number {position}, as everybody in the guild knows.",
                    "polarity": "positive",
                    "content_key": f"{position:064}",
                    "question_key": question_key(prompt),
                    "create_time": 0.0,
                }
            )
        yield batch
