"""Who may come in: only pages of the console itself, under a name it is known by.

The console has no password because only this machine reaches it. But every web page that a person
visits runs on this machine too, so two doors are closed. A page elsewhere cannot open the
WebSocket, because browsers send its origin (RFC 6455, section 10.2). And a name that an attacker
points at 127.0.0.1 (DNS rebinding) is not one of the console's.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from aiohttp.typedefs import Middleware

__all__ = ("HEADERS", "check_origin", "host_check")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",
}
"""Sent with every answer."""


def host_check(allowed_hosts: Collection[str]) -> Middleware:
    """A middleware that refuses requests under a name that is not in `allowed_hosts`.

    It also answers 404 where a path is longer than a file's name can be.
    """

    @web.middleware
    async def check(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if _host_name(request.host) not in allowed_hosts:
            text = (
                "The console is not known by this name; see VOICEMESH_BOT_CONSOLE__ALLOWED_HOSTS."
            )
            raise web.HTTPMisdirectedRequest(text=text)
        try:
            return await handler(request)
        except OSError as error:
            # aiohttp asks the file system for whatever follows /static/.
            if error.errno == errno.ENAMETOOLONG:
                raise web.HTTPNotFound from error
            raise

    return check


def check_origin(request: web.Request) -> None:
    """Refuses a WebSocket that another page than the console's own opens.

    Raises:
        aiohttp.web.HTTPForbidden: if it is.
    """
    origin = request.headers.get("Origin", "")
    if origin not in {f"http://{request.host}", f"https://{request.host}"}:
        raise web.HTTPForbidden(text="Only the console's own page may open this connection.")


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdecimal() else host).lower()
