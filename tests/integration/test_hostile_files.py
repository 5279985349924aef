"""Files that nobody uploads by accident: stt stays up, says what is wrong, and keeps nothing."""

from __future__ import annotations

import asyncio
import random
import resource
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as stt_pb
from voicemesh_chassis.channel import error_from_rpc

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(60),
]

ENDS_S = 20.0
PIECE = 1 << 16
RAW = audio_pb2.AudioFormat(
    encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE, sample_rate_hertz=192_000, channel_count=8
)
SPEECH = Path(__file__).parents[1] / "data" / "speech"


async def upload(
    audio: bytes, config: stt_pb.TranscribeFileConfig | None = None, *, gap_s: float = 0.0
) -> AsyncIterator[stt_pb.TranscribeFileRequest]:
    """The messages of one upload."""
    yield stt_pb.TranscribeFileRequest(config=config or stt_pb.TranscribeFileConfig())
    for start in range(0, len(audio), PIECE):
        yield stt_pb.TranscribeFileRequest(audio=audio[start : start + PIECE])
        await asyncio.sleep(gap_s)


def numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def box(name: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return numbers(8 + len(data)) + name + data


def mpeg4(samples: int, tracks: int = 1) -> bytes:
    """A file of MPEG-4 whose tracks claim so many samples of one byte each."""
    entry = box(b"mp4a", bytes(6), b"\0\1", bytes(8), b"\0\1\0\x10", bytes(4), b"\x3e\x80\0\0")
    table = box(
        b"stbl",
        box(b"stsd", numbers(0, 1), entry),
        box(b"stts", numbers(0, 1, samples, 1024)),
        box(b"stsc", numbers(0, 1, 1, samples, 1)),
        box(b"stsz", numbers(0, 1, samples)),
        box(b"stco", numbers(0, 1, 40)),
    )
    references = box(b"dinf", box(b"dref", numbers(0, 1), box(b"url ", numbers(1))))
    media = box(
        b"mdia",
        box(b"mdhd", numbers(0, 0, 0, 16_000, 1_000, 0)),
        box(b"hdlr", numbers(0, 0), b"soun", bytes(13)),
        box(b"minf", box(b"smhd", bytes(8)), references, table),
    )
    header = box(b"mvhd", numbers(0, 0, 0, 1_000, 1_000), bytes(80))
    track = box(b"trak", box(b"tkhd", numbers(7, 0, 0, 1, 0, 1_000), bytes(60)), media)
    return (
        box(b"ftyp", b"isom", bytes(4))
        + box(b"mdat", bytes(4_000))
        + box(b"moov", header, *[track] * tracks)
    )


def peak_mib() -> float:
    """The most memory that this process, and so the service in it, has had."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


@pytest.mark.parametrize("samples", [85_000_000, 170_000_000])
async def test_an_index_that_claims_more_than_is_there_takes_no_memory(
    stt: Called, samples: int
) -> None:
    # 4.5 KB took 3.3 GB: FFmpeg writes down what is claimed before it reads on.
    before_mib = peak_mib()

    error = await stt.refusal(stt.stub.TranscribeFile(upload(mpeg4(samples)), timeout=ENDS_S))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stt.stub.Transcribe(stt_pb.TranscribeRequest(audio=mpeg4(samples)))

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "audio")
    assert error_from_rpc(raised.value).field == "audio"
    assert peak_mib() - before_mib < 300


async def test_a_film_has_a_dozen_tracks_at_most(stt: Called) -> None:
    before_mib = peak_mib()

    error = await stt.refusal(
        stt.stub.TranscribeFile(upload(mpeg4(500_000, tracks=100)), timeout=ENDS_S)
    )

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "audio")
    assert peak_mib() - before_mib < 600  # 100 tracks took 2 GB


@pytest.mark.parametrize("audio_format", [None, RAW], ids=["container", "headerless"])
@pytest.mark.parametrize("seconds", [86_401, 10**6, 2**63 - 1])
async def test_a_resume_offset_beyond_any_file_is_refused_by_its_name(
    stt: Called, audio_format: audio_pb2.AudioFormat | None, seconds: int
) -> None:
    config = stt_pb.TranscribeFileConfig(
        format=audio_format, resume_offset=Duration(seconds=seconds)
    )

    error = await stt.refusal(stt.stub.TranscribeFile(upload(b"", config), timeout=ENDS_S))

    assert (error.code, error.field) == ("INVALID_ARGUMENT", "config.resume_offset")


async def test_uploads_cancelled_at_any_moment_leave_nothing(stt: Called) -> None:
    audio = (SPEECH / "librivox-0930.wav").read_bytes() * 3
    moments = random.Random(7)
    stub = stt.stub

    async def cancelled() -> None:
        call = stub.TranscribeFile(upload(audio, gap_s=0.002), timeout=ENDS_S)
        reading = asyncio.create_task(anext(aiter(call), None))
        await asyncio.sleep(moments.random() ** 2)
        call.cancel()
        await asyncio.wait([reading])
        if not reading.cancelled():
            reading.exception()

    for _ in range(5):
        await asyncio.gather(*(cancelled() for _ in range(8)))

    await stt.running.check_well()
    heard = await stub.Transcribe(
        stt_pb.TranscribeRequest(audio=(SPEECH / "jfk.flac").read_bytes()), timeout=ENDS_S
    )
    assert "ask not what your country can do for you" in heard.text.lower()


async def test_special_tokens_in_a_prompt_are_only_words(stt: Called) -> None:
    # Thirty of them were obeyed, and most of the words were lost.
    for token in ("<|startoftranscript|>", "<|notimestamps|>", "<|en|>", "<|endoftext|>"):
        config = stt_pb.TranscriptionConfig(initial_prompt=(token + " ") * 30)
        request = stt_pb.TranscribeRequest(config=config, audio=(SPEECH / "jfk.flac").read_bytes())
        heard = await stt.stub.Transcribe(request, timeout=ENDS_S)
        assert "what your country can do for you" in heard.text.lower(), token
