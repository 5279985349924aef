"""Cutting an answer into messages that Discord takes.

Pure. A page ends at the best boundary that fits: after a paragraph, a line, a sentence, a word, or
where it must. A code block that is cut is closed on one page and opened again on the next, in the
same language, so that both render. Limits: Discord's API reference, resource Message.
"""

from __future__ import annotations

import re

__all__ = ("MESSAGE_LIMIT", "split_pages")

MESSAGE_LIMIT = 2000
"""Most characters of a message's content."""

# Wherever it stands, as in Discord. The name of a language is short, so that a page which begins
# with it always has room for more.
_FENCE = re.compile(r"```(?:([\w+-]{1,20})(?=\n))?")
_CLOSING = "\n```"
_BOUNDARIES = (
    re.compile(r"\n\n+"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…。！？])\s+"),
    re.compile(r"\s+"),
)


def split_pages(text: str, limit: int = MESSAGE_LIMIT) -> tuple[str, ...]:
    """Return `text` in pages of at most `limit` characters; none for a blank text."""
    pages: list[str] = []
    rest = text.strip()
    while rest:
        if len(rest) <= limit:
            pages.append(rest)
            break
        page, rest = _cut(rest, limit)
        pages.append(page)
    return tuple(pages)


def _cut(text: str, limit: int) -> tuple[str, str]:
    """Return the first page of a text that is too long, and what is left of the text."""
    position = _boundary(text, limit)
    language = _open_fence(text[:position])
    if language is None:
        return text[:position].rstrip(), text[position:].lstrip()
    # Room for the fence that closes the block here.
    position = _boundary(text, limit - len(_CLOSING))
    language = _open_fence(text[:position])
    if language is None:
        return text[:position].rstrip(), text[position:].lstrip()
    return text[:position].rstrip() + _CLOSING, f"```{language}\n" + text[position:].lstrip("\n")


def _boundary(text: str, limit: int) -> int:
    """Where the best page of at most `limit` characters ends; pages are at least half full."""
    for pattern in _BOUNDARIES:
        ends = [match.start() for match in pattern.finditer(text, limit // 2, limit + 1)]
        fitting = [end for end in ends if end <= limit]
        if fitting:
            return fitting[-1]
    return limit


def _open_fence(text: str) -> str | None:
    """The language of the code block that `text` leaves open, or None if none is open."""
    opened: str | None = None
    for match in _FENCE.finditer(text):
        opened = (match.group(1) or "") if opened is None else None
    return opened
