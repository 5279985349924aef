"""Whatever happens in whatever order, who only watches does not end the conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_bot.conversation import commands, events
from voicemesh_bot.domain import (
    Address,
    Backend,
    Final,
    ModelFinished,
    ModelText,
    Partial,
    Problem,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
    VoiceAudio,
)
from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.record.metrics import TurnMetrics
from voicemesh_bot.record.sessions import SessionRecords
from voicemesh_bot.transcripts.caption_feed import CaptionFeed
from voicemesh_bot.transcripts.notes import TranscriptNotes, TranscriptPlace
from voicemesh_chassis.metrics import new_registry

pytestmark = pytest.mark.unit

IDS = st.integers(0, 3)
TEXT = st.sampled_from(["", " ", "well", "what is it, my friend?", "a\0b"])
SPEAKERS = st.sampled_from(["", "1", "23", "you", str(2**80)])
SECONDS = st.sampled_from([-1.0, 0.0, 0.02, 0.5, 1e6])
SHARES = st.sampled_from([None, 0.0, 0.5, 1.0])
SOUND = st.builds(
    VoiceAudio,
    st.sampled_from([b"", b"\0\0\0\0", b"\1\2\3"]),
    st.just(24_000),
    SECONDS,
    st.just((0, 1)),
)
PROBLEM = st.just(Problem(Backend.STT, "gone"))

HEARD = st.one_of(
    st.builds(SpeechStarted, IDS, IDS),
    st.builds(Partial, IDS, IDS, TEXT, TEXT),
    st.builds(SoftFinal, IDS, IDS, TEXT, SHARES),
    st.builds(TurnResumed, IDS, IDS),
    st.builds(Final, IDS, IDS, TEXT, SECONDS, SECONDS, SECONDS, SECONDS),
)
MODEL = st.one_of(st.builds(ModelText, TEXT), st.builds(ModelFinished))

EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(events.Arrived, SPEAKERS, TEXT),
    st.builds(events.Departed, SPEAKERS),
    st.builds(events.Typed, SPEAKERS, TEXT),
    st.builds(events.Heard, SPEAKERS, HEARD),
    st.builds(events.HearingLost, SPEAKERS, st.none() | PROBLEM),
    st.builds(events.ReplyProgress, IDS, MODEL),
    st.builds(events.ReplyFailed, IDS, PROBLEM),
    st.builds(events.VoiceProgress, IDS, SOUND),
    st.builds(events.VoiceFinished, IDS),
    st.builds(events.VoiceFailed, IDS, PROBLEM),
    st.builds(events.Played, IDS, SECONDS),
    st.builds(events.StopPressed),
    st.builds(events.Tick),
)
COMMANDS: st.SearchStrategy[Any] = st.one_of(
    st.builds(commands.BeginReply, IDS, st.just(()), SPEAKERS, IDS, IDS, speculative=st.booleans()),
    st.builds(commands.CancelReply, IDS),
    st.builds(commands.SpeakText, IDS, TEXT),
    st.builds(commands.PlayAudio, IDS, SOUND),
    st.builds(commands.EndAudio, IDS, SECONDS),
    st.builds(commands.PauseAudio, IDS),
    st.builds(commands.ResumeAudio, IDS),
    st.builds(commands.StopAudio, IDS),
    st.builds(commands.DuckAudio, st.booleans()),
    st.builds(commands.ShowListening, SPEAKERS, IDS),
    st.builds(commands.ShowPartial, SPEAKERS, IDS, TEXT, TEXT, IDS),
    st.builds(commands.ShowSilence, SPEAKERS, IDS),
    st.builds(
        commands.ShowMessage,
        IDS,
        SPEAKERS,
        TEXT,
        st.booleans(),
        st.none() | st.sampled_from(Address),
        IDS,
        IDS,
    ),
    st.builds(commands.ShowReplyStart, IDS, IDS, st.lists(IDS, max_size=3).map(tuple)),
    st.builds(commands.ShowReplyEnd, IDS, st.sampled_from(commands.Outcome), TEXT),
)
STEPS = st.lists(st.tuples(EVENTS, st.lists(COMMANDS, max_size=4), st.floats(0, 3)), max_size=50)


class Nowhere:
    """A wall that nobody sees."""

    async def show(self, page: int, content: str) -> None:
        """Shows nothing."""


@given(STEPS)
def test_observers_take_whatever_happens(steps: list[tuple[Any, list[Any], float]]) -> None:
    lines: list[Any] = []
    said: list[TranscriptLine] = []
    now_s = 1_000.0
    records = SessionRecords(TurnMetrics(new_registry()), lines.append, words=True)
    observers = (
        records.observer("test"),
        CaptionFeed(Nowhere(), "Ada"),
        TranscriptNotes(TranscriptPlace(1, 2, "s", "Ada"), said.append, now=lambda: now_s),
    )
    for event, done, pause_s in steps:
        now_s += pause_s
        for observer in observers:
            observer.note(event, done, now_s)

    for line in lines:
        json.loads(json.dumps(line))
        for name, value in line.items():
            if line["kind"] == "turn" and name.endswith("_ms") and value is not None:
                assert value >= 0, line
    assert [line.number for line in said] == list(range(1, len(said) + 1))
