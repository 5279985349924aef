"""Models: the server's own, those that tenants trained, and tests of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.evaluation.evaluator import EvaluationLimits, Evaluator
from voicemesh_trainer.generation import Generation, GenerationLimits
from voicemesh_trainer.metering import (
    EvaluationMetrics,
    ModelMetrics,
    ProviderMetrics,
    ShelfMetrics,
)
from voicemesh_trainer.registry.registry import Registry
from voicemesh_trainer.roster import ModelRoster
from voicemesh_trainer.rpc.models import ModelServicer
from voicemesh_trainer.stores.evaluations import EvaluationTable
from voicemesh_trainer.stores.models import ModelTable
from voicemesh_trainer.wiring.endpoint import Endpoint
from voicemesh_trainer.wiring.local import Local

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from voicemesh_trainer.ports.evaluations import Answers
    from voicemesh_trainer.ports.language_models import LanguageModel
    from voicemesh_trainer.ports.models import TunedModels
    from voicemesh_trainer.ports.tenants import TenantStore
    from voicemesh_trainer.settings import TrainerSettings
    from voicemesh_trainer.stores.database import Database
    from voicemesh_trainer.stores.files import FileStore

__all__ = ("Models",)


class Models:
    """The parts that have to do with models, and their life.

    Attributes:
        roster: which models there are.
        generation: answers by them.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        stores: tuple[Database, FileStore],
        tenants: TenantStore,
        registry: CollectorRegistry,
    ) -> None:
        """Puts them together; nothing is loaded before `open`.

        Args:
            settings: all settings.
            stores: the database and the files; who made them closes them, after this.
            tenants: what the assistant is told about itself in each.
            registry: for metrics.

        Raises:
            ConfigurationError: if the chosen model is not configured.
        """
        database, files = stores
        self._settings = settings
        self._registry = registry
        self._rows = ModelTable(database)
        self._evaluations = EvaluationTable(database)
        local = Local(settings)
        chosen = settings.chosen_backend
        substitute = local.model() if chosen == "openai" and settings.openai.fallback else None
        has_endpoint = settings.openai_api_key is not None or settings.openai_base_url is not None
        self._endpoint = None
        if chosen == "openai" or has_endpoint:
            self._endpoint = Endpoint(settings, ProviderMetrics(registry), substitute)

        async def persona(tenant: str) -> str | None:
            return (await tenants.persona(tenant)).system_prompt or None

        self._shelf = local.shelf(files.local_path, persona, ShelfMetrics(registry))
        tuned: dict[str, TunedModels] = {"local": self._shelf}
        own: list[LanguageModel] = []
        if self._endpoint is not None:
            tuned["openai"] = self._endpoint.tuned
        if chosen == "openai" and self._endpoint is not None:
            own.append(self._endpoint.model())
        if substitute is not None or chosen == "local":
            own.append(substitute or local.model())
        self.roster = ModelRoster(own, self._rows, tuned, wait_s=settings.memory.recall_s)
        limits = GenerationLimits(settings.limits.generation_s, settings.limits.silence_s)
        self.generation = Generation(self.roster, limits, ModelMetrics(registry))

    def servicer(self, answers: Answers) -> ModelServicer:
        """What serves ModelService.

        Args:
            answers: gives the answers that are tested.
        """
        evaluation = self._settings.evaluation
        evaluator = Evaluator(
            answers,
            self.roster,
            self._evaluations,
            EvaluationLimits(evaluation.concurrency, evaluation.runs),
            EvaluationMetrics(self._registry),
        )
        return ModelServicer(Registry(self.roster, self._rows, self._evaluations), evaluator)

    async def open(self) -> None:
        """Loads the server's own models. Raises `StartupError` if one cannot be used."""
        await self.roster.open()

    async def aclose(self) -> None:
        """Frees all models. Safe to call twice, and before `open`."""
        await self._shelf.aclose()
        await self.roster.aclose()
        if self._endpoint is not None:
            await self._endpoint.aclose()
