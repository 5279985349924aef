"""Which events a bot asked for. Source: Discord API reference, "Gateway Intents"."""

from __future__ import annotations

from enum import IntFlag

__all__ = ("KNOWN_INTENTS", "PRIVILEGED_INTENTS", "Intent", "application_flags")


class Intent(IntFlag):
    """Bits of gateway intents that the simulator has events for."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_VOICE_STATES = 1 << 7
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED_INTENTS = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
"""Intents that have to be switched on in the developer portal."""

KNOWN_INTENTS = (1 << 26) - 1 & ~(0b111 << 17 | 0b11 << 22)
"""All bits that Discord has given a meaning."""

_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 12,
    Intent.GUILD_MEMBERS: 1 << 14,
    Intent.MESSAGE_CONTENT: 1 << 18,
}


def application_flags(privileged: int) -> int:
    """Return the flags of an application with these privileged intents."""
    return sum(flag for intent, flag in _FLAGS.items() if privileged & intent)
