"""Each turn is recorded with its own times, or with none."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import pytest

from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    Command,
    Outcome,
    ShowMessage,
    ShowReplyEnd,
    ShowReplyStart,
)
from voicemesh_bot.conversation.events import (
    Event,
    Heard,
    HearingLost,
    Played,
    ReplyProgress,
    Tick,
    VoiceProgress,
)
from voicemesh_bot.domain import (
    Address,
    Final,
    ListeningEvent,
    ModelText,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
    VoiceAudio,
)
from voicemesh_bot.record import Speculation, TurnRecord
from voicemesh_bot.record.recorder import Speakers, TurnRecorder

pytestmark = pytest.mark.unit


def sound(*, silent: int = 0, packets: bool = False) -> VoiceAudio:
    """A tenth of a second that begins with that many silent samples."""
    samples = b"" if packets else array("h", [3] * silent + [9000] * (2400 - silent)).tobytes()
    return VoiceAudio(samples, 24_000, 0.1, (0, 5))


@dataclass
class Script:
    """Plays events to a recorder."""

    records: list[TurnRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recorder = TurnRecorder(self.records.append, Speakers())

    def at(self, now_s: float, event: Event, *commands: Command) -> None:
        self.recorder.note(event, commands, now_s)

    def hear(self, now_s: float, speaker: str, event: ListeningEvent, *commands: Command) -> None:
        self.at(now_s, Heard(speaker, event), *commands)

    def ask(self, now_s: float, speaker: str, turn_id: int, message_id: int) -> None:
        """A whole turn, as short as can be, that is meant for the bot."""
        self.hear(now_s - 1.0, speaker, SpeechStarted(turn_id))
        shown = ShowMessage(message_id, speaker, "well", True, Address.ALONE, turn_id)
        self.hear(now_s, speaker, Final(turn_id, 0, "well"), shown)

    @property
    def record(self) -> TurnRecord:
        (only,) = self.records
        return only


def guessed(reply_id: int, revision: int, turn_id: int = 1, speaker: str = "7") -> BeginReply:
    """An answer to a turn that may not be over."""
    return BeginReply(reply_id, (), speaker, turn_id, revision, speculative=True)


def test_every_stage_of_an_answered_turn_counts_from_the_last_voiced_sound() -> None:
    script = Script()
    script.hear(10.0, "7", SpeechStarted(1))
    soft = SoftFinal(1, 1, "what is it", end_of_turn_probability=0.9)
    script.hear(12.3, "7", soft, guessed(1, 1))
    script.at(12.4, ReplyProgress(1, ModelText("It is")))
    script.at(12.45, ReplyProgress(1, ModelText(" a fine day, and")))
    final = Final(
        1, 1, "What is it?", latency_s=0.4, speech_s=2.0, queue_s=0.01, recognition_s=0.09
    )
    final = Final(
        1, 1, "what  is it", latency_s=0.4, speech_s=2.0, queue_s=0.01, recognition_s=0.09
    )
    message = ShowMessage(1, "7", "what is it", True, Address.NAMED, 1, 1)
    script.hear(12.5, "7", final, message, ShowReplyStart(1, 1, (1,)))
    script.at(12.58, VoiceProgress(1, sound(silent=240)))
    script.at(12.6, VoiceProgress(1, sound(silent=2400)))
    script.at(12.64, Played(1, 0.0))
    script.at(12.66, Played(1, 0.02))
    script.at(13.66, Played(1, 1.02))
    assert script.records == []
    script.at(14.0, Tick(), ShowReplyEnd(1, Outcome.COMPLETE, "It is a fine day, and"))

    record = script.record
    assert (record.speaker, record.turn_id, record.revisions, record.n_talking) == (1, 1, 1, 1)
    assert record.addressed_reason is Address.NAMED
    assert record.outcome is Outcome.COMPLETE
    assert record.speculation is Speculation.USED
    assert record.speculations_wasted == 0
    assert record.smart_turn_p == 0.9
    assert record.heard_chars == 21
    assert record.interrupted_at_ms is None
    times = {
        "speech": 2000,
        "soft_stop": 100,
        "stt_queue": 10,
        "stt": 90,
        "transcript_ready": 200,
        "gate": 400,
        "llm_ttft": 100,
        "first_clause": 50,
        "tts_ttfb": 80,
        "tts_leading_silence": 10,
        "first_frame_sent": 560,
    }
    found = {name: getattr(record, f"{name}_ms") for name in times}
    assert found == pytest.approx(times)


def test_words_that_came_only_with_the_final_were_ready_only_then() -> None:
    script = Script()
    script.hear(10.0, "7", SpeechStarted(1))
    script.hear(12.3, "7", SoftFinal(1, 1, "what is"))
    script.hear(12.35, "7", TurnResumed(1, 1))
    message = ShowMessage(1, "7", "what is it", True, None, 1, 1)
    script.hear(13.5, "7", Final(1, 1, "what is it", latency_s=0.5), message)

    assert script.record.transcript_ready_ms == pytest.approx(500)
    assert script.record.gate_ms == pytest.approx(500)
    assert script.record.stt_ms is None
    assert script.record.soft_stop_ms is None
    assert script.record.speech_ms is None


def test_words_that_were_not_for_the_bot_are_recorded_at_once() -> None:
    script = Script()
    script.hear(1.0, "7", SpeechStarted(1))
    script.hear(
        2.0, "7", Final(1, 0, "so", latency_s=0.3), ShowMessage(1, "7", "so", True, None, 1)
    )

    assert script.record.addressed_reason is None
    assert script.record.outcome is None
    assert script.record.first_frame_sent_ms is None


def test_times_of_one_turn_are_never_those_of_another() -> None:
    script = Script()
    script.ask(10.0, "7", 1, message_id=1)
    script.at(10.0, Tick(), BeginReply(1, ()), ShowReplyStart(1, 1, (1,)))
    script.at(10.2, ReplyProgress(1, ModelText("One two three, four")))
    script.at(10.4, VoiceProgress(1, sound()))
    script.at(10.5, Played(1, 0.1))
    script.at(11.0, Tick(), ShowReplyEnd(1, Outcome.COMPLETE, "One"))
    script.ask(20.0, "7", 2, message_id=2)
    script.at(20.0, Tick(), BeginReply(2, ()), ShowReplyStart(2, 2, (2,)))
    script.at(20.1, Played(1, 5.0))  # late news of the first answer
    script.at(21.0, Tick(), ShowReplyEnd(2, Outcome.FAILED, ""))

    second = script.records[1]
    assert second.turn_id == 2
    assert second.outcome is Outcome.FAILED
    stages = (
        second.llm_ttft_ms,
        second.first_clause_ms,
        second.tts_ttfb_ms,
        second.tts_leading_silence_ms,
        second.first_frame_sent_ms,
    )
    assert stages == (None,) * 5


def test_work_done_before_the_voice_ended_counts_as_none() -> None:
    script = Script()
    script.hear(1.0, "7", SpeechStarted(1))
    script.hear(2.0, "7", SoftFinal(1, 1, "yes"))
    message = ShowMessage(1, "7", "yes", True, None, 1)
    late = Final(1, 1, "yes", latency_s=0.1, queue_s=0.2, recognition_s=0.3)
    script.hear(2.5, "7", late, message)

    assert script.record.transcript_ready_ms == 0
    assert script.record.soft_stop_ms == 0


def test_guesses_that_did_not_hold_are_counted_as_wasted() -> None:
    script = Script()
    script.hear(1.0, "7", SpeechStarted(1))
    script.hear(2.0, "7", SoftFinal(1, 1, "a"), guessed(1, 1))
    script.hear(2.1, "7", TurnResumed(1, 1), CancelReply(1))
    script.hear(3.0, "7", SoftFinal(1, 2, "a b"), guessed(2, 2))
    script.hear(3.1, "7", TurnResumed(1, 2), CancelReply(2))
    message = ShowMessage(1, "7", "a b c", True, Address.ALONE, 1, 2)
    script.hear(4.0, "7", Final(1, 2, "a b c"), message, BeginReply(3, ()), ShowReplyStart(3, 1))
    script.at(5.0, Tick(), ShowReplyEnd(3, Outcome.COMPLETE, "ok"))

    assert script.record.speculation is Speculation.WASTED
    assert script.record.speculations_wasted == 2
    assert script.record.revisions == 2


def test_of_several_guesses_the_one_that_held_was_used() -> None:
    script = Script()
    script.hear(1.0, "7", SpeechStarted(1))
    script.hear(2.0, "7", SoftFinal(1, 1, "a"), guessed(1, 1))
    script.hear(2.1, "7", TurnResumed(1, 1), CancelReply(1))
    script.hear(3.0, "7", SoftFinal(1, 2, "a b"), guessed(2, 2))
    message = ShowMessage(1, "7", "a b", True, Address.ALONE, 1, 2)
    script.hear(4.0, "7", Final(1, 2, "a b"), message, ShowReplyStart(2, 1, (1,)))
    script.at(5.0, Tick(), ShowReplyEnd(2, Outcome.COMPLETE, "ok"))

    assert script.record.speculation is Speculation.USED
    assert script.record.speculations_wasted == 1


def test_an_interruption_says_how_much_was_played_before_it() -> None:
    script = Script()
    script.ask(10.0, "7", 1, message_id=1)
    script.at(10.0, Tick(), BeginReply(1, ()), ShowReplyStart(1, 1, (1,)))
    script.at(11.0, Played(1, 0.5))
    script.at(11.7, Played(1, 1.2))
    script.at(11.8, Tick(), ShowReplyEnd(1, Outcome.INTERRUPTED, "I think"))

    assert script.record.interrupted_at_ms == pytest.approx(1200)
    assert script.record.heard_chars == 7


def test_two_people_answered_together_have_a_record_each() -> None:
    script = Script()
    script.ask(10.0, "7", 1, message_id=1)
    script.ask(10.4, "8", 1, message_id=2)
    script.at(10.4, Tick(), BeginReply(1, ()), ShowReplyStart(1, 2, (1, 2)))
    script.at(11.0, Played(1, 0.02))
    script.at(12.0, Tick(), ShowReplyEnd(1, Outcome.COMPLETE, "Both"))

    assert [each.speaker for each in script.records] == [1, 2]
    times = [each.first_frame_sent_ms for each in script.records]
    assert times == pytest.approx([1000, 600])


def test_a_question_whose_answer_was_cut_for_another_has_one_record() -> None:
    script = Script()
    script.ask(10.0, "7", 1, message_id=1)
    script.at(10.0, Tick(), BeginReply(1, ()), ShowReplyStart(1, 1, (1,)))
    script.ask(10.5, "8", 1, message_id=2)
    script.at(10.5, Tick(), ShowReplyEnd(1, Outcome.SUPERSEDED, ""), BeginReply(2, ()))
    script.at(10.5, Tick(), ShowReplyStart(2, 2, (1, 2)))
    script.at(12.0, Tick(), ShowReplyEnd(2, Outcome.COMPLETE, "Both"))

    assert [(each.speaker, each.outcome) for each in script.records] == [
        (1, Outcome.SUPERSEDED),
        (2, Outcome.COMPLETE),
    ]


def test_who_talks_at_the_end_of_a_turn_is_counted() -> None:
    script = Script()
    for speaker in ("7", "8", "9"):
        script.hear(1.0, speaker, SpeechStarted(1))
    script.at(1.5, HearingLost("9"))
    script.hear(2.0, "7", Final(1, 0, "so"), ShowMessage(1, "7", "so", True, None, 1))
    script.hear(3.0, "8", Final(1, 0, "so"), ShowMessage(2, "8", "so", True, None, 1))

    assert [each.n_talking for each in script.records] == [2, 1]


def test_a_written_message_counts_from_its_sending() -> None:
    script = Script()
    message = ShowMessage(1, "you", "hi", False, Address.WRITTEN)
    script.at(5.0, Tick(), message, BeginReply(1, ()), ShowReplyStart(1, 1))
    script.at(5.2, ReplyProgress(1, ModelText("Hello")))
    script.at(5.4, VoiceProgress(1, sound(packets=True)))
    script.at(5.5, Played(1, 0.02))
    script.at(6.0, Tick(), ShowReplyEnd(1, Outcome.COMPLETE, "Hello"))

    record = script.record
    assert (record.turn_id, record.n_talking, record.revisions) == (0, 0, 0)
    assert record.gate_ms is None
    assert record.llm_ttft_ms == pytest.approx(200)
    assert record.first_clause_ms == 0  # too short for a clause: the voice got what there was
    assert record.tts_ttfb_ms == pytest.approx(200)
    assert record.tts_leading_silence_ms is None
    assert record.first_frame_sent_ms == pytest.approx(500)


def test_noise_is_no_turn() -> None:
    script = Script()
    script.hear(1.0, "7", SpeechStarted(1))
    script.hear(2.0, "7", Final(1, 0, " "))

    assert script.records == []


def test_events_of_unknown_turns_and_answers_are_left_alone() -> None:
    script = Script()
    script.hear(1.0, "7", SoftFinal(3, 1, "x"))
    script.hear(1.0, "7", Final(3, 1, "x"))
    script.at(1.0, ReplyProgress(9, ModelText("x")))
    script.at(1.0, VoiceProgress(9, sound()))
    script.at(1.0, Played(9, 1.0))
    script.at(
        1.0, Tick(), CancelReply(9), ShowReplyStart(9, 9), ShowReplyEnd(9, Outcome.STOPPED, "")
    )

    assert script.records == []


def test_questions_that_are_never_answered_do_not_pile_up() -> None:
    script = Script()
    for number in range(1, 201):
        script.ask(float(number), "7", number, message_id=number)

    assert [each.turn_id for each in script.records] == list(range(1, 137))
    assert {each.outcome for each in script.records} == {None}
