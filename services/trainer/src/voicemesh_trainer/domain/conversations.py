"""What the trainer talks about: turns, conversations, models, and the events of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_trainer.domain.tenants import TenantState

__all__ = (
    "Accepted",
    "Conversation",
    "Delta",
    "Ended",
    "FinishReason",
    "Finished",
    "GenerationEvent",
    "ModelEvent",
    "ModelInfo",
    "Piece",
    "Role",
    "Sampling",
    "Started",
    "TaughtExample",
    "TokenUsage",
    "Turn",
    "UsedExample",
)


class Role(Enum):
    """Who speaks in a turn."""

    USER = "user"
    ASSISTANT = "assistant"


class FinishReason(Enum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    CORRECTION = "correction"


@dataclass(frozen=True)
class Turn:
    """One thing said in a conversation."""

    role: Role
    """Who speaks."""
    text: str
    """What was said; never blank."""
    speaker: str = ""
    """Name of the person; empty if unknown or the assistant."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen; None leaves the choice to the model's defaults."""

    max_output_tokens: int = 256
    """Most tokens to write."""
    temperature: float | None = None
    """Randomness, 0 to 2; 0 takes the likeliest token."""
    top_p: float | None = None
    """Nucleus, above 0 and at most 1."""
    seed: int | None = None
    """Makes the answer reproducible; None is random."""
    stop_sequences: tuple[str, ...] = ()
    """The answer ends before any of these."""
    frequency_penalty: float = 0.0
    """Penalty for tokens by how often they were written, -2 to 2."""
    presence_penalty: float = 0.0
    """Penalty for tokens that occurred at all, -2 to 2."""


@dataclass(frozen=True)
class TaughtExample:
    """A question that people taught an answer to, for the model to go by."""

    question: str
    """The question; not blank."""
    answer: str
    """The answer; not blank."""
    avoided: bool = False
    """Whether the answer is wrong, and to be avoided."""


@dataclass(frozen=True)
class UsedExample:
    """Something that people taught, which an answer used."""

    example_id: str
    """Id of the correction, lesson of feedback, or dataset example."""
    similarity: float
    """How near its question was, 0 to 1."""


@dataclass(frozen=True)
class Conversation:
    """What is to be answered, and how."""

    tenant: str
    """Whose conversation it is."""
    history: tuple[Turn, ...]
    """Oldest first, not empty; the last turn is a user's and is the one answered."""
    system_prompt: str | None = None
    """What the assistant is told about itself; None means the tenant's own words, or the server's
    default."""
    model: str = ""
    """Name of the model that answers; empty means the default one."""
    sampling: Sampling = Sampling()
    """How tokens are chosen."""
    examples: tuple[TaughtExample, ...] = ()
    """What people taught about questions like the last turn; the nearest comes last."""
    memory_disabled: bool = False
    """Whether nothing that people taught shall be looked for."""
    assistant_name: str = ""
    """What the assistant is called; empty if nothing."""
    tenant_state: TenantState | None = None
    """What is known of the tenant as of the question; None if that has not been looked up."""


@dataclass(frozen=True)
class TokenUsage:
    """Tokens that an answer cost; 0 where the provider does not say."""

    input_tokens: int = 0
    """Tokens read."""
    cached_input_tokens: int = 0
    """Of those, tokens whose work was already done."""
    output_tokens: int = 0
    """Tokens written."""


@dataclass(frozen=True)
class ModelInfo:
    """A model as callers see it."""

    name: str
    """Name that requests use."""
    backend: str
    """Where it runs: `local` or `openai`."""
    license: str = ""
    """SPDX identifier or name of its licence, if known."""
    tuned: bool = False
    """Whether a tenant trained it."""


@dataclass(frozen=True)
class Accepted:
    """The model has the conversation. Comes first, once."""

    omitted_turns: int
    """Oldest turns that did not fit the model's context."""
    answering: ModelInfo | None = None
    """The model that answers, if another one stands in for the one that was asked."""


@dataclass(frozen=True)
class Piece:
    """The model wrote something."""

    text: str
    """The next characters; may be empty."""


@dataclass(frozen=True)
class Ended:
    """The model is done. Comes last, once."""

    reason: FinishReason
    """Why it ended."""
    usage: TokenUsage
    """What it cost."""


ModelEvent = Accepted | Piece | Ended


@dataclass(frozen=True)
class Started:
    """An answer begins. Comes first, once."""

    response_id: str
    """Names the answer: a ULID."""
    model: str
    """Name of the model that answers."""
    omitted_turns: int
    """Oldest turns that did not fit the model's context."""


@dataclass(frozen=True)
class Delta:
    """The next words of an answer."""

    text: str
    """Never empty, never cut inside a code point."""


@dataclass(frozen=True)
class Finished:
    """An answer is complete. Comes last, once."""

    reason: FinishReason
    """Why it ended."""
    usage: TokenUsage
    """What it cost."""
    first_token_s: float | None
    """From the arrival of the request to the first words, in seconds; None without words."""
    total_s: float
    """From the arrival of the request to the end, in seconds."""
    examples: tuple[UsedExample, ...] = ()
    """What people taught that the answer used, nearest first."""


GenerationEvent = Started | Delta | Finished
