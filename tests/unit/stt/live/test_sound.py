"""The end-of-turn model is asked on the audio threads, and done without where it is not at hand."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from voicemesh_stt.live.sound import TurnSound
from voicemesh_stt.ports import Samples

pytestmark = pytest.mark.unit

AUDIO = np.zeros(512, dtype=np.float32)


class Judge:
    """Says how long the audio is, in frames, once it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.threads: set[str] = set()

    def probability(self, audio: Samples) -> float:
        self.threads.add(threading.current_thread().name)
        if not self.may.wait(10):
            raise TimeoutError
        return 0.25


class Broken:
    """Fails."""

    def probability(self, audio: Samples) -> float:
        raise RuntimeError


async def test_it_runs_on_the_threads_it_was_given() -> None:
    judge = Judge()
    judge.may.set()
    with ThreadPoolExecutor(1, thread_name_prefix="audio") as threads:
        assert await TurnSound(lambda: judge, threads).probability(AUDIO) == 0.25

    assert judge.threads == {"audio_0"}


async def test_without_a_model_nothing_is_said() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert await TurnSound(lambda: None, threads).probability(AUDIO) is None


async def test_a_model_that_fails_leaves_it_to_timing() -> None:
    with ThreadPoolExecutor(1) as threads:
        assert await TurnSound(Broken, threads).probability(AUDIO) is None


async def test_questions_that_would_be_answered_too_late_are_not_asked() -> None:
    judge = Judge()
    with ThreadPoolExecutor(1) as threads:
        sound = TurnSound(lambda: judge, threads)
        asked = [asyncio.ensure_future(sound.probability(AUDIO)) for _ in range(10)]
        done, waiting = await asyncio.wait(asked, timeout=0.05)
        early = [task.result() for task in done]
        judge.may.set()
        late = await asyncio.gather(*waiting)
        after = await sound.probability(AUDIO)

    assert len(early) == 4
    assert set(early) == {None}
    assert late == [0.25] * 6
    assert after == 0.25
