"""voicemesh for other applications: an async, typed client of its services.

- `stt.SpeechToText`: `transcribe` a recording, `transcribe_file` hours of it, `listen` to live
  speech turn by turn.
- `tts.TextToSpeech`: `synthesize` a text, `speak` one that is still being written.
- `trainer.Trainer`: `generate` answers, record feedback and corrections.
  It also keeps personas, and what each person gave.
- `datasets.Datasets`, `training_jobs.TrainingJobs`, `models.Models`: what the trainer learns from,
  how it is trained, and what came of it.
- `connection.Connection`: target, token, TLS and deadline.
- `subtitles`: transcripts as SubRip, WebVTT, JSON and text; `cues` cuts segments for that.
- `audio`, `transcripts`, `files`, `turns`, `speech`, `voices`, `generation`, `personas`,
  `examples`, `training`, `evaluation`: what goes in and comes out, as frozen dataclasses. All
  lengths of time are float seconds (`_s`), all points in time are in UTC.
- `health`: whether a service is ready.
- `errors`: the errors that the services raise.
- `calls`, `exchange`, `call_status`, `service_client`, `unreached`, `file_pieces`, `resumption`,
  `backoff`, `pages`, `uploads`, `directories`, `saving`, `following`, `wire`: how it works; not for
  use from outside.
- `cli`: the `voicemesh` command.
"""

from __future__ import annotations

from voicemesh_client.audio import AudioEncoding, AudioFormat, OpusPacket
from voicemesh_client.connection import ClientTls, Connection
from voicemesh_client.datasets import Datasets
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
from voicemesh_client.evaluation import (
    ComparedScores,
    EvaluationCase,
    EvaluationEvent,
    EvaluationOptions,
    EvaluationScores,
    Model,
    ModelChange,
    ModelState,
    Prediction,
    Verdict,
)
from voicemesh_client.examples import (
    Archive,
    Dataset,
    DatasetFormat,
    DatasetStatistics,
    Example,
    ImportOptions,
    ImportReport,
    LengthStatistics,
    Polarity,
    ReadFile,
    RejectedRow,
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
from voicemesh_client.models import Models
from voicemesh_client.personas import AuthorItem, DeletedAuthorData, Persona
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
from voicemesh_client.training import (
    JobError,
    NewTrainingJob,
    TrainingBackend,
    TrainingEvent,
    TrainingJob,
    TrainingJobState,
    TrainingLogLine,
    TrainingProgress,
    TrainingRun,
    TrainingSettings,
)
from voicemesh_client.training_jobs import TrainingJobs
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
    "Archive",
    "AudioEncoding",
    "AudioFormat",
    "AuthorItem",
    "Cancel",
    "Cancelled",
    "ClientTls",
    "Code",
    "ComparedScores",
    "Connection",
    "Correction",
    "Dataset",
    "DatasetFormat",
    "DatasetStatistics",
    "Datasets",
    "DeadlineExceededError",
    "DeletedAuthorData",
    "DetectedLanguage",
    "EndOfTurnReason",
    "EvaluationCase",
    "EvaluationEvent",
    "EvaluationOptions",
    "EvaluationScores",
    "Example",
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
    "ImportOptions",
    "ImportReport",
    "InternalError",
    "InvalidArgumentError",
    "JobError",
    "LengthStatistics",
    "LimitExceededError",
    "Model",
    "ModelChange",
    "ModelState",
    "Models",
    "NewTrainingJob",
    "NotFoundError",
    "OpusPacket",
    "OverloadedError",
    "Partial",
    "PermissionDeniedError",
    "Persona",
    "Polarity",
    "Prediction",
    "Pronunciation",
    "Rating",
    "ReadFile",
    "RecognitionTimings",
    "RejectedRow",
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
    "TrainingBackend",
    "TrainingEvent",
    "TrainingJob",
    "TrainingJobState",
    "TrainingJobs",
    "TrainingLogLine",
    "TrainingProgress",
    "TrainingRun",
    "TrainingSettings",
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
    "Verdict",
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
