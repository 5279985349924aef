"""A spoken turn leaves a record with all its stages, a log that can be drawn, and captions."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from voicemesh_bot.conversation.commands import EndAudio, PlayAudio, ShowReplyEnd
from voicemesh_bot.conversation.events import Played
from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.record.event_log import EventLog
from voicemesh_bot.record.metrics import TurnMetrics
from voicemesh_bot.record.sessions import SessionRecords
from voicemesh_bot.session import Session, SessionOptions
from voicemesh_bot.transcripts.caption_feed import CaptionFeed
from voicemesh_bot.transcripts.notes import TranscriptNotes, TranscriptPlace
from voicemesh_chassis.metrics import new_registry
from voicemesh_client.replay import LoggedTurn, read_turns
from voicemesh_client.replay.bars import picture
from voicemesh_client.replay.chart import draw

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_bot.conversation.commands import FrontCommand
    from voicemesh_bot.ports import Backends

pytestmark = [
    pytest.mark.contract,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]

RATE_HERTZ = 16_000
PIECE_BYTES = RATE_HERTZ // 50 * 2
PERSON = "123456789012345678"


class Listener:
    """An audience that hears each sound at once, and waits for the end of the answer."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.ended = asyncio.Event()
        self.heard = ""

    async def deliver(self, command: FrontCommand) -> None:
        assert self.session is not None
        if isinstance(command, PlayAudio):
            await self.session.post(Played(command.reply_id, 0.02))
        elif isinstance(command, EndAudio):
            await self.session.post(Played(command.reply_id, command.duration_s))
        elif isinstance(command, ShowReplyEnd):
            self.heard = command.heard_text
            self.ended.set()


class Wall:
    """Captions as they stand."""

    def __init__(self) -> None:
        self.pages: dict[int, str] = {}

    async def show(self, page: int, content: str) -> None:
        self.pages[page] = content


async def converse(
    backends: Backends, spoken: bytes, path: Path
) -> tuple[Listener, list[TranscriptLine], Wall]:
    """Speaks once to a session that is watched by all that watch, and hears the answer."""
    log, wall, lines, listener = EventLog(path), Wall(), list[TranscriptLine](), Listener()
    records = SessionRecords(TurnMetrics(new_registry()), log.write)
    captions = CaptionFeed(wall, "Ada")
    notes = TranscriptNotes(TranscriptPlace(1, 2, "s", "Ada"), lines.append)
    options = SessionOptions("test", observe=lambda: (records.observer("test"), captions, notes))
    session = listener.session = Session(backends, listener, options)
    tasks = [asyncio.create_task(each) for each in (session.run(), captions.run(), log.run())]
    await asyncio.sleep(0)
    await session.open_ear(PERSON, RATE_HERTZ)
    for start in range(0, len(spoken), PIECE_BYTES):
        session.hear(PERSON, spoken[start : start + PIECE_BYTES])
        await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await listener.ended.wait()
        while listener.heard not in "".join(wall.pages.values()).replace("\\", ""):
            await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return listener, lines, wall


async def test_a_spoken_turn_is_recorded_drawn_captioned_and_noted(
    backends: Backends, spoken: bytes, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    path = tmp_path / "turns.jsonl"
    listener, lines, wall = await converse(backends, spoken, path)
    assert listener.heard

    # the record
    turns = read_turns(path)
    (turn,) = (each for each in turns if each.is_answered)
    _check_stages(turn)
    if "real" in request.node.name:
        _check_what_only_a_real_stt_measures(turn)
    log = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    words = {word for word in listener.heard.split() if len(word) > 6}
    assert not any(word in json.dumps(log) for word in words)
    assert PERSON not in json.dumps(log)

    # the picture
    found = picture(turn)
    names = {lane.name for lane in found.lanes}
    assert {"speaker 1", "trainer", "tts", "player"} <= names
    draw(found, tmp_path / "turn.png")
    assert (tmp_path / "turn.png").stat().st_size > 10_000

    # the transcript and the captions
    assert [line.speaker_id for line in lines] == [int(PERSON), None]
    assert lines[1].text == listener.heard.strip()
    assert all(line.end_time >= line.start_time for line in lines)
    assert lines[0].text in "".join(wall.pages.values()).replace("\\", "")


def _check_what_only_a_real_stt_measures(turn: LoggedTurn) -> None:
    record: Any = turn.record
    assert 1000 < record["speech_ms"] < 10_000
    assert record["stt_ms"] > 0
    assert record["stt_queue_ms"] >= 0
    # stt's clock and ours agree to some milliseconds.
    parts_ms = record["soft_stop_ms"] + record["stt_queue_ms"] + record["stt_ms"]
    assert parts_ms >= record["transcript_ready_ms"] - 1
    assert 0 <= record["smart_turn_p"] <= 1
    assert record["tts_leading_silence_ms"] >= 0


def _check_stages(turn: LoggedTurn) -> None:
    record: Any = turn.record
    assert record["addressed_reason"] == "alone"
    assert record["outcome"] == "complete"
    assert record["n_talking"] == 1
    for stage in ("transcript_ready", "gate", "llm_ttft", "first_clause", "tts_ttfb"):
        assert record[f"{stage}_ms"] >= 0, stage
    assert record["transcript_ready_ms"] <= record["gate_ms"] <= record["first_frame_sent_ms"]
    assert record["heard_chars"] > 0
    assert record["speculation"] in ("none", "used", "wasted")
