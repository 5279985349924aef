"""What the page is told: commands of the conversation as JSON, or as sound with a header."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from voicemesh_bot.conversation.commands import (
    DuckAudio,
    EndAudio,
    FrontCommand,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowListening,
    ShowMessage,
    ShowNotice,
    ShowPartial,
    ShowReplyEnd,
    ShowReplyStart,
    ShowReplyText,
    ShowSilence,
    ShowTiming,
    ShowTrouble,
    StopAudio,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voicemesh_bot.console.requests import BadRequestError
    from voicemesh_bot.domain import Backend

__all__ = ("SOUND_HEADER", "as_error", "as_message", "as_services", "as_welcome")

SOUND_HEADER = struct.Struct("<II")
"""Before the samples of a binary message: reply id and sample rate, both unsigned 32-bit
little-endian."""


def as_message(command: FrontCommand) -> str | bytes:
    """One command as a message to the page: `str` for text, `bytes` for binary."""
    if isinstance(command, PlayAudio):
        header = SOUND_HEADER.pack(command.reply_id, command.audio.sample_rate_hertz)
        return header + command.audio.audio
    kind, fields = _JSON[type(command)]
    return _json(kind, fields(command))


def as_welcome(*, sample_rate_hertz: int, ready: Mapping[Backend, bool]) -> str:
    """The first message: what the page should know."""
    return _json("welcome", {"sample_rate_hertz": sample_rate_hertz, "services": dict(ready)})


def as_services(ready: Mapping[Backend, bool]) -> str:
    """Which backends can be used."""
    return _json("services", {"services": dict(ready)})


def as_error(error: BadRequestError) -> str:
    """What was wrong with a message of the page."""
    return _json("error", {"code": error.code, "message": error.message, "field": error.field})


def _json(kind: str, fields: Mapping[str, Any]) -> str:
    return json.dumps({"type": kind, **fields}, ensure_ascii=False)


def _timing(command: ShowTiming) -> dict[str, Any]:
    marks = command.timing.marks_s.items()
    return {
        "reply_id": command.reply_id,
        "speculative": command.timing.speculative,
        "marks_ms": {mark.value: round(seconds * 1000, 1) for mark, seconds in marks},
    }


_JSON: dict[type, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    EndAudio: ("audio_end", lambda c: {"reply_id": c.reply_id, "seconds": c.duration_s}),
    StopAudio: ("audio_stop", lambda c: {"reply_id": c.reply_id}),
    PauseAudio: ("audio_pause", lambda c: {"reply_id": c.reply_id, "on": True}),
    ResumeAudio: ("audio_pause", lambda c: {"reply_id": c.reply_id, "on": False}),
    DuckAudio: ("duck", lambda c: {"on": c.ducked}),
    ShowListening: ("speech_started", lambda c: {"turn_id": c.turn_id}),
    ShowPartial: (
        "partial",
        lambda c: {"turn_id": c.turn_id, "stable": c.stable, "unstable": c.unstable},
    ),
    ShowSilence: ("silence", lambda _: {}),
    ShowMessage: (
        "message",
        lambda c: {"message_id": c.message_id, "text": c.text, "spoken": c.spoken},
    ),
    ShowReplyStart: (
        "reply_start",
        lambda c: {"reply_id": c.reply_id, "message_id": c.message_id},
    ),
    ShowReplyText: ("reply_text", lambda c: {"reply_id": c.reply_id, "text": c.text}),
    ShowReplyEnd: (
        "reply_end",
        lambda c: {
            "reply_id": c.reply_id,
            "outcome": c.outcome.value,
            "heard_text": c.heard_text,
            "response_id": c.response_id,
            "sentence": c.sentence,
        },
    ),
    ShowTiming: ("timing", _timing),
    ShowNotice: (
        "notice",
        lambda c: {"text": c.sentence, "service": c.backend.value, "good": c.good},
    ),
    ShowTrouble: ("trouble", lambda c: {"service": c.backend.value, "on": c.troubled}),
}
