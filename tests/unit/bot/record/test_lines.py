"""Lines of the event log: all that happened, and no word and no name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    Command,
    DuckAudio,
    EndAudio,
    Outcome,
    PauseAudio,
    ResumeAudio,
    ShowListening,
    ShowMessage,
    ShowReplyEnd,
    ShowReplyStart,
    SpeakText,
    StopAudio,
)
from voicemesh_bot.conversation.events import (
    Arrived,
    Event,
    Heard,
    HearingLost,
    Played,
    ReplyFailed,
    ReplyProgress,
    StopPressed,
    Tick,
    VoiceFailed,
    VoiceFinished,
    VoiceProgress,
)
from voicemesh_bot.domain import (
    Address,
    Backend,
    Final,
    HistoryTurn,
    ModelFinished,
    ModelStarted,
    ModelText,
    Partial,
    Problem,
    Role,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
    VoiceAudio,
)
from voicemesh_bot.record.lines import LineWriter, record_line
from voicemesh_bot.record.recorder import Speakers
from voicemesh_bot.record.turns import Speculation, TurnRecord

pytestmark = pytest.mark.unit

SECRET = "xylophone"
HISTORY = (HistoryTurn(Role.USER, SECRET, SECRET),)
PROBLEM = Problem(Backend.TTS, SECRET)

HAPPENED: list[tuple[Event, list[Command], list[dict[str, Any]]]] = [
    (Arrived(SECRET, SECRET), [], []),
    (
        Heard(SECRET, SpeechStarted(4)),
        [ShowListening(SECRET, 4), DuckAudio(True)],
        [
            {"kind": "speech_started", "speaker": 1, "turn": 4, "revision": 0},
            {"kind": "ducked", "on": True},
        ],
    ),
    (Heard(SECRET, Partial(4, 0, SECRET, SECRET)), [], []),
    (
        Heard(SECRET, SoftFinal(4, 1, SECRET, 0.12345)),
        [BeginReply(2, HISTORY, SECRET, 4, 1, speculative=True)],
        [
            {
                "kind": "soft_final",
                "speaker": 1,
                "turn": 4,
                "revision": 1,
                "characters": 9,
                "probability": 0.123,
            },
            {
                "kind": "reply_begun",
                "reply": 2,
                "speaker": 1,
                "turn": 4,
                "revision": 1,
                "speculative": True,
            },
        ],
    ),
    (
        Heard(SECRET, TurnResumed(4, 1)),
        [CancelReply(2)],
        [
            {"kind": "turn_resumed", "speaker": 1, "turn": 4, "revision": 1},
            {"kind": "reply_cancelled", "reply": 2},
        ],
    ),
    (
        Heard(SECRET, Final(4, 1, SECRET, 0.4, 2.0, 0.01, 0.1)),
        [
            ShowMessage(1, SECRET, SECRET, True, Address.NAMED, 4, 1),
            BeginReply(3, HISTORY, SECRET, 4, 1),
            ShowReplyStart(3, 1, (1,)),
        ],
        [
            {
                "kind": "final",
                "speaker": 1,
                "turn": 4,
                "revision": 1,
                "characters": 9,
                "latency_ms": 400.0,
                "speech_ms": 2000.0,
                "queue_ms": 10.0,
                "recognition_ms": 100.0,
            },
            {
                "kind": "message",
                "message": 1,
                "speaker": 1,
                "turn": 4,
                "address": "named",
                "characters": 9,
            },
            {
                "kind": "reply_begun",
                "reply": 3,
                "speaker": 1,
                "turn": 4,
                "revision": 1,
                "speculative": False,
            },
            {"kind": "reply_shown", "reply": 3, "messages": [1]},
        ],
    ),
    (ReplyProgress(3, ModelStarted(SECRET, SECRET)), [], []),
    (
        ReplyProgress(3, ModelText(SECRET)),
        [SpeakText(3, SECRET)],
        [{"kind": "model_text", "reply": 3}, {"kind": "voice_text", "reply": 3}],
    ),
    (ReplyProgress(3, ModelText(SECRET)), [SpeakText(3, SECRET)], []),
    (ReplyProgress(3, ModelFinished()), [], [{"kind": "model_finished", "reply": 3}]),
    (
        VoiceProgress(3, VoiceAudio(SECRET.encode(), 24_000, 0.25, (0, 3))),
        [],
        [{"kind": "voice_audio", "reply": 3, "length_ms": 250.0}],
    ),
    (
        VoiceFinished(3),
        [EndAudio(3, 1.0)],
        [
            {"kind": "voice_finished", "reply": 3},
            {"kind": "audio_ended", "reply": 3},
        ],
    ),
    (Played(3, 0.0), [], []),
    (Played(3, 0.02), [], [{"kind": "played", "reply": 3, "played_ms": 20.0}]),
    (Played(3, 0.2), [], []),
    (Played(3, 0.22), [], [{"kind": "played", "reply": 3, "played_ms": 220.0}]),
    (
        Played(3, 0.3),
        [PauseAudio(3), ResumeAudio(3), StopAudio(3)],
        [
            {"kind": "paused", "reply": 3},
            {"kind": "resumed", "reply": 3},
            {"kind": "stopped", "reply": 3},
        ],
    ),
    (
        Tick(),
        [ShowReplyEnd(3, Outcome.INTERRUPTED, SECRET, SECRET)],
        [
            {
                "kind": "reply_ended",
                "reply": 3,
                "outcome": "interrupted",
                "heard_ms": 300.0,
                "characters": 9,
            }
        ],
    ),
    (
        HearingLost("other", PROBLEM),
        [],
        [{"kind": "hearing_lost", "speaker": 2, "failed": True}],
    ),
    (ReplyFailed(4, PROBLEM), [], [{"kind": "failed", "reply": 4, "backend": "tts"}]),
    (VoiceFailed(4, PROBLEM), [], [{"kind": "failed", "reply": 4, "backend": "tts"}]),
    (StopPressed(), [], [{"kind": "stop_pressed"}]),
]


def test_all_that_happens_to_a_turn_has_its_lines() -> None:
    writer = LineWriter(Speakers(), words=False)

    for event, commands, lines in HAPPENED:
        assert list(writer.lines(event, commands)) == lines, event


def test_no_line_has_a_word_or_a_name_unless_words_are_wanted() -> None:
    for words in (False, True):
        writer = LineWriter(Speakers(), words=words)
        lines = [line for event, commands, _ in HAPPENED for line in writer.lines(event, commands)]
        assert any(SECRET in json.dumps(line) for line in lines) is words
        for line in lines:
            line.pop("text", None)
        assert SECRET not in json.dumps(lines)


def test_a_record_is_a_line_in_short_numbers() -> None:
    record = TurnRecord(
        speaker=2,
        turn_id=5,
        revisions=1,
        addressed_reason=Address.ALONE,
        outcome=Outcome.COMPLETE,
        n_talking=1,
        gate_ms=400.00049,
        speculation=Speculation.USED,
    )

    line = json.loads(json.dumps(record_line(record)))

    assert line["kind"] == "turn"
    assert (line["speaker"], line["turn"]) == (2, 5)
    assert (line["addressed_reason"], line["outcome"]) == ("alone", "complete")
    assert line["gate_ms"] == 400.0
    assert line["stt_ms"] is None
    assert line["speculation"] == "used"
