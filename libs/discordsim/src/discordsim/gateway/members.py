"""Members of a guild on request (opcode 8). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.gateway.intents import Intent
from discordsim.wire import member_payload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from discordsim.domain import Member
    from discordsim.gateway.dispatches import Viewer
    from discordsim.world import World

__all__ = ("member_chunks",)

_CHUNK = 1000


def member_chunks(world: World, viewer: Viewer, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what a bot is sent that asks for members.

    Nothing, if it is not in the guild, or asks for all without the intent for members.

    Args:
        world: where the guild is.
        viewer: who asks.
        data: `guild_id`, then `query` with `limit`, or `user_ids`.
    """
    guild_id = int(data["guild_id"])
    query, wanted = data.get("query"), data.get("user_ids")
    everybody = wanted is None and not query
    if not world.directory.is_member(guild_id, viewer.bot_id) or (
        everybody and not viewer.intents & Intent.GUILD_MEMBERS
    ):
        return
    found = list(world.directory.members_of(guild_id))
    missing: list[str] = []
    if wanted is not None:
        ids = {int(each) for each in ([wanted] if isinstance(wanted, str | int) else wanted)}
        found = [member for member in found if member.user_id in ids]
        missing = [str(each) for each in ids - {member.user_id for member in found}]
    elif query:
        found = [member for member in found if _matches(world, member, str(query).casefold())]
    if limit := int(data.get("limit") or 0):
        found = found[:limit]
    parts = [found[start : start + _CHUNK] for start in range(0, len(found), _CHUNK)] or [[]]
    for number, part in enumerate(parts):
        yield {
            "guild_id": str(guild_id),
            "members": [member_payload(world, member) for member in part],
            "chunk_index": number,
            "chunk_count": len(parts),
            "not_found": missing,
            "nonce": data.get("nonce"),
        }


def _matches(world: World, member: Member, start: str) -> bool:
    shown = world.directory.display_name(member.user_id, member.guild_id).casefold()
    return shown.startswith(start) or world.directory.user(member.user_id).name.startswith(start)
