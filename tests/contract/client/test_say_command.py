"""`voicemesh say` as a process against a scripted service."""

from __future__ import annotations

import asyncio
import os
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_chassis.errors import NotFoundError

pytestmark = pytest.mark.contract

Command = Callable[..., Awaitable[tuple[int, str, str]]]
WORDS = [
    pb.WordTiming(
        word=word,
        start_offset=Duration(nanos=start * 1_000_000),
        end_offset=Duration(nanos=end * 1_000_000),
    )
    for word, start, end in [("Hello,", 0, 310), ("world.", 350, 800)]
]
PCM = audio_pb2.AudioFormat(
    encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=22_050, channel_count=1
)


@pytest.fixture
def speaking(script: Any) -> Any:
    """The service: whole texts are "RIFF", texts in pieces come back as their own letters."""

    async def synthesize(request: Any, _context: Any) -> pb.SynthesizeResponse:
        words = WORDS if request.config.word_timings else []
        return pb.SynthesizeResponse(audio=b"RIFF", voice="piper:joe", words=words)

    async def stream(requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        async for request in requests:
            script.requests.append(request)
            if request.HasField("config"):
                started = pb.SynthesisStarted(voice="piper:joe", format=PCM)
                yield pb.StreamSynthesizeResponse(started=started)
            else:
                audio = pb.SynthesizedAudio(audio=request.text.encode(), words=WORDS[:1])
                yield pb.StreamSynthesizeResponse(audio=audio)
        finished = pb.SynthesisFinished(audio_duration=Duration(seconds=2))
        yield pb.StreamSynthesizeResponse(finished=finished)

    script.Synthesize = synthesize
    script.StreamSynthesize = stream
    return script


@pytest.fixture
def say(voicemesh: Command, speaking: Any) -> Command:
    async def run(*arguments: object, text: str | bytes = "") -> tuple[int, str, str]:
        return await voicemesh("say", *map(str, arguments), "--tts", speaking.target, text=text)

    return run


async def test_every_option_reaches_the_service(
    say: Command, speaking: Any, tmp_path: Path
) -> None:
    status, _, errors = await say(
        *("Hello.", "-o", tmp_path / "a.flac", "--voice", "piper:joe", "--language", "en"),
        *("--rate", "1.5", "--pitch", "-3", "--volume", "-6.5", "--silence", "0.5"),
        *("--tenant", "42", "--pronounce", "nginx=engine x", "--pronounce", "SQL = /skwɛl/"),
    )

    assert (status, errors) == (0, "")
    (request,) = speaking.requests
    config = request.config
    assert request.text == "Hello."
    assert (config.voice, config.language_code, config.tenant) == ("piper:joe", "en", "42")
    assert (config.speaking_rate, config.pitch_semitones, config.volume_gain_db) == (1.5, -3, -6.5)
    assert config.leading_silence_duration.ToMilliseconds() == 500
    assert config.format.encoding == audio_pb2.AUDIO_ENCODING_FLAC
    assert list(config.pronunciations) == [
        pb.Pronunciation(written="nginx", respelling="engine x"),
        pb.Pronunciation(written="SQL", phonemes="skwɛl"),
    ]


async def test_what_is_not_given_is_left_to_the_service(
    say: Command, speaking: Any, tmp_path: Path
) -> None:
    await say("Hello.", "-o", tmp_path / "a.wav")

    config = speaking.requests[0].config
    assert [field.name for field, _ in config.ListFields()] == ["format"]


async def test_a_text_that_is_not_utf_8_is_refused(say: Command, tmp_path: Path) -> None:
    refused = await say("-", "-o", tmp_path / "a.wav", text=b"caf\xe9")

    assert refused == (1, "", "error: standard input is not UTF-8 text\n")


@pytest.mark.parametrize("silence", ["nan", "inf"])
async def test_a_silence_without_a_length_is_refused(
    say: Command, tmp_path: Path, silence: str
) -> None:
    refused = await say("Hello.", "-o", tmp_path / "a.wav", "--silence", silence)

    assert refused == (2, "", "error: --silence is a number of seconds, up to 2\n")


async def test_a_document_is_sent_as_one(say: Command, speaking: Any, tmp_path: Path) -> None:
    document = "<speak>One <break time='1s'/> two.</speak>"
    status, _, _ = await say("-", "--ssml", "-o", tmp_path / "a.wav", text=document)

    (request,) = speaking.requests
    assert status == 0
    assert (request.WhichOneof("input"), request.ssml) == ("ssml", document)


async def test_words_are_printed_with_their_times(say: Command, tmp_path: Path) -> None:
    target = tmp_path / "a.wav"
    status, output, errors = await say("Hello, world.", "-o", target, "--words")

    assert (status, errors) == (0, "")
    assert output.splitlines() == [
        f"{target}: 0.00 s by piper:joe",
        "0.000\t0.310\tHello,",
        "0.350\t0.800\tworld.",
    ]


async def test_a_voice_without_word_times_says_so(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def synthesize(_request: Any, _context: Any) -> pb.SynthesizeResponse:
        return pb.SynthesizeResponse(audio=b"RIFF", voice="coqui:vits")

    script.Synthesize = synthesize
    target = tmp_path / "a.wav"
    said = await voicemesh("say", "Hi.", "-o", str(target), "--words", "--tts", script.target)

    assert said[0] == 1
    assert said[2] == "error: coqui:vits does not tell when its words are spoken\n"
    assert target.read_bytes() == b"RIFF"


async def test_a_long_text_goes_in_pieces_into_a_file_that_knows_its_length(
    say: Command, speaking: Any, tmp_path: Path
) -> None:
    target = tmp_path / "book.wav"
    text = "abcd" * 3_000
    status, output, _ = await say("-", "-o", target, "--words", text=text)

    assert status == 0
    assert output.splitlines()[0] == f"{target}: 2.00 s by piper:joe"
    assert len(output.splitlines()) == 1 + 3  # one word for each piece
    config, *texts = speaking.requests
    assert config.config.format.encoding == audio_pb2.AUDIO_ENCODING_PCM_S16LE
    assert [len(request.text) for request in texts] == [5_000, 5_000, 2_000]
    with wave.open(str(target)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (22_050, 1, 6_000)
        assert file.readframes(6_000) == text.encode()


async def test_a_long_text_goes_into_other_formats_as_it_comes(
    say: Command, speaking: Any, tmp_path: Path
) -> None:
    target = tmp_path / "book.ogg"
    await say("-", "-o", target, text="abcd" * 3_000)

    assert speaking.requests[0].config.format.encoding == audio_pb2.AUDIO_ENCODING_OGG_OPUS
    assert target.read_bytes() == b"abcd" * 3_000


async def test_audio_on_standard_output_is_nothing_but_audio(say: Command) -> None:
    assert await say("Hello, world.", "-o", "-") == (0, "Hello, world.", "")


@pytest.mark.parametrize(
    ("given", "encoding"),
    [
        ([], audio_pb2.AUDIO_ENCODING_WAV),
        (["--format", "mp3"], audio_pb2.AUDIO_ENCODING_MP3),
        (["--format", "ogg"], audio_pb2.AUDIO_ENCODING_OGG_OPUS),
    ],
)
async def test_the_format_of_standard_output_can_be_named(
    say: Command, speaking: Any, given: list[str], encoding: int
) -> None:
    await say("Hello.", "-o", "-", *given)

    assert speaking.requests[0].config.format.encoding == encoding


async def test_text_is_spoken_while_it_is_being_written(speaking: Any) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from voicemesh_client.cli import main; main()"),
        *("say", "-", "-o", "-", "--tts", speaking.target),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    heard = b""
    # Each part is heard before the next is written; the last cuts a letter in two.
    for part in (b"Hello. ", "Zürich".encode()[:2], "Zürich".encode()[2:]):
        process.stdin.write(part)
        await process.stdin.drain()
        async with asyncio.timeout(20):
            heard += await process.stdout.read(100)
    process.stdin.close()

    assert (heard + await process.stdout.read()).decode() == "Hello. Zürich"
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("Hi.", "-o", "-", "--words"), "--words needs standard output"),
        (("Hi.", "-o", "a.wav", "--pronounce", "nginx"), "WRITTEN=SPOKEN"),
        (("Hi.", "-o", "a.wav", "--pronounce", "=x"), "WRITTEN=SPOKEN"),
        (("Hi.", "-o", "a.wav", "--format", "aac"), "--format"),
        (("Hi.", "-o", "audio"), "must end in one of"),
        (("-", "-o", "-", "--ssml"), "the text to speak is blank"),
    ],
)
async def test_wrong_usage_sends_nothing(
    say: Command, speaking: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    status, output, errors = await say(*arguments)

    assert (status, output) == (2, "")
    assert sentence in " ".join(errors.split())
    assert speaking.requests == []


async def test_a_file_is_not_touched_if_nothing_is_spoken(
    voicemesh: Command, script: Any, tmp_path: Path
) -> None:
    async def stream(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        for voice in ["piper:nobody"]:
            if voice:
                raise NotFoundError("there is no voice of that name")
            yield pb.StreamSynthesizeResponse()

    script.StreamSynthesize = stream
    target = tmp_path / "old.wav"
    target.write_bytes(b"before")
    said = await voicemesh(
        *("say", "-", "-o", str(target), "--tts", script.target), text="a" * 6_000
    )

    assert said == (1, "", "error: there is no voice of that name\n")
    assert target.read_bytes() == b"before"
