"""What Prometheus is told of turns, and how a session's turns get there and into the log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from voicemesh_bot.conversation.commands import Outcome, ShowMessage
from voicemesh_bot.conversation.events import Heard
from voicemesh_bot.domain import Address, Final, SpeechStarted
from voicemesh_bot.record import Speculation, TurnRecord
from voicemesh_bot.record.metrics import TurnMetrics
from voicemesh_bot.record.sessions import SessionRecords
from voicemesh_chassis.metrics import new_registry

pytestmark = pytest.mark.unit

RECORD = TurnRecord(
    speaker=1,
    turn_id=1,
    revisions=2,
    addressed_reason=Address.NAMED,
    outcome=Outcome.COMPLETE,
    n_talking=2,
    smart_turn_p=0.75,
    gate_ms=400.0,
    first_frame_sent_ms=540.0,
    speculation=Speculation.USED,
    speculations_wasted=1,
    heard_chars=12,
)


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    """One sample of the bot's."""
    return registry.get_sample_value(f"voicemesh_bot_turn_{name}", labels)


def test_a_turn_is_counted_with_all_that_was_measured_and_nothing_else() -> None:
    registry = new_registry()
    TurnMetrics(registry).count(RECORD)

    assert value(registry, "ended_total", addressed="named", outcome="complete") == 1
    assert value(registry, "seconds_sum", stage="gate") == pytest.approx(0.4)
    assert value(registry, "seconds_sum", stage="first_frame_sent") == pytest.approx(0.54)
    assert value(registry, "seconds_bucket", stage="first_frame_sent", le="0.55") == 1
    assert value(registry, "seconds_bucket", stage="first_frame_sent", le="0.5") == 0
    assert value(registry, "seconds_count", stage="stt") is None
    assert value(registry, "speculations_total", result="used") == 1
    assert value(registry, "speculations_total", result="wasted") == 1
    assert value(registry, "revisions_sum") == 2
    assert value(registry, "talking_sum") == 2
    assert value(registry, "smart_turn_probability_sum") == 0.75
    assert value(registry, "heard_characters_total") == 12


def test_what_was_overheard_and_what_was_written_are_told_apart() -> None:
    registry = new_registry()
    metrics = TurnMetrics(registry)
    metrics.count(replace(RECORD, addressed_reason=None, outcome=None, heard_chars=0))
    metrics.count(replace(RECORD, addressed_reason=Address.WRITTEN, turn_id=0, n_talking=0))

    assert value(registry, "ended_total", addressed="none", outcome="none") == 1
    assert value(registry, "ended_total", addressed="written", outcome="complete") == 1
    assert value(registry, "talking_count") == 1  # nobody speaks in writing


def speak(observer: Any, speaker: str, now_s: float) -> None:
    """One turn that was not meant for the bot."""
    observer.note(Heard(speaker, SpeechStarted(1)), (), now_s)
    message = ShowMessage(1, speaker, "so", True, None, 1)
    observer.note(Heard(speaker, Final(1, 0, "so")), (message,), now_s + 1.00001)


def test_sessions_share_the_metrics_and_the_log_but_not_their_speakers() -> None:
    registry, lines = new_registry(), list[Any]()
    records = SessionRecords(TurnMetrics(registry), lines.append, now=lambda: 1_795_456_800.0)
    first, second = records.observer("console"), records.observer("discord")

    speak(first, "you", 5.0)
    speak(second, "8", 7.0)

    assert value(registry, "ended_total", addressed="none", outcome="none") == 2
    assert lines[:2] == [
        {
            "kind": "session",
            "format": "voicemesh-turns/1",
            "session": f"2026-11-23T18:00:00.000+00:00#{number}",
            "front": front,
        }
        for number, front in ((1, "console"), (2, "discord"))
    ]
    kinds = ["speech_started", "final", "message", "turn"]
    assert [line["kind"] for line in lines[2:]] == kinds * 2
    assert {line["speaker"] for line in lines[2:]} == {1}
    assert {line["t_s"] for line in lines[2:]} == {5.0, 6.0, 7.0, 8.0}
    assert {line["session"][-2:] for line in lines[2:6]} == {"#1"}
    assert {line["session"][-2:] for line in lines[6:]} == {"#2"}


def test_without_a_log_turns_are_counted_all_the_same() -> None:
    registry = new_registry()
    speak(SessionRecords(TurnMetrics(registry)).observer("console"), "you", 5.0)

    assert value(registry, "ended_total", addressed="none", outcome="none") == 1
