"""Pages of a list, as every List rpc gives them (https://google.aip.dev/158).

The list is in the order of its keys, and a token names the last key of the page before, so that
what comes or goes between two pages shifts nothing.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from voicemesh_chassis.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ("Page", "PageLimits", "key_in", "page_of", "page_size", "token_for")

T = TypeVar("T")


@dataclass(frozen=True)
class PageLimits:
    """How long the pages of one rpc are, as its proto says."""

    default: int
    """Entries if the request says 0."""

    largest: int
    """Most entries; a larger wish is reduced to this."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page."""

    entries: tuple[T, ...]
    """What is on it."""

    next_token: str
    """Token of the page after; empty on the last."""


def page_of(
    entries: Iterable[T], key: Callable[[T], str], *, size: int, token: str, limits: PageLimits
) -> Page[T]:
    """The page after `token`.

    Args:
        entries: the whole list, in any order.
        key: what it is ordered by; unique.
        size: `page_size` of the request.
        token: `page_token` of the request; empty for the first page.
        limits: how long pages are.

    Raises:
        InvalidArgumentError: if the size or the token cannot be used.
    """
    length = page_size(size, limits)
    after = key_in(token)
    rest = sorted((entry for entry in entries if key(entry) > after), key=key)
    page = tuple(rest[:length])
    return Page(page, token_for(key(page[-1])) if len(rest) > len(page) else "")


def page_size(size: int, limits: PageLimits) -> int:
    """How many entries a page has.

    Args:
        size: `page_size` of the request.
        limits: how long pages are.

    Raises:
        InvalidArgumentError: if the size is negative.
    """
    if size < 0:
        msg = f"page_size is {size}; it must not be negative"
        raise InvalidArgumentError(msg, field="page_size")
    return min(size or limits.default, limits.largest)


def token_for(key: str) -> str:
    """The token of the page after the entry with this key."""
    return base64.urlsafe_b64encode(key.encode()).decode()


def key_in(token: str) -> str:
    """The key that a token was made for; empty for the empty token.

    Raises:
        InvalidArgumentError: if it is no such token.
    """
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        msg = "page_token is not one that this service gave out"
        raise InvalidArgumentError(msg, field="page_token") from error
