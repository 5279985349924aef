"""The model of an endpoint, and those that tenants trained there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError
from voicemesh_trainer.domain.conversations import ModelInfo
from voicemesh_trainer.engines.openai import EndpointOptions, OpenAIEndpoint, OpenAIModel
from voicemesh_trainer.provider.circuit import Circuit, CircuitLimits
from voicemesh_trainer.provider.fallback import FallbackModel
from voicemesh_trainer.provider.guarded import GuardedModel
from voicemesh_trainer.provider.tuned import ProviderModels
from voicemesh_trainer.wiring.slots import slots_of

if TYPE_CHECKING:
    from voicemesh_trainer.ports.language_models import LanguageModel, ProviderMeter
    from voicemesh_trainer.settings import TrainerSettings

__all__ = ("Endpoint",)

_logger = get_logger(__name__)

_OPENAI_HOST = "api.openai.com"
_LONGEST_PAUSE_S = 300.0


class Endpoint:
    """An endpoint with all that is behind it.

    Attributes:
        tuned: brings the models to life that tenants trained there.
    """

    def __init__(
        self,
        settings: TrainerSettings,
        meter: ProviderMeter,
        substitute: LanguageModel | None,
    ) -> None:
        """Takes the settings; asks nothing yet.

        Args:
            settings: all settings.
            meter: told what the endpoint's circuit does.
            substitute: answers where the endpoint cannot; None if nothing does.

        Raises:
            ConfigurationError: if neither key nor address is set.
        """
        remote = settings.openai
        self._name = remote.model
        self._meter = meter
        self._substitute = substitute
        self._first_words_s = None if substitute is None else remote.first_words_s
        self._endpoint = OpenAIEndpoint(_options(settings), slots_of(settings, remote.concurrency))
        pause_s = remote.circuit_pause_s
        self._circuit = Circuit(
            CircuitLimits(remote.circuit_failures, pause_s, max(pause_s, _LONGEST_PAUSE_S))
        )
        self.tuned = ProviderModels(self._model)

    def model(self) -> LanguageModel:
        """The endpoint's own model."""
        _logger.info("conversations are sent to an endpoint", host=self._endpoint.host)
        return self._model(ModelInfo(self._name, "openai"), self._name)

    def _model(self, info: ModelInfo, provider_model: str) -> LanguageModel:
        guarded = GuardedModel(
            OpenAIModel(info, self._endpoint, provider_model),
            self._circuit,
            self._meter,
            first_words_s=self._first_words_s,
        )
        if self._substitute is None:
            return guarded
        return FallbackModel(guarded, self._substitute, self._meter)

    async def aclose(self) -> None:
        """Closes the connections. Safe to call twice."""
        await self._endpoint.aclose()


def _options(settings: TrainerSettings) -> EndpointOptions:
    key, url, remote = settings.openai_api_key, settings.openai_base_url, settings.openai
    if key is None and url is None:
        msg = (
            "VOICEMESH_TRAINER_BACKEND is openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL "
            "is set; set the key, or the address of an endpoint that needs none"
        )
        raise ConfigurationError(msg)
    host = urlsplit(url).hostname if url else _OPENAI_HOST
    limit_field = remote.token_limit_field
    if limit_field == "auto":
        limit_field = "max_completion_tokens" if host == _OPENAI_HOST else "max_tokens"
    return EndpointOptions(
        # The library wants a key; an endpoint of one's own may not.
        api_key=key.get_secret_value() if key else "none",
        base_url=url,
        context_tokens=remote.context_tokens,
        temperature=remote.temperature,
        connect_timeout_s=remote.connect_timeout_s,
        read_timeout_s=remote.read_timeout_s,
        attempts=remote.attempts,
        token_limit_field=limit_field,
    )
