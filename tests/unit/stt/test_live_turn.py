"""The words of one turn."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from voicemesh_stt.chunks import Chunk
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.events import SpeechStarted, TurnEvent
from voicemesh_stt.live_turn import LiveTurn, TurnParts
from voicemesh_stt.outbox import Outbox
from voicemesh_stt.passages import Passage
from voicemesh_stt.ports import Job, Recognition
from voicemesh_stt.turns import Resumed, SoftStopped, TurnOpened

pytestmark = pytest.mark.unit


class Words:
    """A `Transcriber` that always hears the same."""

    async def transcribe(self, job: Job) -> Recognition:
        return Recognition((Segment(0.0, job.audio_s, " hello", 0.9),), Language("en", 1.0))


async def test_a_soft_final_that_did_not_get_out_is_not_taken_back() -> None:
    outbox = Outbox(bound=1)
    parts = TurnParts(
        transcriber=Words(),
        outbox=outbox,
        options=RecognitionOptions(),
        model=SpeechModel("fake", ("en",), "none", "none"),
        job_timeout_s=5.0,
        judge=lambda _turn, _revision, _verdict: None,
    )
    turn = LiveTurn(parts, TurnOpened(1, 0, 0))
    await turn.begin()  # now the outbox is full
    passage = Passage(np.zeros(5120, dtype=np.float32), [Chunk(0, 10, 10)])
    turn.prepare(SoftStopped(1, 1, 0, 10, 10), passage)
    for _ in range(10):  # until the soft final waits for room
        await asyncio.sleep(0)

    await asyncio.wait_for(turn.resume(Resumed(1, 1, 12)), timeout=5)
    await turn.aclose()
    outbox.close()

    events: list[TurnEvent] = [event async for event in outbox.events()]
    assert events == [SpeechStarted(1, 0, 0.0)]
