"""From messages to what is asked for. Every refusal names the field at fault by its full path."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn, TypeVar

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    RecognitionOptions,
    SpeechModel,
    Task,
    TurnDetection,
    end_threshold_of,
)
from voicemesh_stt.languages import known_language

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration

__all__ = ("live_format", "recognition_options", "recording_format", "turn_detection")

_ENCODINGS = {
    audio_pb2.AUDIO_ENCODING_UNSPECIFIED: Encoding.CONTAINER,
    audio_pb2.AUDIO_ENCODING_PCM_S16LE: Encoding.PCM_S16LE,
    audio_pb2.AUDIO_ENCODING_PCM_F32LE: Encoding.PCM_F32LE,
    audio_pb2.AUDIO_ENCODING_MULAW: Encoding.MULAW,
    audio_pb2.AUDIO_ENCODING_ALAW: Encoding.ALAW,
    audio_pb2.AUDIO_ENCODING_WAV: Encoding.WAV,
    audio_pb2.AUDIO_ENCODING_OGG_OPUS: Encoding.OGG_OPUS,
    audio_pb2.AUDIO_ENCODING_MP3: Encoding.MP3,
    audio_pb2.AUDIO_ENCODING_FLAC: Encoding.FLAC,
    audio_pb2.AUDIO_ENCODING_OPUS_PACKETS: Encoding.OPUS_PACKETS,
}
_TASKS = {
    pb.TRANSCRIPTION_TASK_UNSPECIFIED: Task.TRANSCRIBE,
    pb.TRANSCRIPTION_TASK_TRANSCRIBE: Task.TRANSCRIBE,
    pb.TRANSCRIPTION_TASK_TRANSLATE: Task.TRANSLATE,
}
_RATES_HERTZ = (8_000, 192_000)
_OPUS_HERTZ = 48_000
_NANOS = 1_000_000_000
_MOST_CHANNELS = 8
_MOST_OPUS_CHANNELS = 2
_LONGEST_PROMPT = 1_000
_MOST_HOTWORDS = 100
_LONGEST_HOTWORD = 50
_WIDEST_BEAM = 10
_TURN = "config.turn_detection"

D = TypeVar("D", bound=float | None)


def recording_format(message: audio_pb2.AudioFormat, *, path: str = "format") -> AudioFormat:
    """How a recording is encoded.

    Raises:
        InvalidArgumentError: naming a field under `path`.
    """
    encoding = _encoding(message, path)
    if encoding is Encoding.OPUS_PACKETS:
        _refuse(f"{path}.encoding", "OPUS_PACKETS is for StreamTranscribe; send OGG_OPUS")
    if not encoding.is_headerless:
        return AudioFormat(encoding)
    return _headerless(message, encoding, path)


def live_format(message: audio_pb2.AudioFormat) -> AudioFormat:
    """How the audio of a live stream is encoded.

    Raises:
        InvalidArgumentError: naming a field under `config.format`.
    """
    path = "config.format"
    encoding = _encoding(message, path)
    if encoding.is_headerless:
        return _headerless(message, encoding, path)
    if encoding is not Encoding.OPUS_PACKETS:
        _refuse(f"{path}.encoding", "a live stream takes headerless samples or OPUS_PACKETS")
    if message.sample_rate_hertz not in (0, _OPUS_HERTZ):
        _refuse(f"{path}.sample_rate_hertz", f"Opus packets are always {_OPUS_HERTZ}")
    if not 0 <= message.channel_count <= _MOST_OPUS_CHANNELS:
        _refuse(f"{path}.channel_count", "Opus packets have 1 or 2 channels")
    return AudioFormat(encoding, _OPUS_HERTZ, message.channel_count or 1)


def recognition_options(
    message: pb.TranscriptionConfig, model: SpeechModel, default_beam_size: int, *, path: str
) -> RecognitionOptions:
    """How to recognise, as far as `model` can.

    Raises:
        InvalidArgumentError: naming a field under `path`.
    """
    task = _TASKS.get(message.task)
    if task is None:
        _refuse(f"{path}.task", f"{message.task} is not a value of TranscriptionTask")
    if task is Task.TRANSLATE and not model.is_multilingual:
        _refuse(f"{path}.task", f"model {model.name} knows only English and cannot translate")
    language = None
    if message.language_code:
        field = f"{path}.language_code"
        language = known_language(message.language_code, model, field=field)
    if len(message.initial_prompt) > _LONGEST_PROMPT:
        _refuse(f"{path}.initial_prompt", f"at most {_LONGEST_PROMPT} characters are taken")
    beam_size = message.beam_size if message.HasField("beam_size") else default_beam_size
    if not 1 <= beam_size <= _WIDEST_BEAM:
        _refuse(f"{path}.beam_size", f"must be from 1 to {_WIDEST_BEAM}")
    return RecognitionOptions(
        language=language,
        task=task,
        initial_prompt=message.initial_prompt,
        hotwords=_hotwords(message, path),
        word_timestamps=message.word_timestamps,
        beam_size=beam_size,
    )


def turn_detection(message: pb.TurnDetection, defaults: TurnDetection) -> TurnDetection:
    """When turns begin and end; what is unset is as in `defaults`.

    Raises:
        InvalidArgumentError: naming a field under `config.turn_detection`.
    """
    start = _start_threshold(message, defaults.start_threshold)
    end = end_threshold_of(start)
    if message.HasField("end_threshold"):
        end = message.end_threshold
        if not 0 < end < start:
            _refuse(f"{_TURN}.end_threshold", "must be above 0 and below start_threshold")
    complete = _seconds(message, "complete_silence", defaults.complete_silence_s, (0.1, 10.0))
    # Raising one gate raises the unset ones above it, so that they need not all be set.
    unsure_default = max(defaults.unsure_silence_s, complete)
    unsure = _seconds(message, "unsure_silence", unsure_default, (complete, 10.0))
    incomplete_default = max(defaults.incomplete_silence_s, unsure)
    return replace(
        defaults,
        start_threshold=start,
        end_threshold=end,
        pre_roll_s=_seconds(message, "pre_roll", defaults.pre_roll_s, (0.0, 2.0)),
        min_speech_s=_seconds(message, "min_speech", defaults.min_speech_s, (0.0, 2.0)),
        soft_stop_s=_seconds(message, "soft_stop", defaults.soft_stop_s, (0.032, 2.0)),
        complete_silence_s=complete,
        unsure_silence_s=unsure,
        incomplete_silence_s=_seconds(
            message, "incomplete_silence", incomplete_default, (unsure, 10.0)
        ),
        max_turn_s=_seconds(message, "max_turn", defaults.max_turn_s, (1.0, 120.0)),
    )


def _refuse(field: str, why: str) -> NoReturn:
    msg = f"{field}: {why}"
    raise InvalidArgumentError(msg, field=field)


def _encoding(message: audio_pb2.AudioFormat, path: str) -> Encoding:
    encoding = _ENCODINGS.get(message.encoding)
    if encoding is None:
        _refuse(f"{path}.encoding", f"{message.encoding} is not a value of AudioEncoding")
    return encoding


def _headerless(message: audio_pb2.AudioFormat, encoding: Encoding, path: str) -> AudioFormat:
    least, most = _RATES_HERTZ
    if not least <= message.sample_rate_hertz <= most:
        _refuse(f"{path}.sample_rate_hertz", f"{encoding} needs a rate from {least} to {most}")
    if not 0 <= message.channel_count <= _MOST_CHANNELS:
        _refuse(f"{path}.channel_count", f"must be from 1 to {_MOST_CHANNELS}")
    return AudioFormat(encoding, message.sample_rate_hertz, message.channel_count or 1)


def _hotwords(message: pb.TranscriptionConfig, path: str) -> tuple[str, ...]:
    field = f"{path}.hotwords"
    if len(message.hotwords) > _MOST_HOTWORDS:
        _refuse(field, f"at most {_MOST_HOTWORDS} are taken")
    for index, word in enumerate(message.hotwords):
        if not word.strip() or len(word) > _LONGEST_HOTWORD:
            _refuse(f"{field}[{index}]", f"must have 1 to {_LONGEST_HOTWORD} characters")
    return tuple(word.strip() for word in message.hotwords)


def _start_threshold(message: pb.TurnDetection, default: float) -> float:
    if not message.HasField("start_threshold"):
        return default
    value = message.start_threshold
    if not (math.isfinite(value) and 0.05 <= round(value, 6) <= 0.95):
        _refuse(f"{_TURN}.start_threshold", "must be from 0.05 to 0.95")
    return value


def _seconds(
    message: pb.TurnDetection, name: str, default: D, bounds: tuple[float, float]
) -> float | D:
    field = f"{name}_duration"
    durations: dict[str, Duration] = {
        descriptor.name: value for descriptor, value in message.ListFields()
    }
    if field not in durations:
        return default
    seconds, nanos = durations[field].seconds, durations[field].nanos
    # As google/protobuf/duration.proto has it: less than a second, and of the same sign.
    if abs(nanos) >= _NANOS or seconds * nanos < 0:
        _refuse(f"{_TURN}.{field}", f"{seconds} s and {nanos} ns are not a valid duration")
    value = seconds + nanos / _NANOS
    least, most = bounds
    if not least <= value <= most:
        _refuse(f"{_TURN}.{field}", f"must be from {least:g} to {most:g} s")
    return value
