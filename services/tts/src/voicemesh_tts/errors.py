"""What can go wrong in tts, below the tree of `voicemesh_chassis.errors`.

InvalidArgumentError
├── TextTooLongError            TEXT_TOO_LONG
├── NothingToSpeakError         NOTHING_TO_SPEAK
├── UnpronounceableTextError    TEXT_UNPRONOUNCEABLE
├── LanguageNotSpokenError      LANGUAGE_NOT_SPOKEN
├── RecordingError              RECORDING_UNUSABLE      not audio, or too short, long, soft ...
└── ConsentMissingError         CONSENT_MISSING
NotFoundError
└── VoiceNotFoundError          VOICE_NOT_FOUND
FailedPreconditionError
├── CloningUnavailableError     CLONING_UNAVAILABLE
└── VoiceUnusableError          VOICE_UNUSABLE
LimitExceededError
├── AudioTooLargeError          AUDIO_TOO_LARGE
└── TooManyVoicesError          TOO_MANY_VOICES         of one tenant
OverloadedError
├── VoicesBusyError             VOICES_BUSY             all that may be loaded are in use
└── CloningBusyError            CLONING_BUSY
UnavailableError
├── VoiceLoadingError           VOICE_LOADING           not loaded yet; the load goes on
└── DrainingError               DRAINING                a stream; another replica goes on
DeadlineExceededError
├── StreamIdleError             STREAM_IDLE
└── CloningTimeoutError         CLONING_TIMEOUT
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
    OverloadedError,
    UnavailableError,
)

__all__ = (
    "AudioTooLargeError",
    "CloningBusyError",
    "CloningTimeoutError",
    "CloningUnavailableError",
    "ConsentMissingError",
    "DrainingError",
    "EngineStalledError",
    "LanguageNotSpokenError",
    "NothingToSpeakError",
    "RecordingError",
    "StreamIdleError",
    "TextTooLongError",
    "TooManyVoicesError",
    "UnpronounceableTextError",
    "VoiceLoadingError",
    "VoiceNotFoundError",
    "VoiceUnusableError",
    "VoicesBusyError",
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


class RecordingError(InvalidArgumentError):
    """A voice cannot be made of the recording; the message says what is wrong with it."""

    reason = "RECORDING_UNUSABLE"


class ConsentMissingError(InvalidArgumentError):
    """Nobody has said that the person recorded agrees."""

    reason = "CONSENT_MISSING"


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


class TooManyVoicesError(LimitExceededError):
    """The tenant has as many cloned voices as it may have."""

    reason = "TOO_MANY_VOICES"


class VoicesBusyError(OverloadedError):
    """As many voices as may be loaded are in use, and this is not one of them."""

    reason = "VOICES_BUSY"


class CloningBusyError(OverloadedError):
    """A voice is being made of another recording."""

    reason = "CLONING_BUSY"


class VoiceLoadingError(UnavailableError):
    """The voice is still being loaded; it goes on, so that a later call finds it."""

    reason = "VOICE_LOADING"


class DrainingError(UnavailableError):
    """The server is about to stop and ends a stream that has nothing to speak."""

    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the server is stopping; open the stream again at another replica")


class StreamIdleError(DeadlineExceededError):
    """The caller sent nothing, or took nothing, for too long."""

    reason = "STREAM_IDLE"


class CloningTimeoutError(DeadlineExceededError):
    """The voice was not ready in time; nothing is left of it."""

    reason = "CLONING_TIMEOUT"


class EngineStalledError(InternalError):
    """The speech engine did not answer in time."""

    reason = "ENGINE_STALLED"
