"""Files on messages, as Discord's content network gives them to anybody who has the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from discordsim.world import World

__all__ = ("file_answer",)


def file_answer(world: World, request: web.Request) -> web.Response:
    """Return the file of a path, or 404."""
    identity = request.match_info["attachment_id"]
    attachment = world.messages.attachment(int(identity)) if identity.isdecimal() else None
    if attachment is None or attachment.filename != request.match_info["filename"]:
        return web.Response(status=404, text="This content is no longer available.")
    kind = attachment.content_type or "application/octet-stream"
    return web.Response(body=attachment.content, headers={"Content-Type": kind})
