"""Conversations and their answers, and what people think of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = (
    "Correction",
    "Feedback",
    "FinishReason",
    "GenerationDelta",
    "GenerationEvent",
    "GenerationFinished",
    "GenerationOptions",
    "GenerationStarted",
    "Rating",
    "Role",
    "TokenUsage",
    "Turn",
    "UsedExample",
)


class Role(StrEnum):
    """Who speaks in a turn of a conversation."""

    USER = "user"
    """A person."""

    ASSISTANT = "assistant"
    """The assistant."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing said in a conversation."""

    role: Role
    """Who speaks."""

    text: str
    """What was said; of the assistant, only what was heard or shown."""

    speaker: str = ""
    """Name of the person, at most 64 characters; empty if there is only one."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How an answer is written; None and empty leave a value to the server."""

    system_prompt: str | None = None
    """What the assistant is told about itself, at most 16,000 characters."""

    model: str = ""
    """Name of a model; empty is the tenant's active one, or the server's default."""

    max_output_tokens: int | None = None
    """Most tokens to write, 1 to 8,192."""

    temperature: float | None = None
    """Randomness, 0 to 2; 0 takes the likeliest token."""

    top_p: float | None = None
    """Nucleus, above 0 and at most 1."""

    seed: int | None = None
    """Makes the answer reproducible where the backend can."""

    stop_sequences: tuple[str, ...] = ()
    """The answer ends before any of these, at most 8 of 1 to 64 characters."""

    frequency_penalty: float | None = None
    """Penalty for tokens by how often they were written, -2 to 2."""

    presence_penalty: float | None = None
    """Penalty for tokens that have occurred at all, -2 to 2."""

    memory_disabled: bool = False
    """Whether corrections and examples of the tenant are not to be used."""


@dataclass(frozen=True, slots=True)
class GenerationStarted:
    """The answer begins; always the first event."""

    response_id: str
    """Names this answer in `Feedback` and `Correction`."""

    model: str
    """Name of the model that answers."""

    omitted_turn_count: int = 0
    """Turns of the history that were left out because they did not fit."""


@dataclass(frozen=True, slots=True)
class GenerationDelta:
    """The next words."""

    text: str
    """The next characters, never empty."""


class FinishReason(StrEnum):
    """Why an answer ended."""

    UNKNOWN = "unknown"
    """Not said, or by a newer server in words this client does not know."""

    STOP = "stop"
    """The model had finished, or a stop sequence came."""

    LENGTH = "length"
    """`max_output_tokens` or the context's end was reached."""

    CONTENT_FILTER = "content_filter"
    """The provider withheld the rest."""

    CORRECTION = "correction"
    """A correction of just this question was given, without the model."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Tokens of one answer."""

    input_tokens: int = 0
    """Tokens read."""

    cached_input_tokens: int = 0
    """Of those, tokens whose work was already done."""

    output_tokens: int = 0
    """Tokens written."""


@dataclass(frozen=True, slots=True)
class UsedExample:
    """Something that people taught and that an answer used."""

    example_id: str
    """Id of the correction, feedback or dataset example."""

    similarity: float
    """How near it was to the question, 0 to 1."""


@dataclass(frozen=True, slots=True)
class GenerationFinished:
    """The answer is complete; always the last event."""

    reason: FinishReason
    """Why it ended."""

    usage: TokenUsage
    """Tokens read and written."""

    first_token_s: float
    """Seconds from the arrival of the request to the first token."""

    total_s: float
    """Seconds from the arrival of the request to the end."""

    examples: tuple[UsedExample, ...] = ()
    """Corrections and examples that the answer used."""


GenerationEvent: TypeAlias = GenerationStarted | GenerationDelta | GenerationFinished
"""What `Trainer.generate` yields."""


class Rating(StrEnum):
    """What people thought of an answer."""

    POSITIVE = "positive"
    """A good answer, to be learned from."""

    NEGATIVE = "negative"
    """A bad answer, to be avoided."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody thought of an answer, or of the assistant as a whole."""

    response_id: str = ""
    """The answer; empty for feedback about the assistant as a whole."""

    rating: Rating | None = None
    """Good or bad; may be None if there is a comment."""

    comment: str = ""
    """In words, at most 4,000 characters."""

    author_id: str = ""
    """Opaque id of the person, so that their data can be deleted; at most 64 characters."""

    request_id: str = ""
    """Names this request so that a repeated one is recorded once; empty counts every one."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What should have been answered; names an answer or a question, not both."""

    corrected_text: str
    """The right answer, 1 to 16,000 characters."""

    response_id: str = ""
    """The answer that is corrected."""

    question: str = ""
    """The question, whether or not it was ever asked; at most 16,000 characters."""

    author_id: str = ""
    """Opaque id of the person, so that their data can be deleted; at most 64 characters."""

    request_id: str = ""
    """Names this request so that a repeated one is recorded once; empty counts every one."""
