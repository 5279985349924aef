"""Who is pinged by a text, as far as the author allows it.

Pure. Source: Discord API reference, "Allowed Mentions Object".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from discordsim.domain import Json

__all__ = ("Mentions", "mentions_in")

_USER = re.compile(r"<@!?([0-9]{1,20})>")
_ROLE = re.compile(r"<@&([0-9]{1,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who is pinged."""

    user_ids: tuple[int, ...] = ()
    role_ids: tuple[int, ...] = ()
    everyone: bool = False


def mentions_in(content: str, allowed: Json | None, *, replied_to: int | None = None) -> Mentions:
    """Return who is pinged.

    Args:
        content: the text.
        allowed: `allowed_mentions` as sent; None allows all.
        replied_to: author of the message that this one answers.
    """
    users = list(dict.fromkeys(int(found) for found in _USER.findall(content)))
    roles = list(dict.fromkeys(int(found) for found in _ROLE.findall(content)))
    everyone = _EVERYONE.search(content) is not None
    if allowed is not None:
        kinds = allowed.get("parse") or ()
        if "users" not in kinds:
            named = {int(each) for each in allowed.get("users") or ()}
            users = [user for user in users if user in named]
        if "roles" not in kinds:
            named = {int(each) for each in allowed.get("roles") or ()}
            roles = [role for role in roles if role in named]
        everyone = everyone and "everyone" in kinds
    pings_author = allowed is None or allowed.get("replied_user", False)
    if replied_to is not None and pings_author and replied_to not in users:
        users.append(replied_to)
    return Mentions(tuple(users), tuple(roles), everyone)
