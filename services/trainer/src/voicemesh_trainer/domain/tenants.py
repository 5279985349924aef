"""Tenants: what the assistant is told about itself there, and what their people gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ("AuthorItem", "Deleted", "ItemKind", "Persona", "TenantState")


@dataclass(frozen=True)
class Persona:
    """What the assistant is told about itself in a tenant."""

    name: str = ""
    """What it is called; empty means the default."""
    system_prompt: str = ""
    """Its instruction; empty means the server's default."""
    update_time: float | None = None
    """When it was last set, in seconds since 1970; None if never."""


@dataclass(frozen=True)
class TenantState:
    """What an answer has to know of its tenant, as of one moment."""

    persona: Persona = Persona()
    """What the assistant is told about itself."""
    active_model: str | None = None
    """The model that the tenant chose; None means the server's default one."""
    last_change: int = 0
    """Number of the newest change of what was taught; 0 if there was none."""


class ItemKind(Enum):
    """What a person can have given."""

    CORRECTION = "correction"
    EXAMPLE = "example"
    FEEDBACK = "feedback"


@dataclass(frozen=True)
class AuthorItem:
    """One thing that a person gave."""

    item_id: str
    """Its id."""
    kind: ItemKind
    """What it is."""
    prompt: str
    """The question or prompt it belongs to; may be empty."""
    text: str
    """What the person said: answer, correction or comment."""
    dataset_id: str
    """The dataset of an example; empty otherwise."""
    create_time: float
    """When it was given, in seconds since 1970."""


@dataclass(frozen=True)
class Deleted:
    """How much of a person's data is gone."""

    examples: int
    """Examples of datasets."""
    corrections: int
    """Corrections."""
    feedback: int
    """Feedback; what memory learned of it is gone too."""
