"""The machine's own model: a GGUF file, run by llama.cpp in this process."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from voicemesh_trainer.domain.conversations import (
    Accepted,
    Conversation,
    Ended,
    FinishReason,
    Piece,
    Role,
    Sampling,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.engines.token_bound import TokenBound
from voicemesh_trainer.errors import ConversationTooLongError, ModelFailedError
from voicemesh_trainer.prompt import LINE_STOPS, chat_messages, line_prompt
from voicemesh_trainer.repetition import RepetitionGuard
from voicemesh_trainer.truncation import omitted_turns, prompt_budget

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from voicemesh_trainer.domain.conversations import ModelEvent, ModelInfo
    from voicemesh_trainer.engines.llama_server import Completion, LlamaServer
    from voicemesh_trainer.slots import Slots

__all__ = ("LlamaDefaults", "LlamaModel")

_REPEAT_LAST_TOKENS = 48
_STOP_S = 1.0
_MOST_CHARACTERS_A_TOKEN = 128
"""More than the longest token has, a run of spaces, in the vocabularies of common models."""
_TOO_LONG = "exceed_context_size_error"


@dataclass(frozen=True)
class LlamaDefaults:
    """What holds where a request does not say otherwise."""

    style: Literal["auto", "lines", "chat"]
    """How conversations are put to the model; `auto` asks the model's file."""
    slots: int
    """Replies that the model writes at once."""
    context_tokens: int
    """Tokens that prompt and answer may have together."""
    temperature: float
    """Randomness; 0 takes the likeliest token."""
    top_p: float
    """Nucleus."""
    repeat_penalty: float
    """Penalty for the last tokens written; 1 is none."""


class LlamaModel:
    """A `LanguageModel` on a llama.cpp server in this process.

    Conversations of all tenants share the slots. llama.cpp gives each to the slot whose last
    prompt begins most alike, and keeps the prompts of others in memory, so the work for the part
    of a conversation that was there before is not done again.
    """

    def __init__(
        self,
        info: ModelInfo,
        server: LlamaServer,
        slots: Slots,
        defaults: LlamaDefaults,
        *,
        warm_up_about: str | None = None,
        warm_slots: int | None = None,
    ) -> None:
        """Makes a model that is not yet opened.

        Args:
            info: name and kind of it.
            server: runs it; closed by this model.
            slots: bounds its replies.
            defaults: what holds where a request does not say otherwise.
            warm_up_about: what the assistant is told about itself in most conversations to come,
                so that it has been read already; None means the server's own words.
            warm_slots: slots that have read it when the model is open; None means all.
        """
        self._warm_up_about = warm_up_about
        self._warm_slots = defaults.slots if warm_slots is None else warm_slots
        self._bound = TokenBound()
        self._info = info
        self._server = server
        self._slots = slots
        self._defaults = defaults
        self._chat = defaults.style == "chat"

    @property
    def info(self) -> ModelInfo:
        """Name and kind of the model."""
        return self._info

    async def open(self) -> None:
        """Loads the model and lets it read what all prompts have in common."""
        await self._server.open()
        if self._defaults.style == "auto":
            self._chat = await self._server.is_chat_model()
        # One in each slot at once, so that no caller is the first to fill one.
        async with asyncio.TaskGroup() as group:
            for _slot in range(self._warm_slots):
                group.create_task(self._warm())

    async def _warm(self) -> None:
        greeting = (Turn(Role.USER, "Hello there!"),)
        sampling = Sampling(max_output_tokens=1)
        warm_up = Conversation("", greeting, self._warm_up_about, sampling=sampling)
        async for _event in self.reply(warm_up):
            pass

    async def aclose(self) -> None:
        """Stops all replies and frees the model."""
        await self._server.aclose()

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        """See `LanguageModel.reply`; a slot that a reply held is free a token or batch later."""
        free = await self._slots.take()
        try:
            omitted, prompt = await self._prompt(conversation)
            completion = self._server.complete(self._request(prompt, conversation), free)
        except BaseException:
            free()
            raise
        try:
            async with aclosing(_events(completion, omitted)) as events:
                async for event in events:
                    yield event
        finally:
            completion.stop()
            # So that who asks next finds the slot free; if this task is cancelled again, or
            # llama.cpp takes its time, the slot is freed all the same when its thread ends.
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_S):
                    await completion.gone()

    async def _prompt(self, conversation: Conversation) -> tuple[int, str]:
        """How many turns are left out, and the prompt of the others."""
        try:
            return await self._fitting_prompt(conversation)
        except ConversationTooLongError:
            if not conversation.examples:
                raise
            # What people taught may not keep a question from being answered.
            return await self._fitting_prompt(replace(conversation, examples=()))

    async def _fitting_prompt(self, conversation: Conversation) -> tuple[int, str]:
        history = conversation.history
        wanted = conversation.sampling.max_output_tokens
        budget = prompt_budget(self._defaults.context_tokens, wanted)

        async def render(omitted: int) -> str:
            turns, about = history[omitted:], conversation.system_prompt
            taught, name = conversation.examples, conversation.assistant_name
            if not self._chat:
                return line_prompt(turns, about, taught, name=name)
            messages = chat_messages(turns, about, taught, name=name, strict=True)
            return await self._server.apply_template(messages)

        async def count(omitted: int) -> int:
            characters = sum(len(turn.text) for turn in history[omitted:])
            if characters > _MOST_CHARACTERS_A_TOKEN * budget:
                return budget + 1  # counting takes seconds a megabyte; this cannot fit
            prompt = await render(omitted)
            most = self._bound.most(prompt)
            if most <= budget:
                return most
            tokens = await self._server.count_tokens(prompt)
            self._bound.learn(prompt, tokens)
            return tokens

        omitted = await omitted_turns(len(history), budget, count)
        return omitted, await render(omitted)

    def _request(self, prompt: str, conversation: Conversation) -> dict[str, Any]:
        defaults, sampling = self._defaults, conversation.sampling
        # The penalty looks at the prompt too: with it, a model avoids the words it was taught.
        penalty = 1.0 if conversation.examples else defaults.repeat_penalty
        stops = sampling.stop_sequences if self._chat else (*LINE_STOPS, *sampling.stop_sequences)
        request: dict[str, Any] = {
            "prompt": prompt,
            "stream": True,
            # Signs of life while the prompt is read, at which a cancelled reply is noticed.
            "return_progress": True,
            # Work that is taken from the cache was batched differently, and with that the
            # numbers differ in their last digits: enough for another word now and then.
            "cache_prompt": sampling.seed is None,
            "max_tokens": sampling.max_output_tokens,
            "stop": list(stops),
            "temperature": _chosen(sampling.temperature, defaults.temperature),
            "top_p": _chosen(sampling.top_p, defaults.top_p),
            "frequency_penalty": sampling.frequency_penalty,
            "presence_penalty": sampling.presence_penalty,
            "repeat_penalty": penalty,
            "repeat_last_n": _REPEAT_LAST_TOKENS,
        }
        if sampling.seed is not None:
            # llama.cpp has 32 bits, of which all ones mean random.
            request["seed"] = sampling.seed % (2**32 - 1)
        return request


def _chosen(asked: float | None, default: float) -> float:
    return default if asked is None else asked


async def _events(completion: Completion, omitted: int) -> AsyncGenerator[ModelEvent, None]:
    """What llama.cpp says, as events; ends a reply that has become repetitive."""
    guard = RepetitionGuard()
    pieces = 0
    yield Accepted(omitted)
    while (chunk := await completion.next()) is not None:
        if "error" in chunk or "choices" not in chunk:
            raise _error(chunk)
        choice = chunk["choices"][0]
        if text := choice.get("text") or "":
            pieces += 1
            yield Piece(text)
            if guard.feed(text):
                yield Ended(FinishReason.STOP, TokenUsage(output_tokens=pieces))
                return
        if reason := choice.get("finish_reason"):
            length = reason == "length"
            yield Ended(
                FinishReason.LENGTH if length else FinishReason.STOP, _usage(chunk.get("usage"))
            )
            return
    msg = "the embedded model broke off"
    raise ModelFailedError(msg)


def _usage(usage: Mapping[str, Any] | None) -> TokenUsage:
    if not usage:
        return TokenUsage()
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
    return TokenUsage(usage["prompt_tokens"], cached, usage["completion_tokens"])


def _error(chunk: Mapping[str, Any]) -> Exception:
    details = chunk.get("error", chunk)
    if isinstance(details, dict) and details.get("type") == _TOO_LONG:
        msg = "the conversation does not fit the model's context; shorten it"
        return ConversationTooLongError(msg, field="history")
    # llama.cpp's own words may quote the prompt, so they go no further.
    code = details.get("code", 0) if isinstance(details, dict) else 0
    return ModelFailedError(f"the embedded model failed (code {code})")
