"""The tts service with the coqui engine, over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.testing import running
from voicemesh_tts.__main__ import build
from voicemesh_tts.settings import CoquiSettings, TtsSettings

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

TENANT = "guild"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(
    models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[pb_grpc.TextToSpeechServiceAsyncStub]:
    settings = TtsSettings(
        default_voice="coqui:alone",
        data_dir=tmp_path_factory.mktemp("data"),
        coqui=CoquiSettings(model_dirs=(models,), accept_cpml=True, device="cpu", chunk_tokens=6),
    )
    async with running(build(settings), settings) as service:
        yield pb_grpc.TextToSpeechServiceStub(service.channel())


def config(voice: str = "", **more: object) -> pb.SynthesisConfig:
    pcm = audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_PCM_S16LE)
    return pb.SynthesisConfig(voice=voice, format=pcm, **more)  # type: ignore[arg-type]


async def test_voices_are_listed_with_engine_rate_and_licence(
    stub: pb_grpc.TextToSpeechServiceAsyncStub,
) -> None:
    found = await stub.ListVoices(pb.ListVoicesRequest(page_size=100), timeout=30)

    voices = {voice.id: voice for voice in found.voices if voice.engine == "coqui"}
    assert set(voices) == {
        "coqui:alone",
        "coqui:chorus",
        "coqui:chorus#ED",
        "coqui:chorus#p225",
        "coqui:cloner",
        "coqui:cloner#Ada_Lovelace",
        "coqui:cloner#Alan_Turing",
    }
    assert voices["coqui:cloner#Ada_Lovelace"].license == "CPML"
    assert voices["coqui:cloner#Ada_Lovelace"].sample_rate_hertz == 24_000


@pytest.mark.parametrize("voice", ["", "coqui:chorus#p225", "coqui:cloner#Ada_Lovelace"])
async def test_a_text_is_spoken_with_any_of_them(
    stub: pb_grpc.TextToSpeechServiceAsyncStub, voice: str
) -> None:
    request = pb.SynthesizeRequest(text="Hello there.", config=config(voice))

    answer = await stub.Synthesize(request, timeout=60)

    assert len(answer.audio) > 8_000


async def test_a_text_is_spoken_while_it_is_written_with_the_times_of_its_words(
    stub: pb_grpc.TextToSpeechServiceAsyncStub,
) -> None:
    async def requests() -> AsyncIterator[pb.StreamSynthesizeRequest]:
        yield pb.StreamSynthesizeRequest(config=config("coqui:alone", word_timings=True))
        yield pb.StreamSynthesizeRequest(text="Well, that depends. It may ")
        yield pb.StreamSynthesizeRequest(text="rain.")

    events = [event async for event in stub.StreamSynthesize(requests(), timeout=60)]

    assert events[0].HasField("started")
    assert events[-1].HasField("finished")
    audio = [event.audio for event in events if event.HasField("audio")]
    words = [word for each in audio for word in each.words]
    assert len(words) == 6
    assert sum(len(each.audio) for each in audio) > 16_000


async def test_a_voice_is_cloned_speaks_and_is_deleted(
    stub: pb_grpc.TextToSpeechServiceAsyncStub, speech: Path
) -> None:
    wish = pb.CreateVoiceRequest(
        tenant=TENANT,
        display_name="The president",
        language_code="en",
        reference_audio=(speech / "jfk.flac").read_bytes(),
        speaker_consents=True,
    )

    voice = (await stub.CreateVoice(wish, timeout=120)).voice

    assert (voice.engine, voice.license) == ("coqui", "CPML")
    said = pb.SynthesizeRequest(text="Hello.", config=config(voice.id, tenant=TENANT))
    assert len((await stub.Synthesize(said, timeout=60)).audio) > 8_000
    await stub.DeleteVoice(pb.DeleteVoiceRequest(tenant=TENANT, voice=voice.id), timeout=30)
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await stub.Synthesize(said, timeout=30)
    assert failure.value.code() is grpc.StatusCode.NOT_FOUND
