"""Whether the words are as right as faster-whisper's at full context."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.report import Check, print_table
from benchmarks.stt.corpus import Corpus, Utterance, joined, noisy
from benchmarks.words import word_error_rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.report import Report
    from benchmarks.stt.peers import System

__all__ = ("measure_accuracy",)

_AT_ONCE = 8
_MOST_POINTS = 0.5


async def measure_accuracy(report: Report, systems: Mapping[str, System], corpus: Corpus) -> None:
    """Word error rates in percent, of all systems on all sets."""
    pairs = [joined(corpus.sentences[at : at + 2]) for at in range(0, len(corpus.sentences) - 1, 2)]
    clean = [*corpus.sentences, *pairs]
    sets = {
        "real speech": list(corpus.speech),
        "synthesised": clean,
        "synthesised, noise at 20 dB": _noisy(clean, 20),
        "synthesised, noise at 10 dB": _noisy(clean, 10),
    }
    rows, figures = [], {}
    for name, utterances in sets.items():
        rates = {system: await _rate(each, utterances) for system, each in systems.items()}
        figures[name] = {system: round(rate, 3) for system, rate in rates.items()}
        rows.append((name, len(utterances), *(f"{rate:.2f} %" for rate in rates.values())))
        worse = rates["voicemesh"] - rates["faster-whisper"]
        report.checks.append(
            Check.at_most(
                f"word error rate, {name}, points over faster-whisper", worse, _MOST_POINTS
            )
        )
    report.measurements["word_error_rate_percent"] = figures
    print_table(("word error rate", "utterances", *systems), rows)


async def _rate(system: System, utterances: Sequence[Utterance]) -> float:
    room = asyncio.Semaphore(_AT_ONCE)

    async def heard(utterance: Utterance) -> str:
        async with room:
            return await system.transcribe(utterance)

    texts = await asyncio.gather(*map(heard, utterances))
    return word_error_rate([utterance.text for utterance in utterances], texts)


def _noisy(utterances: Sequence[Utterance], ratio_db: float) -> list[Utterance]:
    return [noisy(utterance, ratio_db, seed) for seed, utterance in enumerate(utterances)]
