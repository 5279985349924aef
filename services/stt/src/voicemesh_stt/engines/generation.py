"""CTranslate2's encoder and decoder on batches: encoded in small groups, decoded together.

A bigger group does not fit into a CPU's cache and takes twice as long for each item; the decoder,
which reads all of its weights for every token, gains from company.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import ctranslate2
import numpy as np
import numpy.typing as npt

from voicemesh_stt.engines.hypotheses import TEMPERATURES, Attempt

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from voicemesh_stt.ports import Features

__all__ = ("Encoded", "Generator", "Wanted", "view")

Encoded: TypeAlias = npt.NDArray[Any]
"""What the encoder makes of a batch, [jobs, context frames / 2, width]."""

_LATEST_FIRST_TIME = 75
"""Whisper's first time is at most 1 s, here after half a second of silence, in units of 20 ms."""
_MODEL_TOKENS = 448


@dataclass(frozen=True)
class Wanted:
    """How one job of a batch is to be decoded."""

    prompt: list[int]
    """Tokens before the speech; as many for each job of a batch."""
    budget: int
    """Most tokens to write."""
    attempts: int
    """How many of the temperatures may be tried while what was written is not believed."""
    cancelled: threading.Event
    """Set when nobody wants it any more."""


def view(encoded: Encoded) -> ctranslate2.StorageView:
    """An array as CTranslate2 takes it; it shares the array's memory."""
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(encoded))


class Generator:
    """Thread-safe: as many calls run at once as the model has workers."""

    def __init__(
        self,
        model: ctranslate2.models.Whisper,
        suppressed: list[int],
        text_of: Callable[[Sequence[int]], str],
        most_frames: int,
    ) -> None:
        """Makes it.

        Args:
            model: the model.
            suppressed: tokens never to be written.
            text_of: the words of tokens.
            most_frames: most frames of audio context that are encoded together.
        """
        self._model = model
        self._suppressed = suppressed
        self._text_of = text_of
        self._most_frames = most_frames

    def encode(self, features: Sequence[Features]) -> tuple[Encoded, float]:
        """The encoder's output for features of one context, and how many seconds it took."""
        begun_s = time.perf_counter()
        group = max(1, self._most_frames // features[0].shape[-1])
        parts = [
            # Through the host's memory, so that later steps can choose among the items.
            np.array(self._model.encode(view(np.stack(features[at : at + group])), to_cpu=True))
            for at in range(0, len(features), group)
        ]
        encoded = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return encoded, time.perf_counter() - begun_s

    def decode(
        self, encoded: Encoded, wanted: Sequence[Wanted], beam_size: int
    ) -> list[list[Attempt]]:
        """The attempts at each job, none for one that was cancelled before the first.

        Only those whose last attempt is not believed are tried again, together.
        """
        found: list[list[Attempt]] = [[] for _ in wanted]
        going = list(range(len(wanted)))
        for number, temperature in enumerate(TEMPERATURES):
            going = [
                item
                for item in going
                if number < wanted[item].attempts and not wanted[item].cancelled.is_set()
            ]
            if not going:
                break
            jobs = [wanted[item] for item in going]
            tries = self._attempt(encoded[going], jobs, temperature, beam_size)
            for item, attempt in zip(going, tries, strict=True):
                found[item].append(attempt)
            going = [item for item in going if not _is_settled(found[item][-1])]
        return found

    def _attempt(
        self, encoded: Encoded, wanted: Sequence[Wanted], temperature: float, beam_size: int
    ) -> list[Attempt]:
        budget = max(job.budget for job in wanted)
        # As in the reference, a beam where the likeliest is sought, a draw where it is not; but one
        # draw and not the best of five, which all of the batch would wait for.
        how: dict[str, Any] = (
            {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature}
            if temperature > 0
            else {"beam_size": beam_size}
        )
        results = self._model.generate(
            view(encoded),
            [job.prompt for job in wanted],
            # CTranslate2 writes at most half of it, and no more than it leaves after the prompt.
            max_length=min(_MODEL_TOKENS, max(2 * budget, len(wanted[0].prompt) + budget)),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_blank=True,
            suppress_tokens=self._suppressed,
            max_initial_timestamp_index=_LATEST_FIRST_TIME,
            **how,
        )
        return [self._judged(each, job.budget) for each, job in zip(results, wanted, strict=True)]

    def _judged(self, result: Any, budget: int) -> Attempt:
        tokens: list[int] = result.sequences_ids[0]
        # The score is the mean over the tokens written; the reference counts the end as well.
        log_probability = result.scores[0] * len(tokens) / (len(tokens) + 1)
        kept = tokens[:budget]  # the same words as if it had been alone
        return Attempt(
            tokens=kept,
            text=self._text_of(kept).strip(),
            log_probability=float(log_probability),
            no_speech=float(result.no_speech_prob),
            was_cut=len(tokens) >= budget,
        )


def _is_settled(attempt: Attempt) -> bool:
    return attempt.is_believed or attempt.is_silence or attempt.is_said_again
