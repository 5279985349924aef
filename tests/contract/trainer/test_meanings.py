"""Questions are found by their meaning; the embedder is llama.cpp's own server, a real model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import xllamacpp
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_trainer.domain.lessons import Correction
from voicemesh_trainer.engines.embeddings import EndpointEmbedder
from voicemesh_trainer.errors import ProviderUnavailableError
from voicemesh_trainer.memory.embedding import TenantMeanings
from voicemesh_trainer.memory.questions import normalised, question_key
from voicemesh_trainer.memory.shelf import IndexShelf
from voicemesh_trainer.memory.vectors import QuestionVectors
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.lessons import SqlLessonStore
from voicemesh_trainer.stores.vectors import SqlVectorStore

pytestmark = pytest.mark.contract

TENANT = "owls"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedding_url(models_dir: Path) -> str:
    """Address of a server that embeds with Gemma 3 270M."""
    params = xllamacpp.CommonParams()
    params.model.path = str(models_dir / "gemma-3-270m" / "gemma-3-270m-Q4_K_M.gguf")
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel, params.ui, params.verbosity = 512, 1, False, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = await asyncio.to_thread(xllamacpp.Server, params)
    _running.append(server)
    return f"{server.listening_address}/v1"


_running: list[object] = []
"""Servers stop when nothing holds them."""


@pytest_asyncio.fixture
async def embedder(embedding_url: str) -> AsyncIterator[EndpointEmbedder]:
    embedder = EndpointEmbedder("gemma", "none", embedding_url, 10.0)
    yield embedder
    await embedder.aclose()


async def test_a_question_without_a_word_in_common_is_found_by_its_meaning(
    embedder: EndpointEmbedder, database: Database
) -> None:
    store, vectors = SqlLessonStore(database), SqlVectorStore(database)
    taught = ["Who leads our guild?", "What colour has the banner?", "When do you eat supper?"]
    ids = [
        (await store.record_correction(Correction(TENANT, "An answer.", question=each)))[0]
        for each in taught
    ]
    shelf = IndexShelf(
        store,
        most_tenants=1,
        wait_s=30,
        meanings=lambda tenant: TenantMeanings(tenant, embedder, vectors, wait_s=10),
    )
    try:
        async with asyncio.timeout(30):
            while not (found := await shelf.find(TENANT, "xyzzy", 3)) or len(found) < len(ids):
                await asyncio.sleep(0.05)
    finally:
        await shelf.aclose()
    # Small as it is, the model tells apart; every lesson has a similarity of its own.
    assert {each.lesson.lesson_id for each in found} == set(ids)
    assert len({each.similarity for each in found}) == len(ids)
    kept = await vectors.vectors(TENANT, "gemma", [question_key(each) for each in taught])
    assert len(kept) == len(taught)
    (expected,) = await embedder.embed([normalised(taught[0])])
    vector = np.frombuffer(kept[question_key(taught[0])], "<f2").astype(np.float32)
    cosine = float(vector @ np.asarray(expected, np.float32)) / float(np.linalg.norm(expected))
    assert cosine == pytest.approx(1.0, abs=0.01)


async def test_without_an_embedder_questions_are_found_by_their_words(database: Database) -> None:
    store = SqlLessonStore(database)
    name, _ = await store.record_correction(Correction(TENANT, "Ann.", question="Who leads us?"))
    nowhere = EndpointEmbedder("gemma", "none", "http://127.0.0.1:9/v1", 1.0)
    shelf = IndexShelf(
        store,
        most_tenants=1,
        wait_s=30,
        meanings=lambda tenant: TenantMeanings(tenant, nowhere, SqlVectorStore(database), wait_s=1),
    )
    try:
        found = await shelf.find(TENANT, "who leads", 3)
        with pytest.raises(ProviderUnavailableError):
            await nowhere.embed(["who leads"])
    finally:
        await shelf.aclose()
        await nowhere.aclose()
    assert [each.lesson.lesson_id for each in found or ()] == [name]


_UNITS = np.eye(8, dtype=np.float16)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2), st.booleans()), max_size=40))
def test_vectors_are_those_that_were_added_and_not_removed(
    steps: list[tuple[int, int, bool]],
) -> None:
    vectors, expected = QuestionVectors(), {}
    for row, group, added in steps:
        if added:
            vectors.add(f"l{row}", f"g{group}", _UNITS[row])
            expected[f"l{row}"] = f"g{group}"
        elif row % 2:
            vectors.remove(lesson_id=f"l{row}")
            expected.pop(f"l{row}", None)
        else:
            vectors.remove(group_id=f"g{group}")
            expected = {name: its for name, its in expected.items() if its != f"g{group}"}
        assert len(vectors) == len(expected)
    for row in range(8):
        nearest = dict(vectors.nearest(_UNITS[row], 8))
        assert nearest.keys() == expected.keys()
        if f"l{row}" in expected:
            assert nearest[f"l{row}"] == 1.0
