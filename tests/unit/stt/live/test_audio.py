"""What of a stream's audio goes to the engine."""

from __future__ import annotations

import numpy as np
import pytest

from voicemesh_stt.live.audio import TurnAudio
from voicemesh_stt.ports import FRAME_S

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("seconds", [5, 40])
def test_a_voice_that_the_caller_counts_as_one_is_kept_however_long_the_turn(seconds: int) -> None:
    audio = TurnAudio(start_threshold=0.2, end_threshold=0.05)
    frames = round(seconds / FRAME_S)
    for _ in range(frames):
        audio.append(np.zeros(512, dtype=np.float32), 0.3)

    passage = audio.passage(0, frames)

    assert sum(chunk.voiced_frames for chunk in passage.chunks) == frames


def test_frames_are_numbered_from_the_start_of_the_stream() -> None:
    audio = TurnAudio(0.5, 0.35)
    for number in range(10):
        audio.append(np.full(512, number, dtype=np.float32), 0.9)
    audio.forget(4)

    passage = audio.passage(5, 8)

    assert passage.audio[::512].tolist() == [5, 6, 7]
    assert passage.start_s == pytest.approx(5 * FRAME_S)


def test_a_voice_is_cut_where_it_is_weakest_and_not_at_a_single_dip() -> None:
    audio = TurnAudio(0.5, 0.35)
    probabilities = [0.9] * 100
    probabilities[30] = 0.1
    probabilities[60:66] = [0.3] * 6
    for probability in probabilities:
        audio.append(np.zeros(512, dtype=np.float32), probability)
    audio.forget(5)

    assert 61 <= audio.weakest(10, 95) <= 64


def test_the_sound_of_frames_is_theirs_also_after_some_were_forgotten_or_skipped() -> None:
    audio = TurnAudio(0.5, 0.35)
    for number in range(4):
        audio.append(np.full(512, number, dtype=np.float32), 0.9)
    audio.forget(1)
    before = audio.samples(2, 4)[::512].tolist()

    audio.skip(96)
    audio.append(np.full(512, 7, dtype=np.float32), 0.9)

    assert before == [2, 3]
    assert audio.samples(100, 101)[::512].tolist() == [7]
