"""The same questions to a pipecat pipeline with the same models: by default, and set for speed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from benchmarks.report import Check, print_table
from benchmarks.services import free_ports
from benchmarks.voice.questions import RATE_HERTZ, load_questions
from benchmarks.voice.stages import delays
from voicemesh_models import ModelStore, default_models_dir, load_catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.voice.questions import Question

__all__ = ("ASSISTANT", "MAX_TOKENS", "PEER", "SETTINGS", "compare", "measure_peer")

PEER = "pipecat-ai"
MAX_TOKENS = 48
"""Longest answer, here and there: the rest would only be waited for."""
SETTINGS: Mapping[str, Mapping[str, float]] = {
    "pipecat": {},
    "pipecat, tuned": {"vad_stop_s": 0.1, "speech_timeout_s": 0.0, "beam": 1},
}
"""pipecat as it is by default, and without smart turn, with the shortest waits that it can have."""
_AHEAD = 2 / 3
_HERE = Path(__file__).parent
_PYTHON = _HERE.parents[1] / ".cache" / "benchmarks" / "peers-voice" / "bin" / "python"
_RATE_HERTZ = 16_000
ASSISTANT = "Robin"
"""What the bot is called here and there; the model is told."""
_START_S = 90.0
_TURN_S = 60.0


async def measure_peer(report: Report, limit: int = 0) -> None:
    """Voice to voice of pipecat."""
    questions = load_questions(limit)
    found: dict[str, Any] = {}
    with TemporaryDirectory() as directory:
        async with _llama() as url:
            for name, setting in SETTINGS.items():
                job = _Job(Path(directory), url, setting, questions)
                found[name] = _summary(await job.run())
    report.measurements["peer"] = found
    print_table(
        ("system", "turns", "median", "p95", "cut in pauses", "spoke too early", "no answer"),
        [_row(name, one) for name, one in found.items()],
    )


def compare(report: Report) -> None:
    """How far we are ahead of pipecat, once both have been measured."""
    ours, theirs = report.measurements.get("turns"), report.measurements.get("peer")
    if not ours or not theirs:
        return
    for name, one in theirs.items():
        for part in ("median", "p95"):
            ratio = ours["voice_to_voice_s"][part] / one["voice_to_voice_s"][part]
            report.checks.append(
                Check.at_most(f"voice to voice, {part}: ours / {name}", ratio, _AHEAD)
            )


def _row(name: str, one: Mapping[str, Any]) -> Sequence[object]:
    delay = one["voice_to_voice_s"]
    cuts = f"{one['cut']} of {one['paused']}"
    return (
        name,
        one["turns"],
        f"{delay['median']:.3f} s",
        f"{delay['p95']:.3f} s",
        cuts,
        one["heard_too_early"],
        one["unanswered"],
    )


def _summary(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    whole = [
        None if turn["cut"] or turn["heard_before"] or turn["heard_s"] is None else turn["heard_s"]
        for turn in turns
    ]
    stages: dict[str, list[float]] = {}
    for turn in turns:
        for kind, at_s in turn["noted"]:
            stages.setdefault(kind, []).append(at_s)
    return {
        "turns": len(turns),
        "voice_to_voice_s": delays([each for each in whole if each is not None]),
        "paused": sum(turn["paused"] for turn in turns),
        "cut": sum(turn["cut"] for turn in turns if turn["paused"]),
        "cut_without_pause": sum(turn["cut"] for turn in turns if not turn["paused"]),
        "heard_too_early": sum(turn["heard_before"] for turn in turns),
        "unanswered": sum(turn["heard_s"] is None for turn in turns),
        "stages_s": {kind: delays(values) for kind, values in stages.items()},
        "delays_s": [each and round(each, 3) for each in whole],
    }


@dataclass(frozen=True)
class _Job:
    """One run of the pipeline."""

    directory: Path
    llm_url: str
    setting: Mapping[str, float]
    questions: Sequence[Question]

    async def run(self) -> list[dict[str, Any]]:
        """What came of every question."""
        file = self.directory / "job.json"
        file.write_text(json.dumps(self._content()), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        process = await asyncio.create_subprocess_exec(
            *(str(_PYTHON), "-P", str(_HERE / "pipecat_pipeline.py"), str(file)),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            await _line(process.stdout, _START_S)
            found = []
            for question in self.questions:
                turn = await _line(process.stdout, _TURN_S)
                found.append(turn | {"text": question.text, "paused": question.gap > 0})
            return found
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _content(self) -> dict[str, Any]:
        store = ModelStore(default_models_dir(), load_catalogue())
        turns = []
        for number, question in enumerate(self.questions):
            file = self.directory / f"{number}.npy"
            audio = soxr.resample(question.whole, RATE_HERTZ, _RATE_HERTZ)
            np.save(file, (audio.clip(-1, 1) * 32767).astype(np.int16))
            turns.append({"audio": str(file), "last_voiced": question.last_voiced})
        return {
            "whisper": str(store.require("whisper-tiny.en")),
            "piper": str(store.require("piper-en_US-joe-medium") / "en_US-joe-medium.onnx"),
            "llm": "gemma-3-270m",
            "llm_url": f"{self.llm_url}/v1",
            "max_tokens": MAX_TOKENS,
            "setting": dict(self.setting),
            "turns": turns,
        }


@asynccontextmanager
async def _llama() -> AsyncIterator[str]:
    """llama.cpp's server until the block ends; where it is."""
    port, _ = free_ports()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.voice.llama_server", str(port), ASSISTANT),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        async with asyncio.timeout(_START_S):
            address = (await process.stdout.readline()).decode().strip()
        if not address.startswith("http"):
            msg = f"llama.cpp's server does not start: {address!r}"
            raise RuntimeError(msg)
        yield address
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _line(stdout: asyncio.StreamReader, timeout_s: float) -> dict[str, Any]:
    async with asyncio.timeout(timeout_s):
        line = await stdout.readline()
    if not line:
        msg = "pipecat's pipeline has ended early"
        raise RuntimeError(msg)
    found: dict[str, Any] = json.loads(line)
    return found
