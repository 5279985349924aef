"""Conversions are total: every value of the SDK has its place on the wire, and back."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration
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
    Final,
    FinishReason,
    Flushed,
    GenerationFinished,
    GenerationOptions,
    OpusPacket,
    Rating,
    Role,
    SoftFinal,
    SynthesisOptions,
    TranscriptionOptions,
    TranscriptionTask,
    Turn,
    VoiceGender,
)
from voicemesh_client.wire import audio, generation, recognition, speech, turns

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


def test_events_of_unknown_kinds_are_left_out() -> None:
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
