"""Texts that nobody sends by accident: tts stays up, speaks what it can, and keeps nothing."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as tts_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_tts.engines.phonemiser import Phonemiser

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

IDLE_S = 1.0
ENDS_S = 20.0
LONG_S = 50.0


@pytest.mark.parametrize(
    "text",
    [
        "\x00\x1b[31m\x07red\x7f",
        "\u202eright to left\u2066 and back\u2069",
        "مرحبا",
        "e" + "\u0301" * 300,
        "**" * 500 + "deep" + "**" * 500,
        "> " * 500 + "quoted",
        "<b>" * 500 + "tags",
        "[[h@l'oU]] [ [[ phonemes",
        "<speak><audio src='file:///etc/passwd'/><break time='9999s'/>hello</speak>",
        "\U0010ffff\ue000 private",
        "Hello, 你好, สวัสดี, привет, שלום, 안녕 and \U0001f642 goodbye.",
        "שלום 42 وداعا 3.5 \u200fמחר\u200e, 50%؟",
        "a\u0000b\u200bc\ufeffd\u00ade\u2028f",
    ],
    ids=[
        "control",
        "bidi",
        "arabic",
        "marks",
        "bold",
        "quotes",
        "html",
        "phonemes",
        "fake ssml",
        "private",
        "scripts",
        "right to left",
        "invisible",
    ],
)
async def test_a_text_that_means_harm_is_only_spoken(tts: Called, text: str) -> None:
    spoken = await tts.stub.Synthesize(tts_pb.SynthesizeRequest(text=text), timeout=ENDS_S)

    assert 0 < spoken.audio_duration.seconds + spoken.audio_duration.nanos / 1e9 < 20


@pytest.mark.parametrize(
    "text",
    [
        "U.S.A." * 41,
        "A." * 125,
        "http://" + "a." * 500,
        "a. " * 80,
        ".a .b" * 50,
        "é." * 125,
        "中." * 125,
        "'s" * 125,
        "\U0001d11e" * 250,
    ],
)
async def test_a_text_that_ended_the_process_is_spoken(tts: Called, text: str) -> None:
    # Each overran a buffer of espeak-ng; should one do so again, the answer is a refusal.
    spoken = await tts.stub.Synthesize(tts_pb.SynthesizeRequest(text="And " + text), timeout=LONG_S)

    assert spoken.audio


@pytest.mark.parametrize(
    "word", ["a" * 5_000, "Donaudampfschiff" * 312, "\u0e01" * 5_000, "\u4e2d" * 5_000, "9" * 5_000]
)
async def test_a_word_of_5000_letters_begins_at_once_and_can_be_left(
    tts: Called, word: str
) -> None:
    request = tts_pb.StreamSynthesizeRequest
    messages = [request(config=tts_pb.SynthesisConfig()), request(text=word)]
    begin = time.monotonic()
    call = tts.stub.StreamSynthesize(iter(messages), timeout=ENDS_S)

    async for event in call:
        if event.audio.audio or event.HasField("finished"):
            break
    call.cancel()

    assert time.monotonic() - begin < ENDS_S / 2
    await tts.running.check_well()


async def test_a_stream_of_100000_characters_is_spoken_until_its_caller_leaves(
    tts: Called,
) -> None:
    request = tts_pb.StreamSynthesizeRequest
    page = "This is a page of a very long book, and nobody will read all of it. " * 73
    messages = [request(config=tts_pb.SynthesisConfig()), *[request(text=page)] * 20]
    assert sum(len(message.text) for message in messages) > 99_000
    call = tts.stub.StreamSynthesize(iter(messages), timeout=ENDS_S)

    heard_s = 0.0
    async for event in call:
        heard_s += event.audio.audio_duration.ToMilliseconds() / 1000
        if heard_s > 20:
            break
    call.cancel()

    await tts.running.check_well()
    assert await tts.running.metric("voicemesh_tts_active_streams") == 0


@pytest.mark.parametrize("seed", range(4))
async def test_espeak_survives_whatever_a_text_is_made_of(models_dir: Path, seed: int) -> None:
    config = models_dir / "piper-en_US-joe-medium" / "en_US-joe-medium.onnx.json"
    rng = random.Random(seed)
    bits = [*"aZé.'’-[]()19 /&中ก🙂א\u0301\ue000", "U.S.", "e.g.", ".b ", "'s"]
    children: set[int | None] = set()

    with closing(Phonemiser()) as phonemiser:
        for _ in range(250):
            some = rng.choices(bits, k=rng.randint(1, 5))
            text = "".join(rng.choices(some, k=250))[:250]
            await asyncio.to_thread(phonemiser.sentences, config, text.split())
            children.add(phonemiser.pid)

    assert len(children) == 1


async def test_a_flood_of_flushes_and_cancels_is_answered_in_order(tts: Called) -> None:
    request = tts_pb.StreamSynthesizeRequest
    numbers = range(-500, 500)
    flood = [
        request(config=tts_pb.SynthesisConfig()),
        *(request(flush=tts_pb.Flush(flush_id=number)) for number in numbers),
        *(request(cancel=tts_pb.Cancel(cancel_id=number)) for number in numbers),
    ]

    events = await tts.collected(tts.stub.StreamSynthesize(iter(flood), timeout=ENDS_S))

    assert events[-1].HasField("finished")
    cancelled = [event.cancelled.cancel_id for event in events if event.HasField("cancelled")]
    assert cancelled == list(numbers)
    await tts.running.check_well()


async def test_a_caller_who_never_reads_is_sent_away(tts: Called) -> None:
    # Small windows: a few of the MiB that gRPC would hold for the caller are seconds of sound.
    options = [("grpc.http2.lookahead_bytes", 65_536), ("grpc.http2.bdp_probe", 0)]
    request = tts_pb.StreamSynthesizeRequest
    wanted = tts_pb.SynthesisConfig(
        format=audio_pb2.AudioFormat(
            encoding=audio_pb2.AUDIO_ENCODING_PCM_F32LE, sample_rate_hertz=48_000, channel_count=2
        )
    )
    text = "This is a long sentence which has enough words for some seconds of sound. " * 20

    async with grpc.aio.insecure_channel(tts.running.target, options) as channel:
        call = tts_grpc.TextToSpeechServiceStub(channel).StreamSynthesize(
            iter([request(config=wanted), request(text=text)])
        )
        await tts.running.until(lambda: tts.running.metric("voicemesh_tts_active_streams"))
        await tts.running.check_well()
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await tts.collected(call)

    error = error_from_rpc(raised.value)
    assert (error.code, error.reason) == ("DEADLINE_EXCEEDED", "STREAM_IDLE")
