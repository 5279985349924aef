"""When each word was said, by the model's attention; aligned for a whole batch at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from faster_whisper import WhisperModel

from voicemesh_stt.domain import Word
from voicemesh_stt.engines.generation import Encoded, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faster_whisper.tokenizer import Tokenizer

    from voicemesh_stt.engines.hypotheses import Span
    from voicemesh_stt.ports import Prepared

__all__ = ("with_word_times",)

_OPENING = "\"'“¿([{-"
_CLOSING = "\"'.。,，!！?？:：”)]}、"
"""Marks that belong to the word after and before them, as in the reference."""


class _Aligned:
    """Stands in for the model where faster-whisper fits alignments to one item's segments.

    Its function aligns a batch but then carries the end of one item's speech over to the next one,
    so that it is called for one item at a time, with an alignment that has been made before.
    """

    def __init__(self, whisper: WhisperModel, alignment: list[dict[str, Any]]) -> None:
        self.frames_per_second = whisper.frames_per_second
        self._alignment = alignment

    def find_alignment(self, *_: object) -> list[list[dict[str, Any]]]:
        return [self._alignment]


def with_word_times(
    whisper: WhisperModel,
    tokenizer: Tokenizer,
    encoded: Encoded,
    items: Sequence[Sequence[Span]],
    prepared: Sequence[Prepared],
) -> list[list[Span]]:
    """The spans of each item of a batch, with words.

    Args:
        whisper: the model.
        tokenizer: of the language and task of all items.
        encoded: the encoder's output for them.
        items: the spans of each.
        prepared: what was encoded.
    """
    texts = [[token for span in spans for token in span.tokens] for spans in items]
    frames = [each.audio_frames for each in prepared]
    alignments = whisper.find_alignment(tokenizer, texts, view(encoded), frames)
    return [
        _timed(whisper, tokenizer, spans, alignment, each.lead_s)
        for spans, alignment, each in zip(items, alignments, prepared, strict=True)
    ]


def _timed(
    whisper: WhisperModel,
    tokenizer: Tokenizer,
    spans: Sequence[Span],
    alignment: list[dict[str, Any]],
    lead_s: float,
) -> list[Span]:
    rows: list[dict[str, Any]] = [
        {
            "seek": 0,
            "start": span.start_s + lead_s,
            "end": span.end_s + lead_s,
            "tokens": list(span.tokens),
        }
        for span in spans
    ]
    WhisperModel.add_word_timestamps(
        _Aligned(whisper, alignment), [rows], tokenizer, None, 0, _OPENING, _CLOSING, 0.0
    )
    return [
        replace(
            span,
            start_s=_without(lead_s, row["start"]),
            end_s=_without(lead_s, row["end"]),
            words=tuple(_word(word, lead_s) for word in row["words"]),
        )
        for span, row in zip(spans, rows, strict=True)
    ]


def _word(word: dict[str, Any], lead_s: float) -> Word:
    return Word(
        word["word"].strip(),
        _without(lead_s, word["start"]),
        _without(lead_s, word["end"]),
        float(word["probability"]),
    )


def _without(lead_s: float, at_s: float) -> float:
    return max(0.0, float(at_s) - lead_s)
