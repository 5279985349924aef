"""What can go wrong with a voice on Discord.

Exception
└── VoiceError
    ├── CodecError       a packet could not be decoded or encoded
    ├── JoinError        a voice channel could not be joined
    └── QueueFullError   too much waits to be said
"""

from __future__ import annotations

__all__ = ("CodecError", "JoinError", "QueueFullError", "VoiceError")


class VoiceError(Exception):
    """Anything below."""


class CodecError(VoiceError):
    """Opus refused a packet."""


class JoinError(VoiceError):
    """A voice channel could not be joined; the message is a sentence for people."""


class QueueFullError(VoiceError):
    """Too much waits to be said; what was asked for will not be."""
