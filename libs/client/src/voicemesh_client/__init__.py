"""voicemesh for other applications: an async, typed client of its services.

- `stt.SpeechToText`: `transcribe` a recording, `transcribe_file` hours of it, `listen` to live
  speech turn by turn.
- `tts.TextToSpeech`: `synthesize` a text, `speak` one that is still being written.
- `trainer.Trainer`: `generate` answers, record feedback and corrections.
- `connection.Connection`: target, token, TLS and deadline.
- `subtitles`: transcripts as SubRip, WebVTT, JSON and text; `cues` cuts segments for that.
- `audio`, `transcripts`, `files`, `turns`, `speech`, `voices`, `generation`: what goes in and comes
  out, as frozen dataclasses. All times are float seconds (`_s`).
- `health`: whether a service is ready.
- `errors`: the errors that the services raise.
- `calls`, `exchange`, `call_status`, `service_client`, `unreached`, `file_pieces`, `resumption`,
  `wire`: how it works; not for use from outside.
- `cli`: the `voicemesh` command.
"""

from __future__ import annotations

from voicemesh_client.audio import AudioEncoding, AudioFormat, OpusPacket
from voicemesh_client.connection import ClientTls, Connection
from voicemesh_client.errors import (
    AlreadyExistsError,
    Code,
    DeadlineExceededError,
    FailedPreconditionError,
    InternalError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ServiceError,
    TlsMismatchError,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from voicemesh_client.files import FileEvent, FileProgress, FileSource, FileSummary
from voicemesh_client.generation import (
    Correction,
    Feedback,
    FinishReason,
    GenerationDelta,
    GenerationEvent,
    GenerationFinished,
    GenerationOptions,
    GenerationStarted,
    Rating,
    Role,
    TokenUsage,
    Turn,
    UsedExample,
)
from voicemesh_client.health import Health, check_health
from voicemesh_client.speech import (
    Cancel,
    Cancelled,
    Flush,
    Flushed,
    Pronunciation,
    Speech,
    SpeechAudio,
    SpeechEvent,
    SynthesisFinished,
    SynthesisOptions,
    SynthesisStarted,
    SynthesisTimings,
    TextSpan,
    WordTiming,
)
from voicemesh_client.stt import SpeechToText
from voicemesh_client.subtitles import (
    Renderer,
    SubtitleFormat,
    renderer,
    to_json,
    to_srt,
    to_text,
    to_vtt,
)
from voicemesh_client.trainer import Trainer
from voicemesh_client.transcripts import (
    DetectedLanguage,
    RecognitionTimings,
    Segment,
    SpeechModel,
    Transcript,
    TranscriptionOptions,
    TranscriptionTask,
    Word,
)
from voicemesh_client.tts import TextToSpeech
from voicemesh_client.turns import (
    EndOfTurnReason,
    Final,
    FinishTurn,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnDetection,
    TurnEvent,
    TurnResumed,
)
from voicemesh_client.voices import Voice, VoiceGender

__all__ = (
    "AlreadyExistsError",
    "AudioEncoding",
    "AudioFormat",
    "Cancel",
    "Cancelled",
    "ClientTls",
    "Code",
    "Connection",
    "Correction",
    "DeadlineExceededError",
    "DetectedLanguage",
    "EndOfTurnReason",
    "FailedPreconditionError",
    "Feedback",
    "FileEvent",
    "FileProgress",
    "FileSource",
    "FileSummary",
    "Final",
    "FinishReason",
    "FinishTurn",
    "Flush",
    "Flushed",
    "GenerationDelta",
    "GenerationEvent",
    "GenerationFinished",
    "GenerationOptions",
    "GenerationStarted",
    "Health",
    "InternalError",
    "InvalidArgumentError",
    "LimitExceededError",
    "NotFoundError",
    "OpusPacket",
    "OverloadedError",
    "Partial",
    "PermissionDeniedError",
    "Pronunciation",
    "Rating",
    "RecognitionTimings",
    "Renderer",
    "Role",
    "Segment",
    "ServiceError",
    "SoftFinal",
    "Speech",
    "SpeechAudio",
    "SpeechEvent",
    "SpeechModel",
    "SpeechStarted",
    "SpeechToText",
    "SubtitleFormat",
    "SynthesisFinished",
    "SynthesisOptions",
    "SynthesisStarted",
    "SynthesisTimings",
    "TextSpan",
    "TextToSpeech",
    "TlsMismatchError",
    "TokenUsage",
    "Trainer",
    "Transcript",
    "TranscriptionOptions",
    "TranscriptionTask",
    "Turn",
    "TurnDetection",
    "TurnEvent",
    "TurnResumed",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UsedExample",
    "Voice",
    "VoiceGender",
    "Word",
    "WordTiming",
    "check_health",
    "renderer",
    "to_json",
    "to_srt",
    "to_text",
    "to_vtt",
)
