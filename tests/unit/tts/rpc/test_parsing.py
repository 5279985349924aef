"""Requests as domain values."""

from __future__ import annotations

import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_tts.domain import Encoding, Voice
from voicemesh_tts.rpc import convert, parsing
from voicemesh_tts.text import Pronunciation

pytestmark = pytest.mark.unit

VOICE = Voice("tone:a", "A", ("en",), 22_050)


def test_an_empty_config_means_the_defaults() -> None:
    request = parsing.speech_request(pb.SynthesisConfig(), VOICE, Encoding.WAV)

    assert (request.format.encoding, request.format.sample_rate_hertz) == (Encoding.WAV, 22_050)
    assert (request.speaking_rate, request.pitch_semitones, request.gain_db) == (1.0, 0.0, 0.0)
    assert not request.word_timings
    assert request.language_code == ""


def test_everything_that_can_be_asked_for_is_taken_over() -> None:
    config = pb.SynthesisConfig(
        language_code="en-GB",
        speaking_rate=0.5,
        pitch_semitones=-20,
        volume_gain_db=16,
        word_timings=True,
    )
    config.leading_silence_duration.FromMilliseconds(1_500)
    config.format.encoding = audio_pb2.AUDIO_ENCODING_OPUS_PACKETS

    request = parsing.speech_request(config, VOICE, Encoding.WAV)

    assert (request.speaking_rate, request.pitch_semitones, request.gain_db) == (0.5, -20.0, 16.0)
    assert (request.leading_silence_s, request.language_code) == (1.5, "en-GB")
    assert request.word_timings
    assert request.format.sample_rate_hertz == 48_000


@pytest.mark.parametrize("encoding", list(Encoding))
def test_formats_come_back_as_they_were_asked_for(encoding: Encoding) -> None:
    request = parsing.speech_request(pb.SynthesisConfig(), VOICE, encoding)

    told = convert.format_to_pb(request.format)
    again = parsing.speech_request(pb.SynthesisConfig(format=told), VOICE, Encoding.WAV)

    assert again.format == request.format


def test_pronunciations_are_taken_over() -> None:
    config = pb.SynthesisConfig(
        pronunciations=[
            pb.Pronunciation(written="ONNX", respelling="on x"),
            pb.Pronunciation(written="Nguyen", phonemes="ŋwiən"),
        ]
    )

    assert parsing.pronunciations(config) == [
        Pronunciation("ONNX", respelling="on x"),
        Pronunciation("Nguyen", phonemes="ŋwiən"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        pb.Pronunciation(),
        pb.Pronunciation(written="a"),
        pb.Pronunciation(written="", respelling="a"),
        pb.Pronunciation(written="a", respelling=" "),
        pb.Pronunciation(written="a" * 5_000, respelling="a"),
        pb.Pronunciation(written="a", phonemes="a" * 5_000),
    ],
)
def test_an_entry_that_cannot_be_used_is_named_by_its_number(entry: pb.Pronunciation) -> None:
    good = pb.Pronunciation(written="b", respelling="c")

    with pytest.raises(InvalidArgumentError) as refused:
        parsing.pronunciations(pb.SynthesisConfig(pronunciations=[good, entry]))

    assert refused.value.field == "config.pronunciations[1]"
    assert len(refused.value.message) < 200
