"""Answers through gRPC against llama.cpp called directly, with the same model, prompt and options.

Both run in the same minutes, take turns on every question, and must write the same words: then the
difference of their times is what the service costs.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import xllamacpp

from benchmarks.report import Check, print_table
from benchmarks.services import serving
from voicemesh_client.generation import (
    GenerationDelta,
    GenerationFinished,
    GenerationOptions,
    Role,
    Turn,
)
from voicemesh_client.trainer import Trainer
from voicemesh_models import default_models_dir
from voicemesh_trainer.domain.conversations import Role as ModelRole
from voicemesh_trainer.domain.conversations import Turn as ModelTurn
from voicemesh_trainer.prompt import LINE_STOPS, line_prompt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from benchmarks.report import Report

__all__ = ("measure_generation",)

_MODEL = "gemma-3-270m"
_SENTENCES = Path(__file__).parent.parent / "stt" / "sentences.txt"
_ROUNDS = 3
_QUESTIONS = 40
_WARM_UP = 4
_MOST_TOKENS = 64
_SLOTS, _CONTEXT, _BATCH = 2, 2048, 256
_CALLERS = (1, _SLOTS)
_MOST_OVERHEAD = 1.05
_LEAST_SPEED = 0.95


@dataclass(frozen=True)
class _Answer:
    """One answer and its times."""

    text: str
    first_s: float
    total_s: float
    tokens: int


async def measure_generation(report: Report) -> None:
    """First token and tokens a second, one caller and as many as there are slots."""
    questions = _SENTENCES.read_text(encoding="utf-8").splitlines()
    found: dict[str, Any] = {}
    rows = []
    async with AsyncExitStack() as running:
        directory = running.enter_context(TemporaryDirectory())
        settings = {"backend": "local", "storage__data_dir": directory}
        service = await running.enter_async_context(serving("trainer", **settings))
        direct = await running.enter_async_context(_directly())
        trainer = await running.enter_async_context(Trainer(service.connection))
        systems: dict[str, Callable[[str], Awaitable[_Answer]]] = {
            "voicemesh": partial(_ask, trainer),
            "xllamacpp": direct,
        }
        for question in questions[:_WARM_UP]:
            for system in systems.values():
                await system(question)
        for callers in _CALLERS:
            asked = questions[_WARM_UP : _WARM_UP + _QUESTIONS]
            figures = await _compare(systems, asked, callers)
            found[str(callers)] = figures
            rows += _rows(callers, figures)
            report.checks += _checks(callers, figures)
    report.measurements["generation"] = found
    print_table(("callers", "system", "first token ms", "tokens a second"), rows)


async def _compare(
    systems: dict[str, Callable[[str], Awaitable[_Answer]]],
    questions: Sequence[str],
    callers: int,
) -> dict[str, Any]:
    """Every question by each system in turn; who is asked first changes each time."""
    answers: dict[str, list[_Answer]] = {name: [] for name in systems}
    spent: dict[str, float] = dict.fromkeys(systems, 0.0)
    for number in range(_ROUNDS):
        for place in range(0, len(questions) - callers + 1, callers):
            batch = questions[place : place + callers]
            names = list(systems) if (number + place // callers) % 2 else list(systems)[::-1]
            for name in names:
                begun_s = time.perf_counter()
                answers[name] += await asyncio.gather(*(systems[name](each) for each in batch))
                spent[name] += time.perf_counter() - begun_s
    same = [ours.text == theirs.text for ours, theirs in zip(*answers.values(), strict=True)]
    firsts = [ours.first_s / theirs.first_s for ours, theirs in zip(*answers.values(), strict=True)]
    return {
        "same_answers": round(sum(same) / len(same), 3),
        "first_token_ratio": round(statistics.median(firsts), 4),
        **{name: _figures(answers[name], spent[name]) for name in systems},
    }


def _figures(answers: Sequence[_Answer], spent_s: float) -> dict[str, float]:
    after_first = [each for each in answers if each.tokens > 1]
    written = sum(each.tokens - 1 for each in after_first)
    writing_s = sum(each.total_s - each.first_s for each in after_first)
    return {
        "first_token_s": round(statistics.median(each.first_s for each in answers), 5),
        "tokens_per_second": round(written / writing_s, 2),
        "throughput": round(sum(each.tokens for each in answers) / spent_s, 2),
    }


def _rows(callers: int, figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (
            str(callers),
            name,
            f"{1000 * figures[name]['first_token_s']:.1f}",
            f"{figures[name]['tokens_per_second']:.1f}",
        )
        for name in ("voicemesh", "xllamacpp")
    ]


def _checks(callers: int, figures: dict[str, Any]) -> list[Check]:
    who = "one caller" if callers == 1 else f"{callers} callers"
    ours, theirs = figures["voicemesh"], figures["xllamacpp"]
    return [
        Check.at_most(
            f"first token through gRPC, times that of xllamacpp, {who}",
            figures["first_token_ratio"],
            _MOST_OVERHEAD,
        ),
        Check.at_least(
            f"tokens a second through gRPC, times those of xllamacpp, {who}",
            ours["tokens_per_second"] / theirs["tokens_per_second"],
            _LEAST_SPEED,
        ),
    ]


async def _ask(trainer: Trainer, question: str) -> _Answer:
    options = GenerationOptions(max_output_tokens=_MOST_TOKENS, temperature=0.0)
    begun_s = time.perf_counter()
    first_s, text, tokens = None, "", 0
    history = [Turn(Role.USER, question)]
    async for event in trainer.generate(history, tenant="benchmark", options=options):
        if isinstance(event, GenerationDelta):
            if first_s is None:
                first_s = time.perf_counter() - begun_s
            text += event.text
        elif isinstance(event, GenerationFinished):
            tokens = event.usage.output_tokens
    total_s = time.perf_counter() - begun_s
    return _Answer(text.strip(), first_s or total_s, total_s, tokens)


@asynccontextmanager
async def _directly() -> AsyncIterator[Callable[[str], Awaitable[_Answer]]]:
    """llama.cpp in this process, set up as the service does by default."""
    with TemporaryDirectory() as directory:
        server = await asyncio.to_thread(_server, Path(directory) / "llama.sock")

        async def ask(question: str) -> _Answer:
            return await asyncio.to_thread(_complete, server, question)

        yield ask


def _server(socket: Path) -> Any:
    params = xllamacpp.CommonParams()
    directory = default_models_dir() / _MODEL
    params.model.path = str(next(directory.glob("*.gguf")))
    params.hostnames = [str(socket)]
    params.ui = False
    params.verbosity = -1
    params.n_ctx, params.n_parallel = _CONTEXT * _SLOTS, _SLOTS
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.swa_full = True
    params.fit_params = False
    params.cache_ram_mib = 256
    return xllamacpp.Server(params)


def _complete(server: Any, question: str) -> _Answer:
    request = {
        "prompt": line_prompt([ModelTurn(ModelRole.USER, question)], None),
        "stream": True,
        "cache_prompt": True,
        "max_tokens": _MOST_TOKENS,
        "stop": list(LINE_STOPS),
        "temperature": 0.0,
        "top_p": 0.95,
        "repeat_penalty": 1.06,
        "repeat_last_n": 48,
    }
    pieces: list[str] = []
    times_s: list[float] = []
    usage: list[int] = []

    def take(chunk: dict[str, Any]) -> bool:
        choice = chunk["choices"][0]
        if choice.get("text"):
            times_s.append(time.perf_counter())
            pieces.append(choice["text"])
        if chunk.get("usage"):
            usage.append(chunk["usage"]["completion_tokens"])
        return False

    begun_s = time.perf_counter()
    server.handle_completions(request, take)
    ended_s = time.perf_counter()
    first_s = (times_s[0] if times_s else ended_s) - begun_s
    return _Answer("".join(pieces).strip(), first_s, ended_s - begun_s, usage[-1])
