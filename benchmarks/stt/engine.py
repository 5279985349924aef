"""Why the engine is driven as it is: `python -m benchmarks.stt.engine` (about 5 minutes).

Measures CTranslate2's Whisper without any service around it: what the audio context given to the
encoder, what it is padded with and silence before the audio do to the words; and what threads,
workers and batches do to the throughput. Decisions 0007 and 0008 rest on it.
"""

from __future__ import annotations

import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

from benchmarks.report import Report, print_table
from benchmarks.stt.corpus import Corpus, Utterance, joined, noisy
from benchmarks.stt.peers import model_directory
from benchmarks.words import word_error_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ("main",)

_FULL = 3_000
_BEAM = 5
_SPARE_FRAMES = 200
_ENCODED_TOGETHER = 2
_LEAST_CONTEXTS = (600, 800, 1_000, 1_250, 1_500, _FULL)
_CONTEXT = 1_000
_LEAD_SAMPLES = 8_000
"""Half a second of silence before the audio."""
_BATCHES = (1, 4, 8, 16)


@dataclass(frozen=True)
class Engine:
    """A loaded model."""

    whisper: Any
    tokenizer: Any
    workers: int

    @classmethod
    def load(cls, threads: int, workers: int) -> Engine:
        """So many workers, of so many threads each."""
        whisper = WhisperModel(
            str(model_directory()),
            device="cpu",
            compute_type="int8",
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
        return cls(whisper, Tokenizer(whisper.hf_tokenizer, multilingual=False), workers)

    def features(
        self, utterance: Utterance, frames: int, *, floor: bool = True, lead: bool = True
    ) -> npt.NDArray[np.float32]:
        """Log-mel features [80, frames], padded with the floor of the audio or with 0."""
        audio = np.pad(utterance.audio, (_LEAD_SAMPLES if lead else 0, 0))
        found = self.whisper.feature_extractor(audio)[:, :frames]
        padding = float(found.max()) - 2 if floor else 0.0
        missing = ((0, 0), (0, frames - found.shape[1]))
        padded: npt.NDArray[np.float32] = np.pad(found, missing, constant_values=padding)
        return padded.astype(np.float32)

    def texts(self, batch: Sequence[npt.NDArray[np.float32]], together: int) -> list[str]:
        """The words of a batch, encoded `together` at a time and decoded at once."""
        model = self.whisper.model
        parts = [
            np.asarray(model.encode(StorageView.from_array(np.stack(batch[at : at + together]))))
            for at in range(0, len(batch), together)
        ]
        prompt = list(self.tokenizer.sot_sequence)
        results = model.generate(
            StorageView.from_array(np.concatenate(parts)),
            [prompt] * len(batch),
            beam_size=_BEAM,
            max_length=len(prompt) + 120,
            suppress_tokens=[-1],
        )
        return [self.tokenizer.decode(result.sequences_ids[0]) for result in results]

    def heard(
        self, utterances: Sequence[Utterance], least: int, *, floor: bool, lead: bool
    ) -> list[str]:
        """The words of all, with contexts of at least `least` frames, in batches of 4."""
        contexts = [_context(utterance, least, lead=lead) for utterance in utterances]
        order = sorted(range(len(utterances)), key=lambda index: contexts[index])
        batches = [
            [index for index in order if contexts[index] == context][at : at + 4]
            for context in sorted(set(contexts))
            for at in range(0, contexts.count(context), 4)
        ]

        def words(batch: list[int]) -> list[str]:
            frames = contexts[batch[0]]
            made = [
                self.features(utterances[index], frames, floor=floor, lead=lead) for index in batch
            ]
            return self.texts(made, _ENCODED_TOGETHER)

        found = [""] * len(utterances)
        with ThreadPoolExecutor(self.workers) as threads:
            for batch, texts in zip(batches, threads.map(words, batches), strict=True):
                for index, text in zip(batch, texts, strict=True):
                    found[index] = text
        return found


def _context(utterance: Utterance, least: int, *, lead: bool) -> int:
    samples = len(utterance.audio) + (_LEAD_SAMPLES if lead else 0)
    needed = max(least, samples // 160 + _SPARE_FRAMES)
    return min(_FULL, next(c for c in (*_LEAST_CONTEXTS, 2_000, 2_500, _FULL) if c >= needed))


def _measure_contexts(corpus: Corpus) -> dict[str, Any]:
    pairs = [joined(corpus.sentences[at : at + 2]) for at in range(0, len(corpus.sentences) - 1, 2)]
    clean = [*corpus.sentences, *pairs, *corpus.speech]
    sets = {
        "clean": clean,
        "20 dB": [noisy(utterance, 20, seed) for seed, utterance in enumerate(clean)],
    }
    engine = Engine.load(1, len(os.sched_getaffinity(0)))
    spoken = [utterance.text for utterance in clean]
    rows, figures = [], {}
    for least in _LEAST_CONTEXTS:
        for how, floor, lead in (
            ("zeros after it", False, False),
            ("silence after it", True, False),
            ("silence around it", True, True),
        ):
            rates = {
                name: word_error_rate(spoken, engine.heard(said, least, floor=floor, lead=lead))
                for name, said in sets.items()
            }
            figures[f"{least / 100:g} s, {how}"] = rates
            rows.append((f"{least / 100:g} s", how, *(f"{r:.2f} %" for r in rates.values())))
    print_table(("least context", "audio, with", *(f"errors, {name}" for name in sets)), rows)
    return figures


def _measure_batches(corpus: Corpus) -> dict[str, Any]:
    said = [sentence for sentence in corpus.sentences if sentence.seconds < 8][:64]
    cores = len(os.sched_getaffinity(0))
    rows: list[tuple[object, ...]] = []
    figures: dict[str, Any] = {}
    for threads, workers in ((cores, 1), (1, cores)):
        engine = Engine.load(threads, workers)
        made = [engine.features(utterance, _CONTEXT) for utterance in said]
        engine.texts(made[:1], 1)
        name = f"{workers} x {threads}"
        figures[name] = {"one_s": round(_one_s(engine, made), 4)}
        for size in _BATCHES:
            for together in sorted({min(size, _ENCODED_TOGETHER), size}):
                rate = _rate(engine, made, size, together)
                figures[name][f"batch {size}, encoded by {together}"] = round(rate, 2)
                rows.append((name, size, together, f"{rate:.1f}"))
        rows.append((name, "alone", "", f"{figures[name]['one_s'] * 1e3:.0f} ms each"))
    print_table(("workers x threads", "decoded together", "encoded together", "a second"), rows)
    return figures


def _one_s(engine: Engine, made: Sequence[npt.NDArray[np.float32]]) -> float:
    taken = []
    for features in made[:15]:
        begun = time.perf_counter()
        engine.texts([features], 1)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _rate(
    engine: Engine, made: Sequence[npt.NDArray[np.float32]], size: int, together: int
) -> float:
    batches = [made[at : at + size] for at in range(0, len(made), size)]
    with ThreadPoolExecutor(engine.workers) as threads:
        begun = time.perf_counter()
        list(threads.map(lambda batch: engine.texts(batch, together), batches))
        return len(made) / (time.perf_counter() - begun)


def main() -> None:
    """Measures, prints, and writes `results/stt-engine.json`."""
    corpus = Corpus.load()
    report = Report("stt-engine", ("faster-whisper", "ctranslate2", "numpy"))
    report.measurements["batches_per_s"] = _measure_batches(corpus)
    report.measurements["contexts_word_error_rate_percent"] = _measure_contexts(corpus)
    print(f"\nwritten to {report.write()}")


if __name__ == "__main__":
    main()
