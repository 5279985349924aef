"""What can go wrong in tts, below the tree of `voicemesh_chassis.errors`.

InvalidArgumentError
├── TextTooLongError            TEXT_TOO_LONG
├── NothingToSpeakError         NOTHING_TO_SPEAK
├── UnpronounceableTextError    TEXT_UNPRONOUNCEABLE
└── LanguageNotSpokenError      LANGUAGE_NOT_SPOKEN
NotFoundError
└── VoiceNotFoundError          VOICE_NOT_FOUND
FailedPreconditionError
├── CloningUnavailableError     CLONING_UNAVAILABLE
└── VoiceUnusableError          VOICE_UNUSABLE
LimitExceededError
└── AudioTooLargeError          AUDIO_TOO_LARGE
DeadlineExceededError
└── StreamIdleError             STREAM_IDLE
InternalError
└── EngineStalledError          ENGINE_STALLED
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
)

__all__ = (
    "AudioTooLargeError",
    "CloningUnavailableError",
    "EngineStalledError",
    "LanguageNotSpokenError",
    "NothingToSpeakError",
    "StreamIdleError",
    "TextTooLongError",
    "UnpronounceableTextError",
    "VoiceNotFoundError",
    "VoiceUnusableError",
)


class TextTooLongError(InvalidArgumentError):
    """The text has more characters than the server takes in one message."""

    reason = "TEXT_TOO_LONG"


class NothingToSpeakError(InvalidArgumentError):
    """The text is empty or blank, or has only emoji, markup or punctuation."""

    reason = "NOTHING_TO_SPEAK"


class UnpronounceableTextError(InvalidArgumentError):
    """The text is one that the speech engine cannot cope with."""

    reason = "TEXT_UNPRONOUNCEABLE"


class LanguageNotSpokenError(InvalidArgumentError):
    """The voice, or every voice of the server, does not speak the language."""

    reason = "LANGUAGE_NOT_SPOKEN"


class VoiceNotFoundError(NotFoundError):
    """The server has no such voice."""

    reason = "VOICE_NOT_FOUND"


class CloningUnavailableError(FailedPreconditionError):
    """No engine of the server can clone voices."""

    reason = "CLONING_UNAVAILABLE"


class VoiceUnusableError(FailedPreconditionError):
    """The voice is listed but its files cannot be loaded."""

    reason = "VOICE_UNUSABLE"


class AudioTooLargeError(LimitExceededError):
    """The audio would not fit into one message."""

    reason = "AUDIO_TOO_LARGE"


class StreamIdleError(DeadlineExceededError):
    """The caller sent nothing, or took nothing, for too long."""

    reason = "STREAM_IDLE"


class EngineStalledError(InternalError):
    """The speech engine did not answer in time."""

    reason = "ENGINE_STALLED"
