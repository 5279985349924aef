"""What Discord refuses and where it cannot be reached, for whoever can do nothing about it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import discord

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("troubles_logged",)

_logger = get_logger(__name__)


@contextmanager
def troubles_logged(what: str) -> Iterator[None]:
    """Ends a block that Discord makes impossible, with a line in the log.

    Args:
        what: what was to be done, for the log.
    """
    try:
        yield
    except discord.HTTPException as error:
        # The channel is gone, or the bot may not do that there: nobody is left to be told.
        _logger.warning("discord refused", what=what, status=error.status, discord_code=error.code)
    except (aiohttp.ClientError, OSError) as error:
        # TimeoutError is one of these. discord.py has tried several times.
        _logger.warning("discord cannot be reached", what=what, error=type(error).__name__)
