"""Live streams at the pace of speech: when the words are final, and what each stream costs."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.callers import percentiles
from benchmarks.report import print_table
from benchmarks.stt.corpus import RATE_HERTZ, Corpus, Utterance
from benchmarks.stt.ours import PCM, Ours
from voicemesh_client.errors import OverloadedError, ServiceError
from voicemesh_client.turns import Final, SoftFinal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from benchmarks.report import Report

__all__ = ("measure_final", "measure_streams")

_FRAME = RATE_HERTZ // 50 * 2
_SILENCE_S = 2.0
_FEW = (1, 4, 8)
_MANY = (1, 2, 4, 8, 16, 32, 64)
_TURNS = 4
_MANY_S = 12.0


@dataclass
class Heard:
    """What the streams of one step were told."""

    words_s: list[float] = field(default_factory=list)
    """From the end of speech to the words that turned out final."""
    final_s: list[float] = field(default_factory=list)
    """From the end of speech to the final."""
    missing: int = 0
    """Turns without a final."""
    refused: int = 0
    """Streams that were refused, with the advice to come back."""
    failed: int = 0
    """Streams that ended in any other way than they should."""


async def measure_final(report: Report, ours: Ours, corpus: Corpus) -> None:
    """The delay that a speaker feels, at default settings, without partials."""
    rows, figures = [], {}
    for streams in _FEW:
        heard = await _step(ours, corpus, streams, turns=_TURNS)
        found = {"words": percentiles(heard.words_s), "final": percentiles(heard.final_s)}
        figures[str(streams)] = {**found, "missing": heard.missing}
        rows.append(
            (
                streams,
                *(
                    f"{found[of][part]:.2f} s"
                    for of in ("words", "final")
                    for part in ("p50", "p95")
                ),
            )
        )
    report.measurements["end_of_speech"] = figures
    print_table(("streams", "words p50", "words p95", "final p50", "final p95"), rows)


async def measure_streams(report: Report, ours: Ours, corpus: Corpus) -> None:
    """Cost against streams, with partials, until streams are refused."""
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for streams in _MANY:
        before_s, begun = await ours.service.cpu_s(), time.perf_counter()
        heard = await _step(ours, corpus, streams, turns=round(_MANY_S / 6), partials=True)
        spent = time.perf_counter() - begun
        cores = (await ours.service.cpu_s() - before_s) / spent
        final = percentiles(heard.final_s)
        figures[str(streams)] = {
            "cores": round(cores, 3),
            "final": final,
            "finals": len(heard.final_s),
            "missing": heard.missing,
            "refused": heard.refused,
            "failed": heard.failed,
        }
        rows.append(
            (
                *(streams, f"{cores:.2f}", len(heard.final_s), f"{final['p50']:.2f} s"),
                *(f"{final['p95']:.2f} s", heard.missing, heard.refused, heard.failed),
            )
        )
    report.measurements["streams"] = figures
    head = ("streams", "cores", "finals", "p50", "p95", "missing", "refused", "failed")
    print_table(head, rows)


async def _step(
    ours: Ours, corpus: Corpus, streams: int, *, turns: int, partials: bool = False
) -> Heard:
    """So many speakers at once, who begin within a second and a half of each other."""
    heard = Heard()
    usual = [sentence for sentence in corpus.sentences if 2 <= sentence.seconds <= 6]
    speakers = []
    for index in range(streams):
        said = [usual[(index * 7 + turn * 3) % len(usual)] for turn in range(turns)]
        speakers.append(_speaker(ours, said, heard, index * 1.5 / streams, partials=partials))
    await asyncio.gather(*speakers)
    return heard


async def _speaker(
    ours: Ours, said: Sequence[Utterance], heard: Heard, delay_s: float, *, partials: bool
) -> None:
    await asyncio.sleep(delay_s)
    ends_s: list[float] = []
    finals = 0
    soft: dict[tuple[int, int], float] = {}
    try:
        events = ours.stt.listen(_spoken(said, ends_s), format=PCM, partials=partials)
        async with aclosing(events):
            async for event in events:
                now = time.perf_counter()
                if isinstance(event, SoftFinal):
                    soft[event.turn_id, event.revision] = now
                elif isinstance(event, Final) and event.text:
                    finals += 1
                    ended = max((end for end in ends_s if end <= now), default=now)
                    heard.final_s.append(now - ended)
                    heard.words_s.append(soft.get((event.turn_id, event.revision), now) - ended)
    except OverloadedError:
        heard.refused += 1
        return
    except ServiceError:
        heard.failed += 1
    heard.missing += max(0, len(said) - finals)


async def _spoken(said: Sequence[Utterance], ends_s: list[float]) -> AsyncIterator[bytes]:
    """The utterances with silence after each, in pieces of 20 ms at the pace of speech."""
    silence = bytes(round(_SILENCE_S * RATE_HERTZ) * 2)
    clock = time.perf_counter()
    for utterance in said:
        end = _voice_end(utterance)
        pcm = utterance.pcm + silence
        for start in range(0, len(pcm), _FRAME):
            clock += _FRAME / 2 / RATE_HERTZ
            await asyncio.sleep(max(0.0, clock - time.perf_counter()))
            yield pcm[start : start + _FRAME]
            if start <= end * 2 < start + _FRAME:
                ends_s.append(time.perf_counter())


def _voice_end(utterance: Utterance) -> int:
    """The sample after which the utterance is as good as silent."""
    loud = np.flatnonzero(np.abs(utterance.audio) > 0.02 * np.abs(utterance.audio).max())
    return int(loud[-1])
