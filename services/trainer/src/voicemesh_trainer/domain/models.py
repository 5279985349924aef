"""Models that tenants trained, and what was done with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = (
    "ModelAction",
    "ModelChange",
    "ModelState",
    "NewModel",
    "Promotion",
    "TunedModel",
)


class ModelState(Enum):
    """Where a model is in its life."""

    CANDIDATE = "candidate"
    ACTIVE = "active"
    ARCHIVED = "archived"


class ModelAction(Enum):
    """What can be done with a model."""

    REGISTERED = "registered"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    DELETED = "deleted"


@dataclass(frozen=True)
class NewModel:
    """What a training job made, before it has its row."""

    tenant: str
    """Whose it is."""
    name: str
    """Name that requests shall use, at most 128 characters; `registry.names` makes one."""
    backend: str
    """Where it runs: `local` or `openai`."""
    base_model: str
    """The model it was trained from: a name of the server's own, never another tuned one's."""
    job_id: str
    """The job that made it; a job makes at most one."""
    adapter_file: str | None = None
    """Name of the LoRA adapter (GGUF) in the file store; of local models."""
    adapter_sha256: str | None = None
    """Its SHA-256 in lower-case hexadecimal digits."""
    provider_model: str | None = None
    """What the provider calls it; of models at a provider."""
    license: str = ""
    """SPDX identifier or name of its licence, if known; the base model's."""
    author_id: str = ""
    """Opaque id of the person who asked for it, if known."""


@dataclass(frozen=True)
class TunedModel:
    """A model that a tenant trained."""

    tenant: str
    """Whose it is."""
    name: str
    """Name that requests use; unique in the tenant."""
    backend: str
    """Where it runs: `local` or `openai`."""
    base_model: str
    """The server's own model that it was trained from."""
    job_id: str
    """The job that made it."""
    state: ModelState
    """Where it is in its life."""
    adapter_file: str | None
    """Name of the LoRA adapter (GGUF) in the file store; of local models."""
    adapter_sha256: str | None
    """Its SHA-256 in lower-case hexadecimal digits."""
    provider_model: str | None
    """What the provider calls it; of models at a provider."""
    license: str
    """SPDX identifier or name of its licence, if known."""
    create_time: float
    """When it was registered, in seconds since 1970."""


@dataclass(frozen=True)
class ModelChange:
    """One thing that was done with a model of a tenant."""

    number: int
    """Grows with every change."""
    action: ModelAction
    """What was done."""
    model: str
    """Name of the model."""
    previous_model: str | None
    """The model that was active before, of `PROMOTED` and `ROLLED_BACK`."""
    forced: bool
    """Whether it was forced against its evaluation."""
    author_id: str
    """Who asked; empty if unknown."""
    change_time: float
    """When, in seconds since 1970."""


@dataclass(frozen=True)
class Promotion:
    """Another model becomes the active one: what is written, all of it or nothing."""

    tenant: str
    """Whose models."""
    action: ModelAction
    """`PROMOTED` or `ROLLED_BACK`."""
    expected: str | None
    """What must still be the tenant's own choice; None means that it has made none."""
    chosen: str | None
    """What becomes the tenant's choice; None leaves it to the server's default."""
    chosen_own: bool
    """Whether that is a model that the tenant trained, and must still be there."""
    model: str
    """Name of the model that answers afterwards, for the record."""
    previous_model: str
    """Name of the model that answered before, for the record."""
    forced: bool
    """Whether it was forced against its evaluation."""
    author_id: str
    """Who asked; empty if unknown."""
