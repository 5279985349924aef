"""What the trainer needs from where tenants are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from voicemesh_trainer.domain.tenants import AuthorItem, Deleted, Persona, TenantState

__all__ = ("TenantStore",)


class TenantStore(Protocol):
    """Keeps what is said of tenants, and knows what their people gave.

    Every method raises `DatabaseUnavailableError` if the database cannot be reached.
    """

    async def persona(self, tenant: str) -> Persona:
        """What the assistant is told about itself; an empty one if it was never set."""

    async def state(self, tenant: str) -> TenantState:
        """All that an answer has to know of it, in one go."""

    async def set_persona(self, tenant: str, name: str, system_prompt: str) -> Persona:
        """Changes it; durable when it returns. Empty texts return to the defaults."""

    async def author_items(
        self, tenant: str, author_id: str, *, after: str, limit: int
    ) -> list[AuthorItem]:
        """What a person gave, in the order of ids, which is that of time; at most `limit`.

        Args:
            tenant: whose people.
            author_id: the person; not empty.
            after: the last id of the page before; empty for the first page.
            limit: most items.
        """

    async def delete_author(self, tenant: str, author_id: str) -> Deleted:
        """Deletes all that a person gave, at once; memories forget it before their next answer."""
