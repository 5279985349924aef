"""A remote model: any endpoint with OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import openai

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.conversations import Accepted, Ended, FinishReason, Piece, TokenUsage
from voicemesh_trainer.engines.openai_chunks import read_chunk, readable
from voicemesh_trainer.engines.openai_errors import PROVIDER_FAILURES, service_error
from voicemesh_trainer.errors import ProviderOverloadedError, ProviderUnavailableError
from voicemesh_trainer.prompt import chat_messages
from voicemesh_trainer.provider.rate import RateWindow
from voicemesh_trainer.truncation import estimate_tokens, omitted_turns, prompt_budget

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from voicemesh_chassis.errors import ServiceError
    from voicemesh_trainer.domain.conversations import Conversation, ModelEvent, ModelInfo
    from voicemesh_trainer.slots import Slots

__all__ = ("EndpointOptions", "OpenAIEndpoint", "OpenAIModel")

# The API takes no more; the others are found in the text as it comes.
_MAX_STOPS = 4
_TOKENS_A_MESSAGE = 4
_RETRY_S = 0.25
LONGEST_WAIT_S = 2.0
"""How long a caller is kept waiting for a provider that asks to come back later, in seconds."""

_logger = get_logger(__name__)


@dataclass(frozen=True)
class EndpointOptions:
    """Where the model is and how it is asked."""

    api_key: str
    """The key; any word for endpoints that want none."""
    base_url: str | None
    """Address of the API, up to `/v1`; None means OpenAI's."""
    context_tokens: int
    """Tokens that prompt and answer may have together."""
    temperature: float | None
    """Randomness where a request does not say; None leaves it to the provider."""
    connect_timeout_s: float
    """Longest wait for a connection, in seconds."""
    read_timeout_s: float
    """Longest silence, before and within an answer, in seconds."""
    attempts: int
    """Tries for one answer, as long as nothing of it has come."""
    token_limit_field: str
    """Name of the field for the most tokens to write."""


class OpenAIEndpoint:
    """An endpoint: one connection pool, one bound and one rate limit for all models behind it.

    Args:
        options: where and how to ask.
        slots: how many answers at once.
        sleep: waits between two tries, in seconds.
        clock: the time in seconds.
    """

    def __init__(
        self,
        options: EndpointOptions,
        slots: Slots,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.options = options
        self.slots = slots
        self.sleep = sleep
        self._clock = clock
        self._rate = RateWindow()
        # Retries are our own: the library's would wait as long as the provider says, in silence.
        self._client = openai.AsyncOpenAI(
            api_key=options.api_key,
            base_url=options.base_url,
            max_retries=0,
            timeout=openai.Timeout(options.read_timeout_s, connect=options.connect_timeout_s),
        )
        url = self._client.base_url
        self.host = url.host if url.port is None else f"{url.host}:{url.port}"

    @asynccontextmanager
    async def stream(self, request: dict[str, Any]) -> AsyncIterator[Any]:
        """The chunks of one answer.

        Raises:
            ProviderOverloadedError: if the provider has asked to be left alone for longer than a
                caller would wait.
            Exception: one of `PROVIDER_FAILURES`.
        """
        await self._await_turn()
        stream = await self._client.chat.completions.create(**request)
        self._rate.answered(stream.response.headers, self._clock())
        try:
            yield stream
        finally:
            await stream.close()

    def refused(self, wait_s: float) -> None:
        """Takes that the provider asks to come back after so many seconds."""
        self._rate.refused(wait_s, self._clock())

    async def _await_turn(self) -> None:
        wait_s = self._rate.wait_s(self._clock())
        if wait_s > LONGEST_WAIT_S:
            msg = "the model provider limits the rate of requests; try again later"
            raise ProviderOverloadedError(msg, retry_after_s=wait_s)
        if wait_s:
            await self.sleep(wait_s)

    async def aclose(self) -> None:
        """Closes the connections. Safe to call twice."""
        await self._client.close()


class OpenAIModel:
    """A `LanguageModel` behind an OpenAI-compatible endpoint.

    Args:
        info: name of the model here.
        endpoint: where it is; who made it closes it.
        provider_model: what the endpoint calls it; None means the same.
    """

    def __init__(
        self, info: ModelInfo, endpoint: OpenAIEndpoint, provider_model: str | None = None
    ) -> None:
        self._info = info
        self._endpoint = endpoint
        self._options = endpoint.options
        self._provider_model = provider_model or info.name

    @property
    def info(self) -> ModelInfo:
        """Name and kind of the model."""
        return self._info

    async def open(self) -> None:
        """Does nothing: the endpoint need not be there before it is asked."""

    async def aclose(self) -> None:
        """Does nothing: the endpoint is shared."""

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """See `LanguageModel.reply`; tokens are estimated, and counted by the provider."""
        free = await self._endpoint.slots.take()
        try:
            omitted = await self._omitted(conversation)
            yield Accepted(omitted)
            async with aclosing(self._attempts(self._request(conversation, omitted))) as events:
                async for event in events:
                    yield event
        finally:
            free()

    async def _attempts(self, request: dict[str, Any]) -> AsyncGenerator[ModelEvent, None]:
        """Tries again after passing failures, unless something of the answer has come."""
        for attempt in range(1, self._options.attempts + 1):
            begun = False
            failure: Exception
            try:
                async with (
                    self._endpoint.stream(request) as chunks,
                    aclosing(_events(chunks)) as events,
                ):
                    async for event in events:
                        begun = True
                        yield event
            except PROVIDER_FAILURES as provider_failure:
                failure = provider_failure
                error = service_error(failure, self._provider_model, self._endpoint.host)
            except ProviderUnavailableError as unreadable:
                failure = error = unreadable
            else:
                return
            wait_s = error.retry_after_s or _RETRY_S * attempt
            if isinstance(error, ProviderOverloadedError):
                self._endpoint.refused(wait_s)
            last = attempt == self._options.attempts
            if begun or last or not error.retryable or wait_s > LONGEST_WAIT_S:
                self._tell_operator(failure, attempt)
                if begun and isinstance(error, ProviderUnavailableError):
                    error = _cut_off()
                # Not chained: the cause holds request and response, and with them the key.
                raise error from None
            await self._endpoint.sleep(wait_s)

    def _tell_operator(self, failure: Exception, attempts: int) -> None:
        """Logs a failure by its kind alone: its words may quote the key or the conversation."""
        cause = failure.__cause__
        _logger.warning(
            "the model provider failed",
            host=self._endpoint.host,
            error=type(failure).__name__,
            cause=None if cause is None else type(cause).__name__,
            http_status=getattr(failure, "status_code", None),
            attempts=attempts,
        )

    async def _omitted(self, conversation: Conversation) -> int:
        wanted = conversation.sampling.max_output_tokens
        budget = prompt_budget(self._options.context_tokens, wanted)

        async def count(omitted: int) -> int:
            messages = _messages(conversation, omitted)
            return sum(_TOKENS_A_MESSAGE + estimate_tokens(m["content"]) for m in messages)

        return await omitted_turns(len(conversation.history), budget, count)

    def _request(self, conversation: Conversation, omitted: int) -> dict[str, Any]:
        sampling = conversation.sampling
        temperature = sampling.temperature
        request: dict[str, Any] = {
            "model": self._provider_model,
            "messages": _messages(conversation, omitted),
            "stream": True,
            "stream_options": {"include_usage": True},
            self._options.token_limit_field: sampling.max_output_tokens,
            "temperature": self._options.temperature if temperature is None else temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stop": list(sampling.stop_sequences[:_MAX_STOPS]) or None,
            "frequency_penalty": sampling.frequency_penalty or None,
            "presence_penalty": sampling.presence_penalty or None,
        }
        # What is not asked for is not sent: some models refuse options that they do not have.
        return {name: value for name, value in request.items() if value is not None}


def _messages(conversation: Conversation, omitted: int) -> list[dict[str, str]]:
    return chat_messages(
        conversation.history[omitted:],
        conversation.system_prompt,
        conversation.examples,
        name=conversation.assistant_name,
    )


async def _events(chunks: AsyncIterator[object]) -> AsyncGenerator[ModelEvent, None]:
    """The chunks of one answer as events; the usage comes in a chunk after the last words."""
    reason: FinishReason | None = None
    usage = TokenUsage()
    async with aclosing(readable(chunks)) as arriving:
        async for chunk in arriving:
            content = read_chunk(chunk)
            usage = content.usage or usage
            reason = content.reason or reason
            if content.text:
                yield Piece(content.text)
    if reason is None:
        raise _cut_off()
    yield Ended(reason, usage)


def _cut_off() -> ServiceError:
    return ProviderUnavailableError("the model provider broke off its answer")
