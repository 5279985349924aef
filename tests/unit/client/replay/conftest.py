"""A session of three people as the bot logs it: a question, an answer, and somebody talking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Line = dict[str, Any]

SESSION = "2026-11-23T18:00:00.000+00:00#1"

RECORD: Line = {
    "speaker": 1,
    "turn": 1,
    "revisions": 2,
    "addressed_reason": "follow_up",
    "outcome": "complete",
    "n_talking": 1,
    "speech_ms": 2200.0,
    "soft_stop_ms": 78.0,
    "stt_queue_ms": 12.0,
    "stt_ms": 110.0,
    "transcript_ready_ms": 200.0,
    "gate_ms": 400.0,
    "smart_turn_p": 0.93,
    "llm_ttft_ms": 110.0,
    "first_clause_ms": 60.0,
    "tts_ttfb_ms": 100.0,
    "tts_leading_silence_ms": None,
    "first_frame_sent_ms": 540.0,
    "speculation": "used",
    "speculations_wasted": 1,
    "interrupted_at_ms": None,
    "heard_chars": 80,
}


def session_lines() -> list[Line]:
    """The lines; the voice of the question ends at 102.0 s."""
    whose = {"speaker": 1, "turn": 1}
    heard = {"latency_ms": 400.0, "queue_ms": 12.0, "recognition_ms": 110.0}
    timed: list[tuple[float, str, Line]] = [
        (50.0, "speech_started", {"speaker": 2, "turn": 1, "revision": 0}),
        (51.0, "final", {"speaker": 2, "turn": 1, "revision": 0, "speech_ms": 500.0, **heard}),
        (100.0, "speech_started", {**whose, "revision": 0}),
        (101.0, "soft_final", {**whose, "revision": 1, "characters": 9, "probability": 0.11}),
        (101.0, "reply_begun", {"reply": 1, **whose, "revision": 1, "speculative": True}),
        (101.2, "turn_resumed", {**whose, "revision": 1}),
        (101.2, "reply_cancelled", {"reply": 1}),
        (102.2, "soft_final", {**whose, "revision": 2, "characters": 32, "probability": 0.93}),
        (102.2, "reply_begun", {"reply": 2, **whose, "revision": 2, "speculative": True}),
        (102.31, "model_text", {"reply": 2}),
        (102.4, "final", {**whose, "revision": 2, "speech_ms": 2200.0, **heard}),
        (102.4, "message", {"message": 1, **whose, "address": "follow_up"}),
        (102.4, "reply_shown", {"reply": 2, "messages": [1]}),
        (102.4, "voice_text", {"reply": 2}),
        (102.5, "voice_audio", {"reply": 2, "length_ms": 400.0}),
        (102.54, "played", {"reply": 2, "played_ms": 20.0}),
        (102.9, "model_finished", {"reply": 2}),
        (103.1, "voice_finished", {"reply": 2}),
        (103.6, "speech_started", {"speaker": 3, "turn": 1, "revision": 0}),
        (103.6, "ducked", {"on": True}),
        (103.9, "paused", {"reply": 2}),
        (104.2, "hearing_lost", {"speaker": 3, "failed": True}),
        (104.6, "resumed", {"reply": 2}),
        (112.3, "reply_ended", {"reply": 2, "outcome": "complete", "heard_ms": 9000.0}),
        (112.3, "turn", RECORD),
    ]
    head = {"kind": "session", "format": "voicemesh-turns/1", "session": SESSION, "front": "x"}
    return [head, *({"session": SESSION, "t_s": t, "kind": k, **more} for t, k, more in timed)]


@pytest.fixture
def lines() -> list[Line]:
    """The session, to be changed at will."""
    return session_lines()


@pytest.fixture
def write_log(tmp_path: Path) -> Any:
    """Writes lines as a log, and anything else behind them."""

    def write(lines: list[Line], tail: str = "") -> Path:
        path = tmp_path / "turns.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail, "utf-8")
        return path

    return write
