"""A global rate limit that ends, also where whoever was told of it has given up waiting.

discord.py 2.7.1 lets the one request that was told sleep, and then release all others; cancelled in
its sleep, as by the end of a voice room, it releases nobody, and nothing is ever sent again.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import discord

__all__ = ("outlive_global_limits",)

_LONGEST_S = 5.0
"""Rest after which the others go on; one of them is told anew if that was too soon."""


def outlive_global_limits(client: discord.Client) -> None:
    """Sees to it that a request which is cancelled never holds up all that come later."""
    http: Any = client.http
    send = http.request

    @wraps(send)
    async def request(*arguments: Any, **options: Any) -> Any:
        try:
            return await send(*arguments, **options)
        except asyncio.CancelledError:
            if not http._global_over.is_set():
                asyncio.get_running_loop().call_later(_LONGEST_S, http._global_over.set)
            raise

    http.request = request
