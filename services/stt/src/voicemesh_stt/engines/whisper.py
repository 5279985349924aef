"""Words by Whisper, on CTranslate2: batches of jobs of different callers.

faster-whisper loads the model and lends its tokenizer, features and word times; its loop over one
recording has no place here. What a batch goes through, and where it is written down:

    features ─▶ encoder ─▶ language ─▶ prompts ─▶ decoder ─▶ hypotheses ─▶ alignment
    (feature thread)        (all on the engine's thread, for the batch as a whole)
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from faster_whisper import WhisperModel

from voicemesh_stt.domain import Language, RecognitionOptions, SpeechModel, Task
from voicemesh_stt.engines import hypotheses
from voicemesh_stt.engines.alignment import with_word_times
from voicemesh_stt.engines.features import FULL_FRAMES, LogMel, log_mel
from voicemesh_stt.engines.generation import Encoded, Generator, Wanted, view
from voicemesh_stt.engines.hypotheses import TEMPERATURES, Attempt, Span
from voicemesh_stt.engines.prompts import ENGLISH, Prompts, bcp47, whisper_code
from voicemesh_stt.engines.resources import resources
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ, Again, Job, Lane, Prepared, Recognition, Worked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ("WhisperEngine", "WhisperPlace")

_LIVE_ATTEMPTS = 3
"""Temperatures for live work. The reference goes on to 1.0; that high, the words are invented, and
a live turn waits for them."""
_WHOLE_S = FULL_FRAMES / 100
_WARM_TIMEOUT_S = 600.0
_UNLOAD_PATIENCE_S = 10.0
"""How long unloading waits for calls in progress, whose callers are gone."""
_UNLOAD_PAUSE_S = 0.01


@dataclass(frozen=True)
class WhisperPlace:
    """Where a model lies and what it is to run on."""

    name: str
    """The name that requests use."""
    directory: Path
    """Directory of a CTranslate2 Whisper model."""
    license: str
    """Name of its licence."""
    device: str = "auto"
    """`cpu`, `cuda`, or `auto` for the better one that is there."""
    compute_type: str = "auto"
    """CTranslate2's name of the arithmetic; `auto` is int8 on a CPU and float16 on a GPU."""
    threads: int = 0
    """Threads of each worker on a CPU; 0 for as many as pays."""
    workers: int = 0
    """Batches that run at once; 0 for as many as pays."""
    most_in_batch: int = 0
    """Most jobs in a batch; 0 for as many as pays."""
    min_context_s: float = 10.0
    """Shortest audio context, in seconds; 30 is Whisper's own."""


@dataclass(frozen=True)
class _Decoded:
    """What is known of one job once the decoder is done with it."""

    attempt: Attempt
    language: Language
    spans: Sequence[Span]


class WhisperEngine:
    """An `Engine`. Loads in `__init__`, which takes from a tenth of a second to many."""

    def __init__(self, place: WhisperPlace) -> None:
        """Loads the model.

        Raises:
            RuntimeError: if the files are not such a model, or the device cannot be used.
            ValueError: if the device cannot do that arithmetic.
            OSError: if a file cannot be read.
        """
        weights = place.directory / "model.bin"
        self._runs_on = resources(
            weights,
            place.device,
            place.compute_type,
            place.workers,
            place.threads,
            place.most_in_batch,
        )
        self._whisper = WhisperModel(
            str(place.directory),
            device=self._runs_on.device,
            compute_type=self._runs_on.compute_type,
            cpu_threads=self._runs_on.threads,
            num_workers=self._runs_on.workers,
            local_files_only=True,
        )
        self._multilingual: bool = self._whisper.model.is_multilingual
        self._prompts = Prompts(self._whisper.hf_tokenizer, multilingual=self._multilingual)
        words = self._prompts.tokenizer(ENGLISH, Task.TRANSCRIBE)
        self._first_time: int = words.timestamp_begin
        self._text_of = words.decode
        self._generator = Generator(
            self._whisper.model,
            self._prompts.suppressed,
            self._text_of,
            self._runs_on.most_frames,
        )
        self._calls = 0
        self._changed = threading.Condition()
        self._min_context_s = place.min_context_s
        # The workers share the weights, and the catalogue's files hold them in 16 bits.
        widened = 2 if self._runs_on.compute_type == "float32" else 1
        self._memory_bytes = weights.stat().st_size * widened
        self._model = SpeechModel(
            name=place.name,
            language_codes=tuple(sorted(bcp47(code) for code in self._whisper.supported_languages)),
            license=place.license,
            device=f"{self._runs_on.device} {self._runs_on.compute_type}",
        )

    @property
    def model(self) -> SpeechModel:
        """What it is."""
        return self._model

    @property
    def workers(self) -> int:
        """Batches that run at once."""
        return self._runs_on.workers

    @property
    def most_in_batch(self) -> int:
        """Most jobs in one batch."""
        return self._runs_on.most_in_batch

    @property
    def memory_bytes(self) -> int:
        """Memory that the weights take up, in bytes."""
        return self._memory_bytes

    def warm(self) -> None:
        """Lets each worker do a second of silence, so that no caller pays for first use."""
        silence = np.zeros(SAMPLE_RATE_HERTZ, dtype=np.float32)
        job = Job(silence, RecognitionOptions(language=ENGLISH), Lane.LIVE, _WARM_TIMEOUT_S)
        batch = [self.prepare(job)]
        with ThreadPoolExecutor(self.workers) as threads:
            for _ in threads.map(self.recognise, [batch] * self.workers):
                pass

    def unload(self) -> None:
        """Frees the memory, once calls in progress are done; the engine is of no use after it.

        If one of them takes longer than 10 s, the memory goes with the last reference instead.
        """
        patient_until_s = time.monotonic() + _UNLOAD_PATIENCE_S
        with self._changed:
            self._changed.wait_for(lambda: self._calls == 0, _UNLOAD_PATIENCE_S)
        # CTranslate2 does nothing while it takes the model to be in use, and does not say so; and
        # it takes it to be in use until a moment after the call.
        self._whisper.model.unload_model()
        while self._whisper.model.model_is_loaded and time.monotonic() < patient_until_s:
            time.sleep(_UNLOAD_PAUSE_S)
            self._whisper.model.unload_model()

    def prepare(self, job: Job) -> Prepared:
        """`job` with its features; see `ports.Engine`."""
        heard = log_mel(self._whisper.feature_extractor, job.audio)
        return self._prepared(job, heard.in_context(self._min_context_s))

    def recognise(self, batch: Sequence[Prepared]) -> Worked:
        """The words of each job; see `ports.Engine`."""
        with self._in_use():
            return self._recognised(batch)

    def _recognised(self, batch: Sequence[Prepared]) -> Worked:
        encoded, encoder_s = self._generator.encode([each.features for each in batch])
        begun_s = time.perf_counter()
        languages = self._languages(batch, encoded)
        wanted = [self._wanted(*each) for each in zip(batch, languages, strict=True)]
        beam_size = batch[0].job.options.beam_size
        attempts = self._generator.decode(encoded, wanted, beam_size)
        decoded = [
            self._decoded(job, language, tries)
            for job, language, tries in zip(batch, languages, attempts, strict=True)
        ]
        self._add_word_times(batch, encoded, decoded)
        outcomes = [self._outcome(*each) for each in zip(batch, decoded, strict=True)]
        return Worked(outcomes, encoder_s, time.perf_counter() - begun_s)

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        """Keeps `unload` from what runs: between two of its steps the model would seem idle."""
        with self._changed:
            self._calls += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._calls -= 1
                self._changed.notify_all()

    def _prepared(self, job: Job, heard: LogMel) -> Prepared:
        options = job.options
        prompt = len(self._prompts.before(options))
        key: tuple[int, ...] = (heard.features.shape[1], options.beam_size, prompt)
        key = (*key, options.word_timestamps)
        return Prepared(job, heard.features, heard.audio_frames, heard.lead_frames, key)

    def _languages(self, batch: Sequence[Prepared], encoded: Encoded) -> list[Language]:
        """The language of each job in BCP-47: told, the model's only one, or detected."""
        found = [Language(each.job.options.language or ENGLISH, 1.0) for each in batch]
        asked = [at for at, each in enumerate(batch) if each.job.options.language is None]
        if self._multilingual and asked:
            ranked = self._whisper.model.detect_language(view(encoded[asked]))
            for at, [(token, probability), *_] in zip(asked, ranked, strict=True):
                found[at] = Language(bcp47(token[2:-2]), min(1.0, float(probability)))
        return found

    def _wanted(self, each: Prepared, language: Language) -> Wanted:
        job, code = each.job, whisper_code(language.code)
        if _is_short(each):
            attempts = 1  # what then fails is worth the whole context before another temperature
        else:
            attempts = len(TEMPERATURES) if job.lane is Lane.BULK else _LIVE_ATTEMPTS
        return Wanted(
            self._prompts.prompt(job.options, code),
            self._prompts.budget(job.options, code, job.audio_s),
            attempts,
            job.cancelled,
        )

    def _decoded(
        self, each: Prepared, language: Language, attempts: Sequence[Attempt]
    ) -> _Decoded | None:
        """What to make of the attempts; None if nobody wants it any more."""
        if not attempts:
            return None
        chosen = hypotheses.best(attempts)
        spans = hypotheses.spans(
            chosen.tokens, self._first_time, each.job.audio_s, lead_s=each.lead_s
        )
        return _Decoded(chosen, language, spans)

    def _add_word_times(
        self, batch: Sequence[Prepared], encoded: Encoded, decoded: list[_Decoded | None]
    ) -> None:
        """Puts words into the spans of those who asked for them; one run for each language."""
        alike: dict[tuple[str, Task], list[int]] = {}
        for at, (each, done) in enumerate(zip(batch, decoded, strict=True)):
            options = each.job.options
            if options.word_timestamps and done and done.spans and not self._needs_more(each, done):
                alike.setdefault((done.language.code, options.task), []).append(at)
        for (code, task), places in alike.items():
            timed = with_word_times(
                self._whisper,
                self._prompts.tokenizer(whisper_code(code), task),
                encoded[places],
                [done.spans for at in places if (done := decoded[at])],
                [batch[at] for at in places],
            )
            for at, spans in zip(places, timed, strict=True):
                done = decoded[at]
                decoded[at] = replace(done, spans=spans) if done else None

    def _needs_more(self, each: Prepared, done: _Decoded) -> bool:
        return _is_short(each) and not done.attempt.is_believed_of_short_context

    def _outcome(self, each: Prepared, done: _Decoded | None) -> Recognition | Again:
        if done is None:
            return Recognition((), Language(each.job.options.language or ENGLISH, 1.0))
        parts = [(span, self._text_of(span.tokens)) for span in done.spans]
        heard = hypotheses.segments(done.attempt, parts, each.job.audio_s)
        found = Recognition(heard, done.language)
        if not self._needs_more(each, done):
            return found
        given = LogMel(each.features, each.audio_frames, each.lead_frames)
        return Again(self._prepared(each.job, given.in_context(_WHOLE_S)), found)


def _is_short(each: Prepared) -> bool:
    return bool(each.features.shape[1] < FULL_FRAMES)
