"""What happens in a session as lines of the event log.

A line is one JSON object; `docs/event-log.md` has all kinds of them. Without words unless they are
wanted; people are numbers, as in the records.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from voicemesh_bot.conversation import commands, events
from voicemesh_bot.domain import (
    Final,
    ModelFinished,
    ModelText,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import ListeningEvent
    from voicemesh_bot.record.recorder import Speakers
    from voicemesh_bot.record.turns import TurnRecord

__all__ = ("FORMAT", "LineWriter", "record_line")

FORMAT = "voicemesh-turns/1"
"""Name and version of the format, in the first line of each session."""

_PLAYED_STEP_S = 0.2
"""Players report every frame; one report in this time is enough to see how playing went on."""


def record_line(record: TurnRecord) -> dict[str, Any]:
    """The line of a turn's record."""
    values = {name: _rounded(value) for name, value in asdict(record).items()}
    return {"kind": "turn", **{("turn" if n == "turn_id" else n): v for n, v in values.items()}}


class LineWriter:
    """Makes the lines of one session; `words` says whether what is said goes into them."""

    def __init__(self, speakers: Speakers, *, words: bool) -> None:
        self._speakers = speakers
        self._words = words
        self._begun: set[tuple[str, int]] = set()
        self._played: dict[int, tuple[float, float]] = {}

    def lines(self, event: Event, commands: Sequence[Command]) -> Iterator[dict[str, Any]]:
        """The lines of an event and of what was done about it; most have none."""
        yield from self._event(event)
        for command in commands:
            yield from self._command(command)

    def _event(self, event: Event) -> Iterator[dict[str, Any]]:
        if isinstance(event, events.Heard):
            yield from self._heard(self._speakers.number(event.speaker), event.event)
        elif isinstance(event, events.HearingLost):
            number = self._speakers.number(event.speaker)
            yield {"kind": "hearing_lost", "speaker": number, "failed": event.problem is not None}
        elif isinstance(event, events.ReplyProgress):
            if isinstance(event.event, ModelText) and self._is_first("model_text", event.reply_id):
                yield {"kind": "model_text", "reply": event.reply_id}
            elif isinstance(event.event, ModelFinished) and self._is_first(
                "model_finished", event.reply_id
            ):
                yield {"kind": "model_finished", "reply": event.reply_id}
        elif isinstance(event, events.ReplyFailed | events.VoiceFailed):
            yield {"kind": "failed", "reply": event.reply_id, "backend": event.problem.backend}
        elif isinstance(event, events.VoiceProgress):
            length_ms = round(1e3 * event.audio.duration_s, 1)
            yield {"kind": "voice_audio", "reply": event.reply_id, "length_ms": length_ms}
        elif isinstance(event, events.VoiceFinished):
            yield {"kind": "voice_finished", "reply": event.reply_id}
        elif isinstance(event, events.Played):
            yield from self._play(event)
        elif isinstance(event, events.StopPressed):
            yield {"kind": "stop_pressed"}

    def _heard(self, speaker: int, event: ListeningEvent) -> Iterator[dict[str, Any]]:
        who = {"speaker": speaker, "turn": event.turn_id, "revision": event.revision}
        if isinstance(event, SpeechStarted):
            yield {"kind": "speech_started", **who}
        elif isinstance(event, SoftFinal):
            likely = _rounded(event.end_of_turn_probability)
            yield {"kind": "soft_final", **who, **self._text(event.text), "probability": likely}
        elif isinstance(event, TurnResumed):
            yield {"kind": "turn_resumed", **who}
        elif isinstance(event, Final):
            times = {
                "latency_ms": event.latency_s,
                "speech_ms": event.speech_s,
                "queue_ms": event.queue_s,
                "recognition_ms": event.recognition_s,
            }
            times_ms = {name: round(1e3 * seconds, 1) for name, seconds in times.items()}
            yield {"kind": "final", **who, **self._text(event.text), **times_ms}

    def _play(self, event: events.Played) -> Iterator[dict[str, Any]]:
        told_s, _ = self._played.get(event.reply_id, (-_PLAYED_STEP_S, 0.0))
        if event.seconds > 0 and event.seconds >= told_s + _PLAYED_STEP_S:
            told_s = event.seconds
            played_ms = round(1e3 * event.seconds, 1)
            yield {"kind": "played", "reply": event.reply_id, "played_ms": played_ms}
        self._played[event.reply_id] = told_s, event.seconds

    def _command(self, command: Command) -> Iterator[dict[str, Any]]:
        if isinstance(command, commands.ShowMessage):
            yield {
                "kind": "message",
                "message": command.message_id,
                "speaker": self._speakers.number(command.speaker),
                "turn": command.turn_id,
                "address": command.address,
                **self._text(command.text),
            }
        elif isinstance(command, commands.BeginReply):
            yield {
                "kind": "reply_begun",
                "reply": command.reply_id,
                "speaker": self._speakers.number(command.speaker),
                "turn": command.turn_id,
                "revision": command.revision,
                "speculative": command.speculative,
            }
        elif isinstance(command, commands.ShowReplyStart):
            messages = list(command.message_ids or (command.message_id,))
            yield {"kind": "reply_shown", "reply": command.reply_id, "messages": messages}
        elif isinstance(command, commands.SpeakText):
            if self._is_first("voice_text", command.reply_id):
                yield {"kind": "voice_text", "reply": command.reply_id}
        elif isinstance(command, commands.ShowReplyEnd):
            yield from self._end(command)
        elif isinstance(command, commands.DuckAudio):
            yield {"kind": "ducked", "on": command.ducked}
        elif isinstance(command, _TOLD):
            yield {"kind": _TOLD_KINDS[type(command)], "reply": command.reply_id}

    def _end(self, command: commands.ShowReplyEnd) -> Iterator[dict[str, Any]]:
        _, played_s = self._played.pop(command.reply_id, (0.0, 0.0))
        yield {
            "kind": "reply_ended",
            "reply": command.reply_id,
            "outcome": command.outcome,
            "heard_ms": round(1e3 * played_s, 1),
            **self._text(command.heard_text),
        }
        self._begun = {each for each in self._begun if each[1] > command.reply_id}

    def _text(self, text: str) -> dict[str, Any]:
        return {"characters": len(text), **({"text": text} if self._words else {})}

    def _is_first(self, kind: str, reply_id: int) -> bool:
        if (kind, reply_id) in self._begun:
            return False
        self._begun.add((kind, reply_id))
        return True


_TOLD = (
    commands.CancelReply
    | commands.PauseAudio
    | commands.ResumeAudio
    | commands.StopAudio
    | commands.EndAudio
)
_TOLD_KINDS: dict[type[Any], str] = {
    commands.CancelReply: "reply_cancelled",
    commands.PauseAudio: "paused",
    commands.ResumeAudio: "resumed",
    commands.StopAudio: "stopped",
    commands.EndAudio: "audio_ended",
}


def _rounded(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
