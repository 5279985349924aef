"""Conversions are total: every value of the SDK has its place on the wire, and back."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh.trainer.v1 import trainer_service_pb2 as trainer_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Cancelled,
    EndOfTurnReason,
    Feedback,
    FileProgress,
    FileSummary,
    Final,
    FinishReason,
    Flushed,
    GenerationFinished,
    GenerationOptions,
    OpusPacket,
    Partial,
    Pronunciation,
    Rating,
    RecognitionTimings,
    Role,
    Segment,
    SoftFinal,
    Speech,
    SpeechAudio,
    SpeechStarted,
    SynthesisFinished,
    SynthesisOptions,
    SynthesisStarted,
    SynthesisTimings,
    TextSpan,
    TranscriptionOptions,
    TranscriptionTask,
    Turn,
    TurnDetection,
    TurnResumed,
    Voice,
    VoiceGender,
    Word,
    WordTiming,
)
from voicemesh_client.wire import audio, files, generation, recognition, speech, turns

pytestmark = pytest.mark.unit

UNKNOWN = 99  # a number that no enumeration of the contract has


@pytest.mark.parametrize("encoding", AudioEncoding)
def test_every_encoding_survives_the_way_there_and_back(encoding: AudioEncoding) -> None:
    there = AudioFormat(encoding, 48_000, 2)

    assert audio.format_from_wire(audio.format_to_wire(there)) == there


def test_every_encoding_of_the_contract_is_known() -> None:
    numbers = audio_pb2.AudioEncoding.values()

    assert len({audio.encoding_from_wire(number) for number in numbers}) == len(numbers)
    assert audio.encoding_from_wire(UNKNOWN) is AudioEncoding.UNSPECIFIED


def test_no_channel_count_means_one() -> None:
    assert audio.format_from_wire(audio_pb2.AudioFormat()).channel_count == 1


@given(st.floats(min_value=-100_000, max_value=100_000))
def test_seconds_survive_to_the_nanosecond(seconds: float) -> None:
    back = audio.seconds_from_duration(audio.duration_from_seconds(seconds))

    assert abs(back - seconds) < 1e-9 * max(1.0, abs(seconds))


@given(st.binary(max_size=1275), st.integers(0, 65_535), st.integers(0, (1 << 32) - 1))
def test_packets_survive(data: bytes, sequence: int, rtp_timestamp: int) -> None:
    packet = OpusPacket(data, sequence, rtp_timestamp)

    assert audio.packet_from_wire(audio.packet_to_wire(packet)) == packet


@pytest.mark.parametrize("task", TranscriptionTask)
def test_every_task_has_its_number(task: TranscriptionTask) -> None:
    message = recognition.options_to_wire(TranscriptionOptions(task=task))

    assert stt_pb.TranscriptionTask.Name(message.task).endswith(task.name)


def test_what_is_not_set_stays_unset() -> None:
    assert not recognition.options_to_wire(TranscriptionOptions()).HasField("beam_size")
    config = speech.options_to_wire(SynthesisOptions())
    for name in ("format", "speaking_rate", "pitch_semitones", "volume_gain_db"):
        assert not config.HasField(name)
    sampling = generation.request_to_wire([], "t", GenerationOptions()).sampling
    assert sampling.ListFields() == []


@pytest.mark.parametrize("number", [*stt_pb.EndOfTurnReason.values(), UNKNOWN])
def test_every_reason_for_the_end_of_a_turn_is_known_or_unknown(number: int) -> None:
    final = stt_pb.FinalTranscript()
    final.MergeFromString(bytes([8 << 3, number]))  # past the checks of the stub
    event = turns.event_from_wire(stt_pb.StreamTranscribeResponse(final=final))

    assert isinstance(event, Final)
    assert (event.reason is EndOfTurnReason.UNKNOWN) == (number in {0, UNKNOWN})


def test_a_probability_of_0_is_not_an_unknown_one() -> None:
    unknown = stt_pb.SoftFinalTranscript(text="a")
    zero = stt_pb.SoftFinalTranscript(text="a", end_of_turn_probability=0.0)

    events = [
        turns.event_from_wire(stt_pb.StreamTranscribeResponse(soft_final=message))
        for message in (unknown, zero)
    ]

    assert isinstance(events[0], SoftFinal)
    assert isinstance(events[1], SoftFinal)
    assert (events[0].end_of_turn_probability, events[1].end_of_turn_probability) == (None, 0.0)


def test_every_field_of_a_live_stream_can_be_set() -> None:
    detection = TurnDetection(*(number / 10 for number in range(1, 10)))
    options = TranscriptionOptions(
        "m", "en", TranscriptionTask.TRANSLATE, "Dr.", ("Ann",), True, True, 3
    )
    audio_format = AudioFormat(AudioEncoding.PCM_S16LE, 16_000, 2)
    config = turns.config_to_wire(audio_format, options, detection, partials=True).config

    for message in (config, config.format, config.transcription, config.turn_detection):
        assert len(message.ListFields()) == len(message.DESCRIPTOR.fields)
    lengths = [duration for field, duration in config.turn_detection.ListFields()[2:]]
    assert [audio.seconds_from_duration(each) for each in lengths] == [
        number / 10 for number in range(3, 10)
    ]


def test_every_field_of_a_synthesis_can_be_set() -> None:
    options = SynthesisOptions(
        *("v", "en", AudioFormat(AudioEncoding.WAV, 16_000), 1.5, 2.0, -3.0, "42", True, 0.5),
        (Pronunciation("a", "b"),),
    )
    config = speech.options_to_wire(options)

    assert len(config.ListFields()) == len(config.DESCRIPTOR.fields)
    assert audio.seconds_from_duration(config.leading_silence_duration) == 0.5


def test_every_field_of_an_upload_can_be_set() -> None:
    audio_format = AudioFormat(AudioEncoding.PCM_S16LE, 16_000, 2)
    config = files.config_to_wire(audio_format, TranscriptionOptions(model="m"), 2.5).config

    assert len(config.ListFields()) == len(config.DESCRIPTOR.fields)
    assert config.resume_offset.ToMilliseconds() == 2_500


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SpeechStarted, stt_pb.SpeechStarted),
        (Partial, stt_pb.PartialTranscript),
        (SoftFinal, stt_pb.SoftFinalTranscript),
        (TurnResumed, stt_pb.TurnResumed),
        (Final, stt_pb.FinalTranscript),
        (Segment, stt_pb.Segment),
        (Word, stt_pb.Word),
        (FileProgress, stt_pb.TranscribeFileProgress),
        (FileSummary, stt_pb.TranscribeFileSummary),
        (RecognitionTimings, stt_pb.Timings),
        (Speech, tts_pb.SynthesizeResponse),
        (SpeechAudio, tts_pb.SynthesizedAudio),
        (SynthesisFinished, tts_pb.SynthesisFinished),
        (SynthesisStarted, tts_pb.SynthesisStarted),
        (SynthesisTimings, tts_pb.SynthesisTimings),
        (TextSpan, tts_pb.TextSpan),
        (Voice, tts_pb.Voice),
        (WordTiming, tts_pb.WordTiming),
    ],
)
def test_every_field_of_an_event_is_handed_on(event: type[Any], message: type[Message]) -> None:
    of_turns = {"turn_id", "revision"}
    handed_on = {field.name for field in dataclasses.fields(event)} - of_turns

    assert len(handed_on) == len(message.DESCRIPTOR.fields)


def test_words_are_handed_on_with_their_times() -> None:
    word = stt_pb.Word(text="Hi", start_offset=Duration(seconds=1), confidence=0.5)
    final = stt_pb.FinalTranscript(segments=[stt_pb.Segment(text="Hi", words=[word])])
    event = turns.event_from_wire(stt_pb.StreamTranscribeResponse(turn_id=1, final=final))

    assert isinstance(event, Final)
    assert event.segments[0].words == (Word("Hi", 1.0, 0.0, 0.5),)


def test_events_of_unknown_kinds_are_left_out() -> None:
    assert files.event_from_wire(stt_pb.TranscribeFileResponse()) is None
    assert turns.event_from_wire(stt_pb.StreamTranscribeResponse()) is None
    assert speech.event_from_wire(tts_pb.StreamSynthesizeResponse()) is None
    assert generation.event_from_wire(trainer_pb.GenerateResponse()) is None


def test_ids_of_flush_and_cancel_come_back() -> None:
    flushed = tts_pb.StreamSynthesizeResponse(flushed=tts_pb.Flushed(flush_id=1))
    cancelled = tts_pb.StreamSynthesizeResponse(cancelled=tts_pb.Cancelled(cancel_id=2))

    assert speech.event_from_wire(flushed) == Flushed(1)
    assert speech.event_from_wire(cancelled) == Cancelled(2)


@pytest.mark.parametrize("gender", tts_pb.VoiceGender.values())
def test_every_gender_is_known(gender: tts_pb.VoiceGender.ValueType) -> None:
    voice = speech.voice_from_wire(tts_pb.Voice(gender=gender))

    assert (voice.gender is VoiceGender.UNKNOWN) == (gender == 0)


@pytest.mark.parametrize("reason", trainer_pb.FinishReason.values())
def test_every_reason_for_the_end_of_an_answer_is_known(
    reason: trainer_pb.FinishReason.ValueType,
) -> None:
    finished = trainer_pb.GenerationFinished(reason=reason, total_duration=Duration(seconds=2))
    event = generation.event_from_wire(trainer_pb.GenerateResponse(finished=finished))

    assert isinstance(event, GenerationFinished)
    assert (event.reason is FinishReason.UNKNOWN) == (reason == 0)
    assert event.total_s == 2.0


@pytest.mark.parametrize("role", Role)
def test_every_role_has_its_number(role: Role) -> None:
    request = generation.request_to_wire([Turn(role, "a")], "t", GenerationOptions())

    assert trainer_pb.Role.Name(request.history[0].role) == f"ROLE_{role.name}"


@pytest.mark.parametrize("rating", [None, *Rating])
def test_every_rating_has_its_number(rating: Rating | None) -> None:
    request = generation.feedback_to_wire(Feedback(rating=rating), "t")

    expected = "UNSPECIFIED" if rating is None else rating.name
    assert trainer_pb.Rating.Name(request.rating) == f"RATING_{expected}"
