"""What operators see: models, health, metrics, the installed command."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.settings import SttSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

SERVICE = "voicemesh.stt.v1.SpeechToTextService"
COMMAND = Path(sys.executable).with_name("voicemesh-stt")


async def test_the_models_are_listed(stt: Any) -> None:
    answer = await stt.stub.ListModels(pb.ListModelsRequest())

    (model,) = (model for model in answer.models if model.default_model)
    assert model.name == "whisper-tiny.en"
    assert list(model.language_codes) == ["en"]
    assert model.loaded
    assert model.license == "MIT"
    assert model.device.endswith(("int8", "float16"))
    assert answer.next_page_token == ""


async def test_health_is_serving_once_the_model_is_warm(stt: Any) -> None:
    stub = health_pb2_grpc.HealthStub(stt.running.channel())

    for name in ("", SERVICE):
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_metrics_tell_of_the_work(
    stt: Any, speech: Path, stream: Any, pcm: Any, voice: Any
) -> None:
    audio = (speech / "librivox-0930.wav").read_bytes()
    await stt.stub.Transcribe(pb.TranscribeRequest(audio=audio))
    await stt.listen(stream(pcm(voice("librivox-0930.wav"))))

    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{stt.running.http_url}/metrics")).text

    for line in (
        'voicemesh_stt_turns_total{reason="end_of_stream"} 1.0',
        'voicemesh_stt_jobs_total{lane="bulk",outcome="done"} 1.0',
        'voicemesh_stt_inference_seconds_count{lane="live"} 1.0',
        "voicemesh_stt_end_of_speech_to_final_seconds_count 1.0",
        'voicemesh_stt_audio_seconds_total{rpc="StreamTranscribe"}',
        "voicemesh_stt_active_streams 0.0",
    ):
        assert line in text


async def test_live_streams_do_not_wait_for_recordings_being_decoded(
    stt: Any, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, let = threading.Semaphore(0), threading.Event()

    def decode(*_: object, **__: object) -> list[Any]:
        begun.release()
        let.wait(30)
        return [np.zeros(16_000, dtype=np.float32)]

    monkeypatch.setattr(BoundedRecordingDecoder, "decode", decode)
    threads = SttSettings().audio_threads
    try:
        calls = [stt.stub.Transcribe(pb.TranscribeRequest(audio=b"x")) for _ in range(threads)]
        for _ in range(threads):
            assert await asyncio.to_thread(begun.acquire, timeout=20)

        assert await asyncio.wait_for(stt.listen(stream(bytes(64_000))), timeout=20) == []
    finally:
        let.set()
    assert [(await call).text for call in calls] == [""] * threads


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def alone(models_dir: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The installed command, on free ports."""
    port = free_port()
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("VOICEMESH_")},
        "VOICEMESH_MODELS_DIR": str(models_dir),
        "VOICEMESH_STT_SERVER__PORT": str(port),
        "VOICEMESH_STT_SERVER__METRICS_PORT": "0",
    }
    process = subprocess.Popen([str(COMMAND)], env=environ, stderr=subprocess.PIPE)
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def test_the_command_serves_alone_and_stops_on_sigterm(
    alone: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, port = alone
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.timeout(30):
        stub = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=SERVICE)
        status = health_pb2.HealthCheckResponse.UNKNOWN
        while status != health_pb2.HealthCheckResponse.SERVING:
            answer = await stub.Check(request, wait_for_ready=True)
            status = answer.status
            await asyncio.sleep(0.05)

    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.to_thread(process.communicate, timeout=20)

    assert process.returncode == 0
    assert b"Traceback" not in errors
