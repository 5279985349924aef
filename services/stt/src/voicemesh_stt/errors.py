"""What can be wrong with a request to this service.

ServiceError (voicemesh_chassis.errors)
├── InvalidArgumentError
│   ├── UnreadableAudioError    INVALID_AUDIO           not audio, damaged, cut off or empty
│   ├── LanguageError           UNSUPPORTED_LANGUAGE    unknown, or not known to the model
│   └── MessageOrderError       MESSAGE_ORDER           audio before config, config twice
├── NotFoundError
│   └── UnknownModelError       UNKNOWN_MODEL
├── LimitExceededError
│   └── AudioTooLongError       AUDIO_TOO_LONG
├── OverloadedError
│   └── QueueFullError          QUEUE_FULL
└── DeadlineExceededError
    ├── JobExpiredError         JOB_EXPIRED             the engine had no time for it
    └── StreamIdleError         STREAM_IDLE
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
    OverloadedError,
)

__all__ = (
    "AudioTooLongError",
    "JobExpiredError",
    "LanguageError",
    "MessageOrderError",
    "QueueFullError",
    "StreamIdleError",
    "UnknownModelError",
    "UnreadableAudioError",
)


_SHOWN = 64
"""Characters of a caller's word that are shown again; gRPC drops a status that is too long."""


class UnreadableAudioError(InvalidArgumentError):
    """The bytes are not audio in the format that the request names."""

    reason = "INVALID_AUDIO"


class LanguageError(InvalidArgumentError):
    """The language is not one, or the model does not know it."""

    reason = "UNSUPPORTED_LANGUAGE"


class MessageOrderError(InvalidArgumentError):
    """A stream's messages come in an order that the contract forbids."""

    reason = "MESSAGE_ORDER"


class UnknownModelError(NotFoundError):
    """The server has no such model."""

    reason = "UNKNOWN_MODEL"

    def __init__(self, model: str, known: tuple[str, ...], *, field: str) -> None:
        super().__init__(
            f"{field}: this server has no model {model[:_SHOWN]!r}; it has {', '.join(known)}",
            field=field,
        )


class AudioTooLongError(LimitExceededError):
    """The recording decodes to more audio than is allowed."""

    reason = "AUDIO_TOO_LONG"


class QueueFullError(OverloadedError):
    """As much work waits for the engine as is allowed to."""

    reason = "QUEUE_FULL"


class JobExpiredError(DeadlineExceededError):
    """The engine did not come to the work, or did not finish it, in time."""

    reason = "JOB_EXPIRED"


class StreamIdleError(DeadlineExceededError):
    """No audio came on a stream for too long."""

    reason = "STREAM_IDLE"
