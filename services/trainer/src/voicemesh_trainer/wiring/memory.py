"""Memory: what people teach, and answers that use it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_trainer.engines.embeddings import EndpointEmbedder
from voicemesh_trainer.memory.answers import AnswerSettings, TaughtAnswers
from voicemesh_trainer.memory.embedding import TenantMeanings
from voicemesh_trainer.memory.expiry import ResponseExpiry
from voicemesh_trainer.memory.metering import MemoryMetrics
from voicemesh_trainer.memory.recall import Recall, RecallLimits
from voicemesh_trainer.memory.shelf import IndexShelf
from voicemesh_trainer.stores.lessons import SqlLessonStore
from voicemesh_trainer.stores.vectors import SqlVectorStore

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from voicemesh_trainer.generation import Generation
    from voicemesh_trainer.settings import TrainerSettings
    from voicemesh_trainer.stores.database import Database

__all__ = ("Memory",)

_BATCH_TIMEOUT_S = 30.0


class Memory:
    """The parts of memory, and their life."""

    def __init__(
        self,
        settings: TrainerSettings,
        database: Database,
        generation: Generation,
        registry: CollectorRegistry,
    ) -> None:
        """Puts them together; `start` begins their work."""
        memory = settings.memory
        self.lessons = SqlLessonStore(database)
        self._embedder = _embedder(settings)
        meanings = None
        if self._embedder is not None:
            meanings = partial(
                TenantMeanings,
                embedder=self._embedder,
                store=SqlVectorStore(database),
                wait_s=memory.embedding_s,
            )
        self._shelf = IndexShelf(
            self.lessons,
            most_tenants=memory.tenants,
            wait_s=memory.build_wait_s,
            meanings=meanings,
        )
        limits = RecallLimits(memory.most_examples, memory.least_similarity)
        keeps = memory.response_days > 0
        answers = partial(
            TaughtAnswers,
            generation,
            Recall(self.lessons, self._shelf, limits),
            self.lessons,
            meter=MemoryMetrics(registry, lambda: self._shelf.tenant_count),
        )
        settled = AnswerSettings(memory.recall_s, memory.at_a_loss, keeps_responses=keeps)
        self.answers = answers(settings=settled)
        # Answers of evaluations: the same, but nobody will correct them.
        self.passing_answers = answers(settings=replace(settled, keeps_responses=False))
        self._expiry = ResponseExpiry(self.lessons, memory.response_days)

    def start(self) -> None:
        """Begins to forget answers whose time is over."""
        self._expiry.start()

    async def aclose(self) -> None:
        """Ends all work; answers that were broken off are kept first."""
        await self.answers.aclose()
        await self._expiry.aclose()
        await self._shelf.aclose()
        if self._embedder is not None:
            await self._embedder.aclose()


def _embedder(settings: TrainerSettings) -> EndpointEmbedder | None:
    memory, key = settings.memory, settings.openai_api_key
    if not memory.embedding_model:
        return None
    return EndpointEmbedder(
        memory.embedding_model,
        # The library wants a key; an endpoint of one's own may not.
        key.get_secret_value() if key else "none",
        memory.embedding_url or settings.openai_base_url,
        _BATCH_TIMEOUT_S,
    )
