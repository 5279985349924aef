"""What a chunk of an endpoint's answer says.

The library builds its objects without checking them: an endpoint that does not keep to the API may
have put anything in the place of anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import FinishReason, TokenUsage
from voicemesh_trainer.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

__all__ = ("ChunkContent", "read_chunk", "readable")

_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}


@dataclass(frozen=True)
class ChunkContent:
    """What the trainer reads of a chunk."""

    text: str = ""
    """The next characters; may be empty."""
    reason: FinishReason | None = None
    """Why the answer ended, in the chunk that says so."""
    usage: TokenUsage | None = None
    """What the answer cost, in the chunk that says so."""


async def readable(chunks: AsyncIterator[object]) -> AsyncGenerator[object, None]:
    """The chunks of a stream.

    Raises:
        ProviderUnavailableError: where the stream is no JSON in UTF-8.
    """
    while True:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except ValueError:  # of json, or of the decoding
            raise _unreadable() from None
        yield chunk


def read_chunk(chunk: object) -> ChunkContent:
    """The content of a chunk.

    Args:
        chunk: a `ChatCompletionChunk`, if the endpoint keeps to the API.

    Raises:
        ProviderUnavailableError: if it does not.
    """
    usage = _usage(getattr(chunk, "usage", None))
    choices = getattr(chunk, "choices", None) or []
    if not isinstance(choices, list):
        raise _unreadable()
    if not choices:
        return ChunkContent(usage=usage)
    text = getattr(getattr(choices[0], "delta", None), "content", None) or ""
    reason = getattr(choices[0], "finish_reason", None) or ""
    if not isinstance(text, str) or not isinstance(reason, str):
        raise _unreadable()
    known = _REASONS.get(reason, FinishReason.STOP) if reason else None
    return ChunkContent(text, known, usage)


def _usage(usage: object) -> TokenUsage | None:
    if usage is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    return TokenUsage(
        _count(usage, "prompt_tokens"),
        _count(details, "cached_tokens"),
        _count(usage, "completion_tokens"),
    )


def _count(owner: object, name: str) -> int:
    count = getattr(owner, name, None) or 0
    if not isinstance(count, int) or count < 0:
        raise _unreadable()
    return count


def _unreadable() -> ProviderUnavailableError:
    return ProviderUnavailableError("the model provider's answer cannot be read")
