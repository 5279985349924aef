"""Makes the record of each turn from what happens in a conversation.

Pure: events, commands and a clock in, records out. It follows each person's open turn, each answer
from the request on, and which answer belongs to which message.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from voicemesh_bot.conversation import commands, events
from voicemesh_bot.conversation.commands import Outcome
from voicemesh_bot.conversation.timeline import has_clause
from voicemesh_bot.domain import Final, ModelText, SoftFinal, SpeechStarted
from voicemesh_bot.record.turns import Speculation, TurnRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import Address, VoiceAudio

__all__ = ("Speakers", "TurnRecorder")

_MOST_WAITING = 64
"""Messages that may wait for an answer, and answers that may be followed; more are let go."""

_SILENT = 256
"""Loudest sample of silence: -42 dB of full scale."""


class Speakers:
    """Numbers for the speakers of a session, so that a record says nothing about who they are."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, speaker: str) -> int:
        """The speaker's number, from 1 in the order in which they were first met."""
        return self._numbers.setdefault(speaker, len(self._numbers) + 1)


@dataclass(slots=True)
class _Turn:
    """A person's turn, from its first sound to the end of the answer to it."""

    speaker: str
    turn_id: int
    revisions: int = 0
    soft_final_s: float | None = None
    soft_final_text: str = ""
    smart_turn_p: float | None = None
    speculations: list[int] = field(default_factory=list)
    final: Final | None = None
    ended_s: float = 0.0
    over_s: float = 0.0
    n_talking: int = 1
    address: Address | None = None


@dataclass(slots=True)
class _Answer:
    """An answer, from the request to the language model to its end."""

    requested_s: float
    text: str = ""
    first_text_s: float | None = None
    clause_s: float | None = None
    first_audio_s: float | None = None
    leading_silence_ms: float | None = None
    first_frame_s: float | None = None
    played_s: float = 0.0
    message_ids: tuple[int, ...] = ()


class TurnRecorder:
    """An `Observer` of one session that hands out a record when a turn is over with all of it."""

    def __init__(self, hand_out: Callable[[TurnRecord], None], speakers: Speakers) -> None:
        """Takes who gets the records (at once, so must not wait), and the speakers' numbers."""
        self._hand_out = hand_out
        self._speakers = speakers
        self._open: dict[str, _Turn] = {}
        self._waiting: dict[int, _Turn] = {}
        self._answers: dict[int, _Answer] = {}
        self._closed: _Turn | None = None

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """See `ports.Observer.note`."""
        self._closed = None
        self._note_event(event, now_s)
        for command in commands:
            self._note_command(command, now_s)

    def _note_event(self, event: Event, now_s: float) -> None:
        if isinstance(event, events.Heard):
            self._note_heard(event, now_s)
        elif isinstance(event, events.HearingLost | events.Departed):
            self._open.pop(event.speaker, None)
        elif isinstance(event, events.ReplyProgress):
            if isinstance(event.event, ModelText) and (answer := self._answers.get(event.reply_id)):
                _take_text(answer, event.event.text, now_s)
        elif isinstance(event, events.VoiceProgress):
            answer = self._answers.get(event.reply_id)
            if answer is not None and answer.first_audio_s is None:
                answer.first_audio_s = now_s
                answer.leading_silence_ms = _leading_silence_ms(event.audio)
        elif isinstance(event, events.Played):
            answer = self._answers.get(event.reply_id)
            if answer is not None and event.seconds > 0:
                answer.played_s = max(answer.played_s, event.seconds)
                if answer.first_frame_s is None:
                    answer.first_frame_s = now_s

    def _note_heard(self, heard: events.Heard, now_s: float) -> None:
        speaker, event = heard.speaker, heard.event
        if isinstance(event, SpeechStarted):
            self._open[speaker] = _Turn(speaker, event.turn_id)
            return
        turn = self._open.get(speaker)
        if turn is None or turn.turn_id != event.turn_id:
            return
        if isinstance(event, SoftFinal):
            turn.revisions += 1
            turn.soft_final_s, turn.soft_final_text = now_s, event.text
            turn.smart_turn_p = event.end_of_turn_probability
        elif isinstance(event, Final):
            turn.n_talking = len(self._open)
            del self._open[speaker]
            turn.final, turn.over_s = event, now_s
            turn.ended_s = now_s - max(0.0, event.latency_s)
            self._closed = turn

    def _note_command(self, command: Command, now_s: float) -> None:
        if isinstance(command, commands.ShowMessage):
            self._note_message(command, now_s)
        elif isinstance(command, commands.BeginReply):
            _bound(self._answers)
            self._answers[command.reply_id] = _Answer(now_s)
            turn = self._open.get(command.speaker)
            if command.speculative and turn is not None and turn.turn_id == command.turn_id:
                turn.speculations.append(command.reply_id)
        elif isinstance(command, commands.ShowReplyStart):
            if (answer := self._answers.get(command.reply_id)) is not None:
                answer.message_ids = command.message_ids or (command.message_id,)
        elif isinstance(command, commands.CancelReply):
            answer = self._answers.get(command.reply_id)
            if answer is not None and not answer.message_ids:
                del self._answers[command.reply_id]
        elif isinstance(command, commands.ShowReplyEnd):
            self._note_end(command)

    def _note_message(self, message: commands.ShowMessage, now_s: float) -> None:
        turn, self._closed = self._closed, None
        if turn is None or (turn.speaker, turn.turn_id) != (message.speaker, message.turn_id):
            turn = _Turn(message.speaker, message.turn_id, ended_s=now_s, over_s=now_s, n_talking=0)
        turn.address = message.address
        if turn.address is None and message.spoken:
            self._hand_out(self._record(turn))
            return
        while len(self._waiting) >= _MOST_WAITING:
            self._hand_out(self._record(self._waiting.pop(next(iter(self._waiting)))))
        self._waiting[message.message_id] = turn

    def _note_end(self, end: commands.ShowReplyEnd) -> None:
        answer = self._answers.pop(end.reply_id, None)
        if answer is None:
            return
        # Whose answer was cut for the sake of another message has a record already.
        for message_id in answer.message_ids:
            if (turn := self._waiting.pop(message_id, None)) is not None:
                self._hand_out(self._record(turn, end, answer))

    def _record(
        self,
        turn: _Turn,
        end: commands.ShowReplyEnd | None = None,
        answer: _Answer | None = None,
    ) -> TurnRecord:
        used = end is not None and end.reply_id in turn.speculations
        wasted = len(turn.speculations) - used
        speculation = Speculation.USED if used else Speculation.NONE
        if wasted and not used:
            speculation = Speculation.WASTED
        return TurnRecord(
            speaker=self._speakers.number(turn.speaker),
            turn_id=turn.turn_id,
            revisions=turn.revisions,
            addressed_reason=turn.address,
            outcome=None if end is None else end.outcome,
            n_talking=turn.n_talking,
            smart_turn_p=turn.smart_turn_p,
            speculation=speculation,
            speculations_wasted=wasted,
            heard_chars=0 if end is None else len(end.heard_text),
            interrupted_at_ms=_interrupted_at_ms(end, answer),
            **_hearing_ms(turn),
            **({} if answer is None else _answering_ms(turn, answer)),
        )


def _take_text(answer: _Answer, text: str, now_s: float) -> None:
    if answer.first_text_s is None:
        answer.first_text_s = now_s
    if answer.clause_s is None:
        answer.text += text
        if has_clause(answer.text):
            answer.clause_s = now_s


def _hearing_ms(turn: _Turn) -> dict[str, float | None]:
    """How long it took to know what was said."""
    final = turn.final
    if final is None:
        return {}
    ready_s = turn.over_s
    if turn.soft_final_s is not None and turn.soft_final_text.split() == final.text.split():
        ready_s = turn.soft_final_s
    ready_ms = _milliseconds(turn.ended_s, ready_s)
    # stt's clock and ours are the same only within a network's delay.
    soft_stop_ms = (
        None if ready_ms is None else ready_ms - 1e3 * (final.queue_s + final.recognition_s)
    )
    known = final.recognition_s > 0 and soft_stop_ms is not None
    return {
        "speech_ms": 1e3 * final.speech_s if final.speech_s > 0 else None,
        "soft_stop_ms": max(0.0, soft_stop_ms or 0.0) if known else None,
        "stt_queue_ms": 1e3 * final.queue_s if known else None,
        "stt_ms": 1e3 * final.recognition_s if known else None,
        "transcript_ready_ms": ready_ms,
        "gate_ms": _milliseconds(turn.ended_s, turn.over_s),
    }


def _answering_ms(turn: _Turn, answer: _Answer) -> dict[str, float | None]:
    """How long it took to answer."""
    clause_s = answer.clause_s
    if clause_s is None and answer.first_audio_s is not None:
        # A short answer has no clause before its end, so the voice was asked for what there was.
        clause_s = answer.first_text_s
    asked_s = None if clause_s is None else max(clause_s, turn.over_s)
    return {
        "llm_ttft_ms": _milliseconds(answer.requested_s, answer.first_text_s),
        "first_clause_ms": _milliseconds(answer.first_text_s, clause_s),
        "tts_ttfb_ms": _milliseconds(asked_s, answer.first_audio_s),
        "tts_leading_silence_ms": answer.leading_silence_ms,
        "first_frame_sent_ms": _milliseconds(turn.ended_s, answer.first_frame_s),
    }


def _interrupted_at_ms(end: commands.ShowReplyEnd | None, answer: _Answer | None) -> float | None:
    if end is None or answer is None or end.outcome is not Outcome.INTERRUPTED:
        return None
    return 1e3 * answer.played_s


def _milliseconds(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else max(0.0, 1e3 * (end_s - start_s))


def _leading_silence_ms(audio: VoiceAudio) -> float | None:
    if not audio.audio or len(audio.audio) % 2:
        return None
    samples = memoryview(audio.audio).cast("h")
    quiet = next((n for n, each in enumerate(samples) if abs(each) > _SILENT), len(samples))
    return 1e3 * quiet / audio.sample_rate_hertz


def _bound(held: dict[int, Any]) -> None:
    """Makes room for one more; the oldest goes."""
    while len(held) >= _MOST_WAITING:
        del held[next(iter(held))]
