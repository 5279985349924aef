"""Whether what is spoken is understood: the stt service writes down what the systems say."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.report import Check, print_table
from benchmarks.tts.systems import PCM, hear
from benchmarks.tts.texts import at_once, sentences
from benchmarks.words import word_error_rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.report import Report
    from benchmarks.tts.systems import System
    from voicemesh_client.stt import SpeechToText

__all__ = ("measure_intelligibility",)

_ROUNDS = 3
"""The sound varies, and so do the errors: rounds differ by some tenths of a point."""
_AT_ONCE = 4
_MOST_POINTS = 0.5
_PEER = "piper"


async def measure_intelligibility(
    report: Report, systems: Mapping[str, System], stt: SpeechToText
) -> None:
    """Word error rates in percent of 200 sentences, each spoken three times by each system."""
    texts = sentences() * _ROUNDS
    rates = {
        name: word_error_rate(texts, await _understood(system, stt, texts))
        for name, system in systems.items()
    }
    report.measurements["word_error_rate_percent"] = {
        "sentences": len(texts),
        **{name: round(rate, 3) for name, rate in rates.items()},
    }
    for name, rate in rates.items():
        if name != _PEER:
            what = f"word error rate, {name}, points over Piper"
            report.checks.append(Check.at_most(what, rate - rates[_PEER], _MOST_POINTS))
    row = (len(texts), *(f"{rate:.2f} %" for rate in rates.values()))
    print_table(("sentences understood with errors", *systems), [row])


async def _understood(system: System, stt: SpeechToText, texts: list[str]) -> list[str]:
    room = asyncio.Semaphore(_AT_ONCE)

    async def understood(text: str) -> str:
        async with room:
            heard = await hear(system, at_once(text))
            return (await stt.transcribe(heard.samples.tobytes(), format=PCM)).text

    return await asyncio.gather(*map(understood, texts))
