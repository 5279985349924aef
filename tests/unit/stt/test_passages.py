"""Passages of several pieces, with a fake for what hears them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from voicemesh_stt.chunks import Chunk
from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel
from voicemesh_stt.errors import JobExpiredError, QueueFullError
from voicemesh_stt.passages import Passage, hear
from voicemesh_stt.ports import Job, Lane, Recognition
from voicemesh_stt.scribe import Asking, expected_language

pytestmark = pytest.mark.unit

FRAMES = 100
PIECE_S = FRAMES * 0.032


@dataclass
class Gated:
    """Lets a piece go when it is told to; the words are the number that its audio is made of."""

    jobs: list[Job] = field(default_factory=list)
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    cancelled: int = 0
    silent: frozenset[int] = frozenset()
    failing: frozenset[int] = frozenset()
    full: int = 0

    def gate(self, number: int) -> asyncio.Event:
        return self.gates.setdefault(number, asyncio.Event())

    async def transcribe(self, job: Job) -> Recognition:
        number = int(job.audio[0])
        if self.full and self.jobs:
            self.full -= 1
            raise QueueFullError("full", retry_after_s=0.001)
        self.jobs.append(job)
        try:
            await self.gate(number).wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if number in self.failing:
            raise RuntimeError("broken")
        words = () if number in self.silent else (Segment(0.0, 1.0, f" {number}", 0.9),)
        return Recognition(words, Language("ru", 0.8))


def passage(pieces: int) -> Passage:
    audio = np.repeat(np.arange(pieces, dtype=np.float32), FRAMES * 512)
    chunks = [Chunk(n * FRAMES, (n + 1) * FRAMES, FRAMES) for n in range(pieces)]
    return Passage(audio, chunks)


def asking(
    language: str | None = "en", lane: Lane = Lane.BULK, timeout_s: float = 5.0, **fields: object
) -> Asking:
    options = RecognitionOptions(language=language)
    return Asking(options, lane, time.monotonic() + timeout_s, **fields)  # type: ignore[arg-type]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_pieces_wait_together_and_their_words_come_in_order() -> None:
    transcriber = Gated()
    hearing = asyncio.ensure_future(hear(transcriber, passage(12), asking()))
    await settle()
    waiting = len(transcriber.jobs)
    for number in reversed(range(12)):
        transcriber.gate(number).set()
        await settle()
    heard = await hearing

    assert waiting == 8
    assert heard.text == " ".join(map(str, range(12)))
    assert [s.start_s for s in heard.segments] == pytest.approx([n * PIECE_S for n in range(12)])


async def test_the_first_piece_with_words_decides_the_language() -> None:
    transcriber = Gated(silent=frozenset({0}))
    hearing = asyncio.ensure_future(hear(transcriber, passage(4), asking(None)))
    told = []
    for number in range(4):
        await settle()
        told.append(len(transcriber.jobs))
        transcriber.gate(number).set()
    heard = await hearing

    assert told == [1, 2, 4, 4]
    assert [job.options.language for job in transcriber.jobs] == [None, None, "ru", "ru"]
    assert heard.language == Language("ru", 0.8)


async def test_one_piece_that_fails_ends_the_others() -> None:
    transcriber = Gated(failing=frozenset({2}))
    transcriber.gate(2).set()
    with pytest.raises(RuntimeError, match="broken"):
        await hear(transcriber, passage(5), asking())

    assert transcriber.cancelled == 4


async def test_cancelling_ends_all_pieces() -> None:
    transcriber = Gated()
    hearing = asyncio.ensure_future(hear(transcriber, passage(3), asking()))
    await settle()
    hearing.cancel()
    await asyncio.wait([hearing])

    assert transcriber.cancelled == 3


async def test_a_recording_waits_for_room_and_a_live_turn_does_not() -> None:
    transcriber = Gated(full=3)
    for number in range(3):
        transcriber.gate(number).set()

    heard = await hear(transcriber, passage(3), asking())
    transcriber.full = 1
    with pytest.raises(QueueFullError):
        await hear(transcriber, passage(3), asking(lane=Lane.LIVE))

    assert heard.text == "0 1 2"


async def test_the_pieces_of_one_turn_do_not_replace_each_other() -> None:
    transcriber = Gated()
    for number in range(3):
        transcriber.gate(number).set()
    await hear(transcriber, passage(3), asking(lane=Lane.LIVE, turn="t", caller="c"))

    assert len({job.turn for job in transcriber.jobs}) == 3
    assert transcriber.jobs[0].turn == "t"
    assert {job.caller for job in transcriber.jobs} == {"c"}


async def test_nothing_is_asked_after_the_deadline() -> None:
    transcriber = Gated()
    with pytest.raises(JobExpiredError):
        await hear(transcriber, passage(1), asking(timeout_s=-1.0))

    assert transcriber.jobs == []


def test_a_model_with_one_language_need_not_detect_it() -> None:
    english = SpeechModel("fake", ("en",), "none", "none")
    polyglot = SpeechModel("fake", ("en", "ru"), "none", "none")

    assert expected_language(RecognitionOptions(), english).language == "en"
    assert expected_language(RecognitionOptions(), polyglot).language is None
