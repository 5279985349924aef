"""The `TrainingBackend` of the machine's own model."""

from __future__ import annotations

import asyncio
import shutil
import sys
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from voicemesh_trainer.domain.jobs import BackendName, Progress, TrainingSettings
from voicemesh_trainer.engines.lora.order import Order, Recipe
from voicemesh_trainer.engines.lora.process import training_process
from voicemesh_trainer.errors import TrainingDataError, TrainingFailedError
from voicemesh_trainer.ports.training import (
    CheckpointSaved,
    Facts,
    LogLine,
    Paused,
    TrainedModel,
    ValidationReport,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voicemesh_trainer.domain.jobs import Job
    from voicemesh_trainer.engines.lora.process import TrainingProcess
    from voicemesh_trainer.ports.training import TrainingEvent, TrainingTask

__all__ = ("LoraOptions", "LoraTraining", "find_python")

_NEEDED = ("torch", "transformers", "peft", "gguf", "safetensors")
_LINE_CHARACTERS = 500
_FREE_BYTES = 512 * 1024 * 1024
_MUCH_EXAMPLES = 2_000


@dataclass(frozen=True)
class LoraOptions:
    """How this machine trains."""

    base: str
    """Name of the machine's own model; no other one is trained here."""
    base_file: Callable[[], Path]
    """Finds its file, or directory; may block for seconds, and raise `ServiceError`."""
    style: Literal["auto", "lines", "chat"]
    """How conversations are put to it; see `LocalSettings.style`."""
    python: str
    """Interpreter with the extra `lora`; empty if there is none."""
    threads: int
    """Processor threads of a run."""
    device: str = "cpu"
    """Where torch computes."""
    memory_mib: int = 0
    """Most memory of a run, in MiB; 0 is no limit."""
    checkpoint_every_s: float = 30.0
    """Seconds between checkpoints."""
    stuck_after_s: float = 600.0
    """Longest silence of a run, in seconds; then it is ended."""


def find_python(chosen: str, beside: Path) -> str:
    """The interpreter that trains; empty if there is none.

    Args:
        chosen: by the settings; empty leaves it to what is there.
        beside: where an environment of training's own, `.venv-lora`, may lie.
    """
    if chosen:
        return chosen
    if all(find_spec(name) is not None for name in _NEEDED):
        return sys.executable
    own = beside / ".venv-lora" / "bin" / "python"
    return str(own) if own.is_file() else ""


class LoraTraining:
    """Trains adapters in processes of their own.

    Args:
        options: how this machine trains.
        local_path: where a file of the store lies on this machine.
        persona: the tenant's instruction (None if it has none) and the assistant's name there,
            which prompts begin with.
    """

    def __init__(
        self,
        options: LoraOptions,
        local_path: Callable[[str], Awaitable[Path]],
        persona: Callable[[str], Awaitable[tuple[str | None, str]]],
    ) -> None:
        self._options = options
        self._local_path = local_path
        self._persona = persona
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def name(self) -> BackendName:
        """Which one this is."""
        return BackendName.LOCAL

    async def validate(self, task: TrainingTask) -> ValidationReport:
        """See `TrainingBackend.validate`."""
        options = self._options
        if not options.python:
            msg = (
                "this server cannot train: its environment has no torch; install "
                "voicemesh-trainer[lora], or run `make lora-setup` and set "
                "VOICEMESH_TRAINER_LORA__PYTHON"
            )
            raise TrainingDataError(msg)
        if task.base.root != options.base:
            msg = f"this server trains {options.base}, not {task.base.root}"
            raise TrainingDataError(msg)
        free = (await asyncio.to_thread(shutil.disk_usage, task.directory)).free
        if free < _FREE_BYTES:
            msg = f"training needs {_FREE_BYTES >> 20} MiB of free disk space"
            raise TrainingDataError(msg)
        settings = _filled(task.job.settings)
        warnings = []
        examples = len(task.data.examples)
        forms = examples * (1 + (settings.paraphrase_count or 0)) * (settings.epoch_count or 1)
        if examples > _MUCH_EXAMPLES and options.device == "cpu":
            warnings.append(f"{forms} examples are to be seen, which takes hours without a GPU")
        return ValidationReport(settings, tuple(warnings))

    async def run(
        self, task: TrainingTask, report: Callable[[TrainingEvent], Awaitable[None]]
    ) -> TrainedModel | Paused:
        """See `TrainingBackend.run`."""
        order = await self._order(task)
        current = asyncio.current_task()
        if current is not None:
            self._tasks.add(current)
        try:
            options = self._options
            async with training_process(
                [options.python], order, memory_mib=options.memory_mib
            ) as process:
                pausing = asyncio.create_task(_pause(task.pause, process), name="pause of training")
                try:
                    return await self._follow(process, report)
                finally:
                    pausing.cancel()
        finally:
            if current is not None:
                self._tasks.discard(current)

    async def discard(self, job: Job) -> None:
        """Does nothing: a run here leaves nothing outside its directory."""

    async def aclose(self) -> None:
        """Ends all runs."""
        mine = asyncio.current_task()
        tasks = [task for task in self._tasks if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _order(self, task: TrainingTask) -> Order:
        options, base = self._options, task.base
        file = await asyncio.to_thread(options.base_file)
        adapter = await self._local_path(base.adapter_file) if base.adapter_file else None
        about, assistant_name = await self._persona(task.job.tenant)
        return Order(
            base=str(file),
            directory=str(task.directory),
            recipe=_recipe(task.job.run.settings),
            data_sha256=task.data.sha256,
            examples=task.data.examples,
            pairs=task.data.pairs,
            style=options.style,
            about=about,
            assistant_name=assistant_name,
            name=f"{base.root}, job {task.job.job_id}",
            device=options.device,
            threads=options.threads,
            adapter="" if adapter is None else str(adapter),
            checkpoint="" if task.resume is None else str(task.resume.path),
            checkpoint_every_s=options.checkpoint_every_s,
        )

    async def _follow(
        self, process: TrainingProcess, report: Callable[[TrainingEvent], Awaitable[None]]
    ) -> TrainedModel | Paused:
        while True:
            try:
                async with asyncio.timeout(self._options.stuck_after_s):
                    event = await process.event()
            except TimeoutError as error:
                msg = "the training process has said nothing for long, and was ended"
                raise TrainingFailedError(msg) from error
            kind = event.pop("event", "")
            match kind:
                case "done":
                    return TrainedModel(adapter=Path(event["adapter"]))
                case "paused":
                    return Paused()
                case "failed":
                    raise TrainingFailedError(str(event["message"])[:_LINE_CHARACTERS])
                case "checkpoint":
                    await report(CheckpointSaved(Path(event["path"]), int(event["step"])))
                    await process.checkpoint_taken()
                case "progress":
                    await report(Progress(**event))
                case "facts":
                    await report(Facts(**event))
                case "log":
                    await report(LogLine(str(event["text"])[:_LINE_CHARACTERS]))


async def _pause(wanted: asyncio.Event, process: TrainingProcess) -> None:
    await wanted.wait()
    await process.pause()


def _recipe(settings: TrainingSettings) -> Recipe:
    chosen = {name: value for name, value in asdict(settings).items() if value is not None}
    return replace(Recipe(), **chosen)


def _filled(settings: TrainingSettings) -> TrainingSettings:
    return TrainingSettings(**asdict(_recipe(settings)))
