"""The trainer alone, started by its own command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1 import trainer_service_pb2_grpc
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.testing import running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import LocalSettings, TrainerSettings

pytestmark = pytest.mark.contract

COMMAND = str(Path(sys.executable).parent / "voicemesh-trainer")


def started(**environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI")}
    return subprocess.Popen(
        [COMMAND],
        env={
            **clean,
            "VOICEMESH_TRAINER_SERVER__PORT": "0",
            "VOICEMESH_TRAINER_SERVER__METRICS_PORT": "0",
            "VOICEMESH_TRAINER_LOG__FORMAT": "json",
            **environment,
        },
        stderr=subprocess.PIPE,
        text=True,
    )


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]


@pytest.fixture
def serving(models_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A trainer that is serving, with its two ports."""
    port, metrics_port = free_ports()
    process = started(
        VOICEMESH_TRAINER_SERVER__PORT=str(port),
        VOICEMESH_TRAINER_SERVER__METRICS_PORT=str(metrics_port),
        VOICEMESH_TRAINER_LOCAL__STYLE="chat",
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            watching = health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
            for update in watching:
                if update.status == health_pb2.HealthCheckResponse.SERVING:
                    break
            watching.cancel()
        yield process, port, metrics_port
        process.terminate()
        process.communicate(timeout=15)
    finally:
        process.kill()
        process.communicate()


def test_health_and_metrics(serving: tuple[subprocess.Popen[str], int, int]) -> None:
    _, port, metrics_port = serving
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for service in ("TrainerService", "ModelService", "DatasetService", "TrainingJobService"):
            check = health_pb2.HealthCheckRequest(service=f"voicemesh.trainer.v1.{service}")
            answer = health.Check(check, timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        history = [pb.Turn(role=pb.ROLE_USER, text="Hello")]
        sampling = pb.Sampling(max_output_tokens=3)
        request = pb.GenerateRequest(tenant="t", history=history, sampling=sampling)
        list(trainer_service_pb2_grpc.TrainerServiceStub(channel).Generate(request))

    with urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=5) as page:
        families = list(text_string_to_metric_families(page.read().decode()))

    own = [family for family in families if family.name.startswith("voicemesh_trainer_")]
    assert len(own) > 8
    assert all(family.documentation for family in own)
    sums: dict[str, float] = {family.name: sum(s.value for s in family.samples) for family in own}
    assert sums["voicemesh_trainer_output_tokens"] == 3
    assert sums["voicemesh_trainer_active_generations"] == 0
    assert sums["voicemesh_trainer_database_up"] == 1
    assert sums["voicemesh_trainer_database_transactions"] > 0
    assert sums["voicemesh_trainer_database_failures"] == 0


def test_sigterm_during_an_answer_drains_and_exits(
    serving: tuple[subprocess.Popen[str], int, int],
) -> None:
    process, port, _ = serving
    history = [pb.Turn(role=pb.ROLE_USER, text="Tell me a secret story.")]
    sampling = pb.Sampling(max_output_tokens=150, temperature=1.2, seed=3)
    request = pb.GenerateRequest(tenant="t", history=history, sampling=sampling)
    events: list[pb.GenerateResponse] = []

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = trainer_service_pb2_grpc.TrainerServiceStub(channel).Generate(request)
        events += [next(answer), next(answer)]
        process.send_signal(signal.SIGTERM)
        reading = Thread(target=lambda: events.extend(answer))
        reading.start()
        reading.join(20)
    _, log = process.communicate(timeout=15)

    assert events[-1].WhichOneof("event") == "finished"
    assert process.returncode == 0
    assert "Traceback" not in log
    assert "secret story" not in log


def test_sigterm_without_a_drain_cuts_the_answer_and_exits_soon(models_dir: Path) -> None:
    port, metrics_port = free_ports()
    process = started(
        VOICEMESH_TRAINER_SERVER__PORT=str(port),
        VOICEMESH_TRAINER_SERVER__METRICS_PORT=str(metrics_port),
        VOICEMESH_TRAINER_SERVER__DRAIN_TIMEOUT_S="0.1",
        VOICEMESH_TRAINER_LOCAL__STYLE="chat",
    )
    history = [pb.Turn(role=pb.ROLE_USER, text="Tell me a story.")]
    sampling = pb.Sampling(max_output_tokens=3000, temperature=1.2, seed=3)
    request = pb.GenerateRequest(tenant="t", history=history, sampling=sampling)
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for update in health.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True):
                if update.status == health_pb2.HealthCheckResponse.SERVING:
                    break
            answer = trainer_service_pb2_grpc.TrainerServiceStub(channel).Generate(request)
            next(answer), next(answer)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=15)
        assert time.monotonic() - began < 10
        assert process.returncode == 0
        assert "Traceback" not in log
    finally:
        process.kill()
        process.communicate()


def test_a_missing_model_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    process = started(VOICEMESH_MODELS_DIR=str(tmp_path))

    _, log = process.communicate(timeout=20)

    assert process.returncode == 69
    assert f"voicemesh-models pull --dir {tmp_path} gemma-3-270m" in log.splitlines()[-1]
    assert "Traceback" not in log


async def test_a_file_that_is_no_model_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(1000))
    settings = TrainerSettings(backend="local", local=LocalSettings(model_file=file))

    with pytest.raises(StartupError, match=r"llama\.cpp cannot load .*broken\.gguf") as caught:
        async with running(build(settings), settings):
            pass

    assert "\n" not in str(caught.value)
