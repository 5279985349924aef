"""Puts meanings into numbers by an OpenAI-compatible endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from voicemesh_trainer.engines.openai_errors import PROVIDER_FAILURES, service_error
from voicemesh_trainer.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("EndpointEmbedder",)


class EndpointEmbedder:
    """An `Embedder` behind an endpoint; llama.cpp's server is one, with `--embedding`.

    Args:
        model: as the endpoint calls it.
        api_key: the key; any word for endpoints that want none.
        base_url: address of the API, up to `/v1`; None means OpenAI's.
        timeout_s: longest wait for an answer, in seconds.
    """

    def __init__(self, model: str, api_key: str, base_url: str | None, timeout_s: float) -> None:
        self._model = model
        self._client = openai.AsyncOpenAI(
            api_key=api_key, base_url=base_url, max_retries=0, timeout=timeout_s
        )

    @property
    def name(self) -> str:
        """Names the model."""
        return self._model

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """See `Embedder.embed`."""
        try:
            response = await self._client.embeddings.create(
                model=self._model, input=list(texts), encoding_format="float"
            )
        except PROVIDER_FAILURES as failure:
            # Not chained: the cause holds the request, and with it the key.
            raise service_error(failure, self._model, self._client.base_url.host) from None
        vectors = [each.embedding for each in response.data or ()]
        lengths = {len(vector) for vector in vectors}
        if len(vectors) != len(texts) or len(lengths) != 1 or 0 in lengths:
            msg = f"the embedding model {self._model} sent vectors that cannot be used"
            raise ProviderUnavailableError(msg)
        return vectors

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()
