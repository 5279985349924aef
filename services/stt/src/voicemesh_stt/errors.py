"""What can be wrong with a request to this service.

ServiceError (voicemesh_chassis.errors)
├── InvalidArgumentError
│   ├── UnreadableAudioError    INVALID_AUDIO           not audio, damaged, cut off or empty
│   ├── LanguageError           UNSUPPORTED_LANGUAGE    unknown, or not known to the model
│   └── MessageOrderError       MESSAGE_ORDER           audio before config, config twice
├── NotFoundError
│   └── UnknownModelError       UNKNOWN_MODEL
├── FailedPreconditionError
│   └── ModelLoadError          MODEL_LOAD_FAILED       damaged, or too large for the device
├── LimitExceededError
│   ├── AudioTooLongError       AUDIO_TOO_LONG
│   └── FileTooLargeError       FILE_TOO_LARGE
├── UnavailableError
│   ├── ModelLoadingError       MODEL_LOADING           not loaded yet; the load goes on
│   └── DrainingError           DRAINING                a stream or upload; another replica goes on
├── OverloadedError
│   ├── ModelsBusyError         MODELS_BUSY             all models that may be loaded are in use
│   ├── QueueFullError          QUEUE_FULL              too much work waits for the engine
│   ├── FilesBusyError          FILES_BUSY              as many uploads are open as may be
│   ├── SpoolFullError          SPOOL_FULL              no room on disk for an upload
│   └── JobSupersededError      JOB_SUPERSEDED          newer words of the turn were asked for
└── DeadlineExceededError
    ├── JobExpiredError         JOB_EXPIRED             the engine had no time for it
    ├── CallerNotReadingError   NOT_READING             events of a stream were not taken
    └── StreamIdleError         STREAM_IDLE
"""

from __future__ import annotations

from voicemesh_chassis.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
    OverloadedError,
    UnavailableError,
)

__all__ = (
    "AudioTooLongError",
    "CallerNotReadingError",
    "DrainingError",
    "FileTooLargeError",
    "FilesBusyError",
    "JobExpiredError",
    "JobSupersededError",
    "LanguageError",
    "MessageOrderError",
    "ModelLoadError",
    "ModelLoadingError",
    "ModelsBusyError",
    "QueueFullError",
    "SpoolFullError",
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


class ModelLoadError(FailedPreconditionError):
    """The model is there but cannot be loaded; other models are not touched by it.

    Attributes:
        cause: what is wrong, in words that a caller may see.
        detail: the same for the operator, with paths and how to mend it.
    """

    reason = "MODEL_LOAD_FAILED"

    def __init__(self, model: str, cause: str, detail: str) -> None:
        super().__init__(f"model {model} cannot be loaded: {cause}", metadata={"model": model})
        self.cause = cause
        self.detail = detail


class ModelLoadingError(UnavailableError):
    """The model is still being loaded; it goes on, so that a later call finds it."""

    reason = "MODEL_LOADING"


class ModelsBusyError(OverloadedError):
    """As many models as may be loaded are in use, and this is not one of them."""

    reason = "MODELS_BUSY"


class AudioTooLongError(LimitExceededError):
    """The recording decodes to more audio than is allowed."""

    reason = "AUDIO_TOO_LONG"


class FileTooLargeError(LimitExceededError):
    """An uploaded file has more bytes than are allowed."""

    reason = "FILE_TOO_LARGE"


class FilesBusyError(OverloadedError):
    """As many files are being uploaded and transcribed as may be at the same time."""

    reason = "FILES_BUSY"


class SpoolFullError(OverloadedError):
    """There is no room on disk for an upload."""

    reason = "SPOOL_FULL"


class QueueFullError(OverloadedError):
    """As much work waits for the engine as is allowed to."""

    reason = "QUEUE_FULL"


class JobSupersededError(OverloadedError):
    """A newer job of the same turn took the place of this one in the queue."""

    reason = "JOB_SUPERSEDED"

    def __init__(self) -> None:
        super().__init__("newer words of the same turn were asked for", retry_after_s=0.1)


class JobExpiredError(DeadlineExceededError):
    """The engine did not come to the work, or did not finish it, in time."""

    reason = "JOB_EXPIRED"


class StreamIdleError(DeadlineExceededError):
    """No audio came on a stream for too long."""

    reason = "STREAM_IDLE"


class CallerNotReadingError(DeadlineExceededError):
    """The caller of a stream did not take its events for too long."""

    reason = "NOT_READING"


class DrainingError(UnavailableError):
    """The server is about to stop and ends a stream or upload; another replica goes on with it."""

    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the server is stopping; open the call again at another replica")
