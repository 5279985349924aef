"""Words by faster-whisper (CTranslate2)."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ctranslate2
import numpy as np

from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel, Word
from voicemesh_stt.engines.short_context import FULL_FRAMES, ShortContextWhisper, context_frames
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ, Job, Recognition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from faster_whisper.transcribe import Segment as WhisperSegment

__all__ = ("WhisperEngine", "WhisperPlace")

_NO_SPEECH = 0.6
_LOG_PROBABILITY = -1.0
_COMPRESSION = 2.4
"""Thresholds of Whisper's reference implementation."""
_TEMPERATURES = (0.0, 0.2, 0.4)
"""Temperatures tried in turn while a threshold fails. The reference goes on to 1.0; that high, the
words are invented, and a live turn waits for them."""
_MOST_TOKENS = 200
"""Of 448 that the model can hold, less what comes before the speech."""
_PROMPT_TOKENS = 160
_HOTWORD_TOKENS = 60
"""Whisper takes 224 tokens before the speech; faster-whisper lets both together exceed that."""


_BCP47 = {"jw": "jv"}
"""Whisper's codes that are not BCP-47: Javanese."""
_WHISPER = {code: whisper for whisper, code in _BCP47.items()}


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
    """Threads on a CPU; 0 for one a core, at most 4."""


class WhisperEngine:
    """An `Engine`. Loads in `__init__`, which takes from a tenth of a second to many."""

    def __init__(self, place: WhisperPlace) -> None:
        """Loads the model.

        Raises:
            RuntimeError: if the files are not such a model, or the device cannot be used.
            ValueError: if the device cannot do that arithmetic.
        """
        device = place.device
        if device == "auto":
            device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        compute_type = place.compute_type
        if compute_type == "auto":
            compute_type = "float16" if device == "cuda" else "int8"
        self._whisper = ShortContextWhisper(
            str(place.directory),
            device=device,
            compute_type=compute_type,
            cpu_threads=place.threads or min(4, os.cpu_count() or 1),
            local_files_only=True,
        )
        self._model = SpeechModel(
            name=place.name,
            language_codes=tuple(
                sorted(_BCP47.get(code, code) for code in self._whisper.supported_languages)
            ),
            license=place.license,
            device=f"{device} {compute_type}",
        )

    @property
    def model(self) -> SpeechModel:
        """What it is."""
        return self._model

    def warm(self) -> None:
        """Decodes a second of silence, so that the first caller does not pay for first use."""
        segments, _ = self._whisper.transcribe(
            np.zeros(SAMPLE_RATE_HERTZ, dtype=np.float32), language="en", temperature=0.0
        )
        for _ in segments:
            pass

    def recognise(self, job: Job) -> Recognition:
        """The words of `job`; see `ports.Engine`."""
        window = context_frames(job.audio_s)
        if window < FULL_FRAMES:
            found, sound = self._attempt(job, window, _TEMPERATURES[:1])
            if sound or job.cancelled.is_set():
                return found
        return self._attempt(job, FULL_FRAMES, _TEMPERATURES)[0]

    def _attempt(
        self, job: Job, window: int, temperatures: Sequence[float]
    ) -> tuple[Recognition, bool]:
        """The words with that context, and whether they pass the thresholds."""
        options = job.options
        self._whisper.window = window
        segments, info = self._whisper.transcribe(
            job.audio,
            language=_WHISPER.get(options.language or "", options.language),
            task=options.task.value,
            beam_size=options.beam_size,
            best_of=1,
            temperature=temperatures,
            compression_ratio_threshold=_COMPRESSION,
            log_prob_threshold=_LOG_PROBABILITY,
            no_speech_threshold=_NO_SPEECH,
            # Text carried over is how one invented phrase becomes a page of them.
            condition_on_previous_text=False,
            initial_prompt=self._prompt(options),
            hotwords=self._hotwords(options),
            word_timestamps=options.word_timestamps,
            # A loop goes on for as long as it may; speech has fewer than twelve tokens a second.
            max_new_tokens=min(_MOST_TOKENS, 30 + round(12 * job.audio_s)),
        )
        language = Language(
            _BCP47.get(info.language, info.language), float(info.language_probability)
        )
        heard, sound = _heard(segments, job)
        return Recognition(heard, language), sound

    def _prompt(self, options: RecognitionOptions) -> list[int] | None:
        text = options.initial_prompt.strip()
        return self._tokens(f" {text}")[-_PROMPT_TOKENS:] if text else None

    def _hotwords(self, options: RecognitionOptions) -> str | None:
        kept: list[str] = []
        for word in options.hotwords:
            if len(self._tokens(" " + ", ".join([*kept, word]))) > _HOTWORD_TOKENS:
                break
            kept.append(word)
        return ", ".join(kept) or None

    def _tokens(self, text: str) -> list[int]:
        encoded: Any = self._whisper.hf_tokenizer.encode(text, add_special_tokens=False)
        ids: list[int] = encoded.ids
        return ids


def _heard(segments: Iterable[WhisperSegment], job: Job) -> tuple[tuple[Segment, ...], bool]:
    """The segments worth judging, and whether all pass the thresholds; the model works now."""
    heard: list[Segment] = []
    sound = True
    for segment in segments:
        if job.cancelled.is_set():
            break
        looping = segment.compression_ratio > _COMPRESSION
        unlikely = segment.avg_logprob < _LOG_PROBABILITY
        sound = sound and not (looping or unlikely)
        # A threshold may still fail at the last temperature. People do repeat themselves, so what
        # repeats and is likely is left to `plausibility`, which knows how much voice there was.
        if not (unlikely and (looping or segment.no_speech_prob > _NO_SPEECH)):
            heard.append(_segment(segment, job.audio_s, repetitive=looping))
    return tuple(heard), sound


def _segment(segment: WhisperSegment, audio_s: float, *, repetitive: bool) -> Segment:
    words = tuple(
        Word(word.word.strip(), min(word.start, audio_s), min(word.end, audio_s), word.probability)
        for word in segment.words or ()
    )
    return Segment(
        # The model counts in a window of 30 s and may point beyond the audio.
        start_s=min(segment.start, audio_s),
        end_s=min(segment.end, audio_s),
        text=segment.text,
        confidence=min(1.0, math.exp(segment.avg_logprob)),
        words=words,
        repetitive=repetitive,
    )
