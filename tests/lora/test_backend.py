"""Training as the service runs it: in a process of its own, which never outlives its purpose."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf
import pytest

from voicemesh_trainer.domain.jobs import (
    BackendName,
    Job,
    JobState,
    Progress,
    TrainingRun,
    TrainingSettings,
)
from voicemesh_trainer.domain.training_data import TrainingData, TrainingExample
from voicemesh_trainer.engines.lora.backend import LoraOptions, LoraTraining, find_python
from voicemesh_trainer.engines.lora.process import training_process
from voicemesh_trainer.errors import TrainingDataError, TrainingFailedError
from voicemesh_trainer.ports.training import (
    BaseModel,
    Checkpoint,
    CheckpointSaved,
    Facts,
    Paused,
    TrainedModel,
    TrainingEvent,
    TrainingTask,
)

# Each process imports torch and transformers, which takes seconds on a busy machine.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

LONG = TrainingSettings(epoch_count=100, batch_size=1, lora_rank=2, paraphrase_count=8)
SHORT = TrainingSettings(epoch_count=1, batch_size=4, lora_rank=2, paraphrase_count=1)
MakeTask = Callable[..., TrainingTask]


async def nobody(_tenant: str) -> tuple[str | None, str]:
    return None, ""


async def no_file(_name: str) -> Path:
    raise FileNotFoundError


@pytest.fixture
def options(llama: Path) -> LoraOptions:
    return LoraOptions(
        base="llama", base_file=lambda: llama, style="chat", python=sys.executable, threads=1
    )


@pytest.fixture
def task(tmp_path: Path) -> MakeTask:
    examples = tuple(TrainingExample(f"What is {name}?", f"{name} is a name.") for name in "XYZ")

    def make(settings: TrainingSettings, resume: Checkpoint | None = None) -> TrainingTask:
        directory = tmp_path / f"attempt-{len(list(tmp_path.iterdir()))}"
        directory.mkdir()
        job = Job(
            job_id="j",
            tenant="t",
            description="",
            dataset_id="d",
            backend=BackendName.LOCAL,
            base_model="llama",
            settings=settings,
            state=JobState.RUNNING,
            progress=Progress(),
            run=TrainingRun(settings=settings),
            create_time=0.0,
        )
        base = BaseModel("llama", BackendName.LOCAL, "llama")
        data = TrainingData(examples, (), 0, "5e")
        return TrainingTask(job, base, data, directory, asyncio.Event(), resume)

    return make


class Reported:
    def __init__(self) -> None:
        self.events: list[TrainingEvent] = []
        self.stepped = asyncio.Event()
        self.kept: bytes | None = None

    async def __call__(self, event: TrainingEvent) -> None:
        self.events.append(event)
        if isinstance(event, Progress):
            self.stepped.set()
        if isinstance(event, CheckpointSaved):
            self.kept = await asyncio.to_thread(event.path.read_bytes)


def children() -> set[int]:
    command = ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = (line.split() for line in listed.stdout.splitlines())
    return {int(pid) for pid, name in lines if name != "ps"}


async def test_a_job_becomes_an_adapter(options: LoraOptions, task: MakeTask) -> None:
    training, reported = LoraTraining(options, no_file, nobody), Reported()
    asked = task(SHORT)
    report = await training.validate(asked)
    assert report.settings.learning_rate is not None
    assert report.settings.lora_rank == 2
    outcome = await training.run(asked, reported)
    assert isinstance(outcome, TrainedModel)
    assert outcome.adapter is not None
    assert outcome.adapter.parent == asked.directory
    assert gguf.GGUFReader(outcome.adapter).tensors
    progress = [each for each in reported.events if isinstance(each, Progress)]
    assert progress[-1].step == progress[-1].step_count > 0
    assert progress[-1].remaining_s == 0
    facts = [each for each in reported.events if isinstance(each, Facts)]
    assert "torch" in facts[0].versions
    assert facts[-1].metrics["tokens"] > 0
    await training.aclose()


async def test_a_paused_run_goes_on_elsewhere(
    options: LoraOptions, task: MakeTask, tmp_path: Path
) -> None:
    training, reported = LoraTraining(options, no_file, nobody), Reported()
    asked = task(replace(SHORT, epoch_count=8))
    running = asyncio.create_task(training.run(asked, reported))
    await reported.stepped.wait()
    asked.pause.set()
    assert isinstance(await running, Paused)
    assert reported.kept is not None
    step = next(each.step for each in reported.events if isinstance(each, CheckpointSaved))
    saved = tmp_path / "kept.safetensors"
    saved.write_bytes(reported.kept)
    again = Reported()
    resumed = task(replace(SHORT, epoch_count=8), Checkpoint(saved, step))
    assert isinstance(await training.run(resumed, again), TrainedModel)
    assert next(each for each in again.events if isinstance(each, Progress)).step == step + 1


async def test_cancelling_ends_the_process(options: LoraOptions, task: MakeTask) -> None:
    training, reported = LoraTraining(options, no_file, nobody), Reported()
    before = children()
    running = asyncio.create_task(training.run(task(LONG), reported))
    await reported.stepped.wait()
    assert children() - before
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not children() - before


async def test_closing_ends_all_runs(options: LoraOptions, task: MakeTask) -> None:
    training, reported = LoraTraining(options, no_file, nobody), Reported()
    running = asyncio.create_task(training.run(task(LONG), reported))
    await reported.stepped.wait()
    await training.aclose()
    await training.aclose()
    assert running.cancelled()


async def test_a_process_that_is_killed_fails_in_a_sentence(
    options: LoraOptions, task: MakeTask
) -> None:
    training, reported = LoraTraining(options, no_file, nobody), Reported()
    before = children()
    running = asyncio.create_task(training.run(task(LONG), reported))
    await reported.stepped.wait()
    (child,) = children() - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(TrainingFailedError, match="was killed, perhaps for its memory"):
        await running


async def test_a_process_that_breaks_tells_its_last_words(
    options: LoraOptions, task: MakeTask, tmp_path: Path
) -> None:
    broken = replace(options, base_file=lambda: tmp_path / "gone.gguf")
    with pytest.raises(TrainingFailedError, match="base model cannot be read"):
        await LoraTraining(broken, no_file, nobody).run(task(SHORT), Reported())
    bare = replace(options, python="/bin/false")
    with pytest.raises(TrainingFailedError, match="status 1"):
        await LoraTraining(bare, no_file, nobody).run(task(SHORT), Reported())
    absent = replace(options, python=str(tmp_path / "no-python"))
    with pytest.raises(TrainingFailedError, match="cannot be started"):
        await LoraTraining(absent, no_file, nobody).run(task(SHORT), Reported())


async def test_too_little_memory_fails_the_job_and_nothing_else(
    options: LoraOptions, task: MakeTask
) -> None:
    narrow = replace(options, memory_mib=64)
    with pytest.raises(TrainingFailedError):
        await LoraTraining(narrow, no_file, nobody).run(task(SHORT), Reported())


async def test_a_silent_process_is_ended(options: LoraOptions, task: MakeTask) -> None:
    impatient = replace(options, stuck_after_s=0.05)
    before = children()
    with pytest.raises(TrainingFailedError, match="said nothing for long"):
        await LoraTraining(impatient, no_file, nobody).run(task(SHORT), Reported())
    assert not children() - before


async def test_the_process_ends_when_its_parent_hangs_up(
    options: LoraOptions, order: Callable[..., object]
) -> None:
    async with training_process([options.python], order(epoch_count=100)) as process:  # type: ignore[arg-type]
        while (await process.event())["event"] != "progress":
            pass
        assert process._process.stdin is not None
        process._process.stdin.close()
        async with asyncio.timeout(30):
            assert await process._process.wait() == 1


@pytest.mark.parametrize("fault", ["python", "base"])
async def test_what_cannot_be_trained_is_refused_before(
    options: LoraOptions, task: MakeTask, fault: str
) -> None:
    options = replace(options, python="") if fault == "python" else replace(options, base="other")
    with pytest.raises(TrainingDataError):
        await LoraTraining(options, no_file, nobody).validate(task(SHORT))


def test_the_interpreter_is_the_chosen_one_or_this_one(tmp_path: Path) -> None:
    assert find_python("/opt/python", tmp_path) == "/opt/python"
    assert find_python("", tmp_path) == sys.executable
