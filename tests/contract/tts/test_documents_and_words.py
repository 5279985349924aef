"""SSML, pronunciations, pitch and times of words, with the real voice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.testing import running
from voicemesh_tts.__main__ import build
from voicemesh_tts.settings import TtsSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

F32 = audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_PCM_F32LE)
TEXT = "The old library stands at the end of the street, and it has 42 rooms."


def seconds(duration: Any) -> float:
    return float(duration.ToTimedelta().total_seconds())


def samples_of(answer: Any) -> Any:
    return np.frombuffer(answer.audio, "<f4")


async def test_a_document_is_spoken_with_its_pause(
    stub: Any, hear: Any, word_error_rate: Any
) -> None:
    document = (
        "<speak>The old library stands at the end of the street."
        "<break time='1500ms'/> It is open on "
        "<prosody rate='80%' pitch='+2st'>Monday morning</prosody>.</speak>"
    )
    answer = await stub.Synthesize(
        pb.SynthesizeRequest(
            ssml=document, config=pb.SynthesisConfig(format=F32, word_timings=True)
        )
    )

    words = list(answer.words)
    written = [document[word.span.start : word.span.end] for word in words]
    assert [re.sub("<[^>]*>", "", text) for text in written] == [word.word for word in words]
    assert written[-1] == "morning</prosody>."
    street = next(word for word in words if word.word.startswith("street"))
    following = words[words.index(street) + 1]
    assert seconds(following.start_offset) - seconds(street.end_offset) > 1.3
    said = "The old library stands at the end of the street. It is open on Monday morning."
    assert word_error_rate(said, hear(samples_of(answer), 22_050)) <= 0.2


async def test_words_are_timed_whole_and_streamed(stub: Any, say: Any) -> None:
    config = pb.SynthesisConfig(format=F32, word_timings=True)
    whole = await stub.Synthesize(pb.SynthesizeRequest(text=TEXT, config=config))
    talk = await say(config, *TEXT.split(" ", 3)[:3], TEXT[len("The old library") :])
    streamed = [word for event in talk.audio for word in event.words]

    for words, length_s in (
        (list(whole.words), seconds(whole.audio_duration)),
        (streamed, seconds(talk.finished.audio_duration)),
    ):
        starts = [seconds(word.start_offset) for word in words]
        ends = [seconds(word.end_offset) for word in words]
        assert starts == sorted(starts)
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert 0.7 * length_s < ends[-1] <= length_s + 0.01
    # "42" is one word, though it is read as two.
    assert [word.word.strip(".,") for word in whole.words] == TEXT.replace(",", "")[:-1].split()


async def test_a_pronunciation_changes_what_is_said(stub: Any, hear: Any) -> None:
    spelled = pb.SynthesisConfig(
        format=F32,
        pronunciations=[
            pb.Pronunciation(written="Xqz", respelling="chicken"),
            pb.Pronunciation(written="Gnfr", phonemes="bənænə"),
        ],
    )
    answer = await stub.Synthesize(
        pb.SynthesizeRequest(text="I would like some Xqz and one Gnfr today.", config=spelled)
    )

    heard = hear(samples_of(answer), 22_050).lower()
    assert "banana" in heard
    assert "chicken" in heard


async def test_a_tenant_has_pronunciations_of_its_own(models_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "guild" / "pronunciations.toml"
    file.parent.mkdir()
    file.write_text('[pronunciations]\n"Xqz" = "a very long way to say it, I should think"\n')
    settings = TtsSettings(data_dir=tmp_path)
    async with running(build(settings), settings) as service:
        stub = pb_grpc.TextToSpeechServiceStub(service.channel())

        async def length_s(tenant: str) -> float:
            config = pb.SynthesisConfig(format=F32, tenant=tenant)
            answer = await stub.Synthesize(pb.SynthesizeRequest(text="Xqz.", config=config))
            return seconds(answer.audio_duration)

        assert await length_s("guild") > await length_s("other") + 1


@pytest.mark.parametrize("semitones", [-5.0, 6.0])
async def test_pitch_moves_and_the_length_stays(
    stub: Any, hear: Any, word_error_rate: Any, semitones: float
) -> None:
    text = "The old library stands at the end of the street."
    plain, moved = [
        await stub.Synthesize(
            pb.SynthesizeRequest(
                text=text, config=pb.SynthesisConfig(format=F32, pitch_semitones=pitch)
            )
        )
        for pitch in (0.0, semitones)
    ]

    assert seconds(moved.audio_duration) == pytest.approx(seconds(plain.audio_duration), rel=0.05)
    ratio = _pitch(samples_of(moved)) / _pitch(samples_of(plain))
    assert 12 * np.log2(ratio) == pytest.approx(semitones, abs=1.5)
    assert word_error_rate(text, hear(samples_of(moved), 22_050)) <= 0.2


def _pitch(samples: Any) -> float:
    """The middle pitch of the voiced parts of a sound at 22,050 Hz, by autocorrelation."""
    found = []
    for start in range(0, len(samples) - 2048, 512):
        frame = samples[start : start + 2048]
        power = np.correlate(frame, frame, "full")[2047:]
        lag = 60 + int(np.argmax(power[60:400]))
        if power[0] > 1 and power[lag] > 0.5 * power[0]:
            found.append(22_050 / lag)
    return float(np.median(found))
