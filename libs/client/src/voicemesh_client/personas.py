"""What the assistant is told about itself in a tenant, and what a person gave it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass readers resolve it at run time

__all__ = ("AuthorItem", "DeletedAuthorData", "Persona")


@dataclass(frozen=True, slots=True)
class Persona:
    """What the assistant is told about itself in a tenant."""

    name: str = ""
    """What it is called, at most 64 characters; empty means "Assistant"."""

    system_prompt: str = ""
    """Its instruction, at most 16,000 characters; empty means the server's default."""

    update_time: datetime | None = None
    """When it was last set, in UTC; None if never. Not read by `Trainer.set_persona`."""


@dataclass(frozen=True, slots=True)
class AuthorItem:
    """One thing that a person gave."""

    id: str
    """A ULID."""

    kind: str
    """What it is: `example`, `correction` or `feedback`."""

    prompt: str
    """The question or prompt it belongs to; may be empty."""

    text: str
    """What the person said: answer, correction or comment."""

    dataset_id: str
    """The dataset of an example; empty otherwise."""

    create_time: datetime | None
    """When it was given, in UTC."""


@dataclass(frozen=True, slots=True)
class DeletedAuthorData:
    """How much of what a person gave is gone."""

    example_count: int
    """Examples deleted."""

    correction_count: int
    """Corrections deleted."""

    feedback_count: int
    """Feedback deleted."""
