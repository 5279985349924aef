"""What is kept of what Whisper says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voicemesh_stt.engines.whisper import _segment

pytestmark = pytest.mark.unit


def test_times_beyond_the_audio_are_brought_back_to_its_end() -> None:
    word = SimpleNamespace(word=" hello", start=2.5, end=2.9, probability=0.9)
    said: Any = SimpleNamespace(start=2.4, end=3.0, text=" hello", avg_logprob=-0.1, words=[word])

    segment = _segment(said, audio_s=2.0, repetitive=False)

    assert (segment.start_s, segment.end_s) == (2.0, 2.0)
    assert (segment.words[0].start_s, segment.words[0].end_s) == (2.0, 2.0)
