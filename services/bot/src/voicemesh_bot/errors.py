"""What can go wrong inside the bot, beside the errors of the services.

Exception
└── AudienceGoneError   nobody listens to a session any more
"""

from __future__ import annotations

__all__ = ("AudienceGoneError",)


class AudienceGoneError(Exception):
    """Nobody is there to see and hear a session: the tab was closed, or cannot keep up."""
