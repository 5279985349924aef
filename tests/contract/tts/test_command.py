"""The installed command by itself: health, metrics, SIGTERM, and starts that fail."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc

pytestmark = pytest.mark.contract

COMMAND = str(Path(sys.executable).with_name("voicemesh-tts"))
PATIENCE_S = 30.0


def environment(**settings: str) -> dict[str, str]:
    ports = {"SERVER__PORT": "0", "SERVER__METRICS_PORT": "0", "LOG__FORMAT": "json"}
    named = {f"VOICEMESH_TTS_{name}": value for name, value in {**ports, **settings}.items()}
    return {**os.environ, **named}


@pytest.fixture
def process(models_dir: Path, tmp_path: Path) -> Iterator[tuple[Any, int, int]]:
    """The running command with its two ports."""
    log = tmp_path / "log"
    with log.open("wb") as out:
        child = subprocess.Popen([COMMAND], env=environment(), stderr=out, stdout=out)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while '"serving"' not in log.read_text():
            assert child.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        port = re.search(r'"port": ?(\d+)', log.read_text())
        metrics_port = re.search(r'"metrics_port": ?(\d+)', log.read_text())
        assert port
        assert metrics_port
        yield child, int(port[1]), int(metrics_port[1])
    finally:
        child.kill()
        child.wait()


def test_it_serves_health_speech_and_metrics_and_stops(process: tuple[Any, int, int]) -> None:
    child, port, metrics_port = process
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", "voicemesh.tts.v1.TextToSpeechService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        speech = pb_grpc.TextToSpeechServiceStub(channel).Synthesize(
            pb.SynthesizeRequest(text="Good morning.")
        )
        assert speech.format.encoding == audio_pb2.AUDIO_ENCODING_WAV
    metrics = _get(f"http://127.0.0.1:{metrics_port}/metrics")
    assert 'voicemesh_tts_first_audio_seconds_count{call="Synthesize"} 1.0' in metrics

    child.send_signal(signal.SIGTERM)

    assert child.wait(PATIENCE_S) == 0


def test_promtool_accepts_the_metrics(process: tuple[Any, int, int]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool (Debian package prometheus) is not installed")
    metrics = _get(f"http://127.0.0.1:{process[2]}/metrics")

    done = subprocess.run(
        [promtool, "check", "metrics"], input=metrics, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())


def test_a_signal_while_it_speaks_lets_it_finish(process: tuple[Any, int, int]) -> None:
    child, port, _ = process
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = pb_grpc.TextToSpeechServiceStub(channel).Synthesize.future(
            pb.SynthesizeRequest(text="This sentence is one of many. " * 10)
        )
        time.sleep(0.2)
        child.send_signal(signal.SIGTERM)

        assert call.result(PATIENCE_S).audio

    assert child.wait(PATIENCE_S) == 0


def test_a_signal_ends_idle_streams_at_once_and_lets_speaking_ones_finish(
    process: tuple[Any, int, int],
) -> None:
    child, port, _ = process
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = pb_grpc.TextToSpeechServiceStub(channel)
        idle, done = _open(stub, "Good morning. "), threading.Event()
        speaking = stub.StreamSynthesize(
            iter(_messages("This sentence is one of very many. " * 20, done)), timeout=PATIENCE_S
        )
        done.set()  # half-closes
        next(speaking)
        for event in idle.events:
            if event.HasField("flushed"):
                break
        time.sleep(1.2)  # longer than a stream may think when the service is to stop
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)

        with pytest.raises(grpc.RpcError) as refused:
            next(idle.events)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - begun < 5
        assert [*speaking][-1].HasField("finished")
        idle.done.set()

    assert child.wait(PATIENCE_S) == 0


@dataclass
class _Open:
    events: Any
    done: threading.Event


def _messages(text: str, done: threading.Event) -> Iterator[pb.StreamSynthesizeRequest]:
    yield pb.StreamSynthesizeRequest(config=pb.SynthesisConfig())
    yield pb.StreamSynthesizeRequest(text=text)
    yield pb.StreamSynthesizeRequest(flush=pb.Flush(flush_id=1))
    done.wait(PATIENCE_S)


def _open(stub: pb_grpc.TextToSpeechServiceStub, text: str) -> _Open:
    """A stream that says something and then stays open."""
    done = threading.Event()
    return _Open(stub.StreamSynthesize(_messages(text, done), timeout=PATIENCE_S), done)


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"DEFAULT_VOICE": "piper:nobody"}, 78, "VOICEMESH_TTS_DEFAULT_VOICE"),
        ({"DEFAULT_VOICE": "other:x"}, 78, "engine"),
        ({"COQUI__MODEL_DIRS": "/nowhere"}, 78, "voicemesh-tts[coqui]"),
        ({"DEFAULT_VOICE": "joe"}, 78, "VOICEMESH_TTS_DEFAULT_VOICE"),
        ({"MAX_TEXT_CHAR": "1"}, 78, "VOICEMESH_TTS_MAX_TEXT_CHARS"),
    ],
)
def test_a_start_that_fails_says_why_in_one_sentence(
    settings: dict[str, str], status: int, said: str
) -> None:
    done = _start(environment(**settings))

    assert done.returncode == status
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    done = _start({**environment(), "VOICEMESH_MODELS_DIR": str(tmp_path)})

    assert done.returncode == 69
    command = f"voicemesh-models pull --dir {tmp_path} piper-en_US-joe-medium"
    assert f"run `{command}`" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_catalogue_that_is_not_there_is_named_with_its_variable(tmp_path: Path) -> None:
    file = tmp_path / "nofile.toml"

    done = _start({**environment(), "VOICEMESH_MODELS_FILE": str(file)})

    assert done.returncode == 78
    assert f"VOICEMESH_MODELS_FILE = {file}: cannot be read" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def _start(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
