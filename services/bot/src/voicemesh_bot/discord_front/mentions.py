"""Mentions as people read them: `@Ann`, `@moderators`, `#general` for `<@7>`, `<@&8>`, `<#9>`.

Discord sends mentions as ids, which mean nothing to a language model. One that cannot be resolved
stays as it was written: it may be part of code, where Discord does not resolve it either.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import discord

__all__ = ("name_lookup", "with_names")

_MENTION = re.compile(r"<(@[!&]?|#)([0-9]{1,20})>")


def with_names(text: str, name_of: Callable[[str, int], str | None]) -> str:
    """Replace the mentions in `text`.

    Args:
        text: as Discord sends it.
        name_of: the name for a kind, `@` for people, `@&` for roles or `#` for channels, and an
            id; None if it is not known.
    """

    def replaced(mention: re.Match[str]) -> str:
        kind = mention[1].removesuffix("!")
        name = name_of(kind, int(mention[2]))
        return mention[0] if name is None else f"{kind[0]}{name}"

    return _MENTION.sub(replaced, text)


def name_lookup(
    guild: discord.Guild | None, people: Iterable[discord.User | discord.Member] = ()
) -> Callable[[str, int], str | None]:
    """Names by what a message brought with it, `people`, and by what is known of its guild."""
    names = {person.id: person.display_name for person in people}

    def name_of(kind: str, wanted: int) -> str | None:
        if kind == "@" and wanted in names:
            return names[wanted]
        if guild is None:
            return None
        if kind == "@":
            member = guild.get_member(wanted)
            return None if member is None else member.display_name
        named = guild.get_role(wanted) if kind == "@&" else guild.get_channel_or_thread(wanted)
        return None if named is None else named.name

    return name_of
