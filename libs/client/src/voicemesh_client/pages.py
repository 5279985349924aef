"""Lists that a service gives page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

__all__ = ("pages",)


class _Page(Protocol):
    @property
    def next_page_token(self) -> str: ...


Page = TypeVar("Page", bound=_Page)


async def pages(ask: Callable[[str], Awaitable[Page]]) -> AsyncGenerator[Page, None]:
    """The pages of a list, each asked for when it is wanted.

    Args:
        ask: asks for the page of a token; the empty one means the first page.
    """
    token = ""
    while True:
        page = await ask(token)
        yield page
        token = page.next_page_token
        if not token:
            return
