"""The words of one turn."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from voicemesh_stt.chunks import Chunk
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.events import SoftFinal, SpeechStarted, TurnEvent
from voicemesh_stt.live.outbox import Outbox
from voicemesh_stt.live.turns import Resumed, SoftStopped, TurnOpened, Verdict
from voicemesh_stt.live.words import LiveTurn, TurnParts
from voicemesh_stt.passages import Passage
from voicemesh_stt.ports import Job, Recognition, Samples

pytestmark = pytest.mark.unit


class Words:
    """A `Transcriber` that always hears the same."""

    async def transcribe(self, job: Job) -> Recognition:
        return Recognition((Segment(0.0, job.audio_s, " hello", 0.9),), Language("en", 1.0))


async def silent(_audio: Samples) -> None:
    """Nothing judges the sound."""


async def test_a_soft_final_that_did_not_get_out_is_not_taken_back() -> None:
    outbox = Outbox(bound=1)
    parts = TurnParts(
        transcriber=Words(),
        outbox=outbox,
        options=RecognitionOptions(),
        model=SpeechModel("fake", ("en",), "none", "none"),
        job_timeout_s=5.0,
        judge=lambda _turn, _revision, _verdict: None,
        sound=silent,
        words_took=lambda _seconds: None,
        caller="stream",
    )
    turn = LiveTurn(parts, TurnOpened(1, 0, 0))
    await turn.begin()  # now the outbox is full
    passage = Passage(np.zeros(5120, dtype=np.float32), [Chunk(0, 10, 10)])
    turn.prepare(SoftStopped(1, 1, 0, 10, 10), passage, passage.audio)
    for _ in range(10):  # until the soft final waits for room
        await asyncio.sleep(0)

    await asyncio.wait_for(turn.resume(Resumed(1, 1, 12)), timeout=5)
    await turn.aclose()
    outbox.close()

    events: list[TurnEvent] = [event async for event in outbox.events()]
    assert events == [SpeechStarted(1, 0, 0.0)]


async def test_the_sound_is_judged_before_the_words_are_there() -> None:
    verdicts: list[tuple[int, int, Verdict]] = []
    words = asyncio.Event()

    class Slow(Words):
        async def transcribe(self, job: Job) -> Recognition:
            await words.wait()
            return await super().transcribe(job)

    async def complete(_audio: Samples) -> float:
        return 0.9

    outbox = Outbox()
    parts = TurnParts(
        transcriber=Slow(),
        outbox=outbox,
        options=RecognitionOptions(),
        model=SpeechModel("fake", ("en",), "none", "none"),
        job_timeout_s=5.0,
        judge=lambda turn, revision, verdict: verdicts.append((turn, revision, verdict)),
        sound=complete,
        words_took=lambda _seconds: None,
        caller="stream",
    )
    turn = LiveTurn(parts, TurnOpened(1, 0, 0))
    passage = Passage(np.zeros(5120, dtype=np.float32), [Chunk(0, 10, 10)])

    turn.prepare(SoftStopped(1, 1, 0, 10, 10), passage, passage.audio)
    for _ in range(10):
        await asyncio.sleep(0)
    early = list(verdicts)
    words.set()
    await turn.prepared()
    outbox.close()

    assert early == [(1, 1, Verdict.COMPLETE)]
    (soft,) = [event async for event in outbox.events()]
    assert isinstance(soft, SoftFinal)
    assert (soft.text, soft.end_of_turn_probability) == ("hello", 0.9)
