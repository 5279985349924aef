"""What of a conversation goes into a transcript, and with which times."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from voicemesh_bot.conversation.commands import (
    Command,
    Outcome,
    ShowMessage,
    ShowReplyEnd,
)
from voicemesh_bot.conversation.events import Arrived, Departed, Event, Heard, Played, Tick
from voicemesh_bot.domain import Final, SpeechStarted
from voicemesh_bot.guilds import TranscriptLine
from voicemesh_bot.transcripts.notes import TranscriptNotes, TranscriptPlace

pytestmark = pytest.mark.unit

ANN = str(2**60)
PLACE = TranscriptPlace(guild_id=1, channel_id=3, session_id="s", bot_name="Ada")


@dataclass
class Script:
    """Plays events to the notes, by a clock on the wall."""

    now: float = 1000.0
    lines: list[TranscriptLine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = TranscriptNotes(PLACE, self.lines.append, now=lambda: self.now)
        self.happen(1000.0, Arrived(ANN, "Ann"))

    def happen(self, now: float, event: Event, *commands: Command) -> None:
        self.now = now
        self.notes.note(event, commands, now_s=5.0)

    def final(self, now: float, text: str, *, speaker: str = ANN, **timing: float) -> None:
        event = Heard(speaker, Final(1, 1, text, **timing))
        self.happen(now, event, ShowMessage(1, speaker, text, spoken=True, turn_id=1))


def test_a_turn_has_the_times_of_its_voice_and_not_of_its_words() -> None:
    script = Script()
    script.happen(1002.0, Heard(ANN, SpeechStarted(1)))
    script.final(1005.0, "hello", latency_s=0.5, speech_s=2.75)

    assert script.lines == [TranscriptLine(1, 3, "s", 1, int(ANN), "Ann", "hello", 1001.75, 1004.5)]


def test_without_the_length_of_its_voice_a_turn_begins_where_it_was_noticed() -> None:
    script = Script()
    script.happen(1002.0, Heard(ANN, SpeechStarted(1)))
    script.final(1005.0, "hello")

    assert (script.lines[0].start_time, script.lines[0].end_time) == (1002.0, 1005.0)


def test_of_the_bot_what_was_heard_is_noted_from_its_first_sound_on() -> None:
    script = Script()
    script.happen(1010.0, Played(1, 0.25))
    script.happen(1011.0, Played(1, 1.25))
    script.happen(1012.0, Tick(), ShowReplyEnd(1, Outcome.INTERRUPTED, "I think"))

    assert script.lines == [TranscriptLine(1, 3, "s", 1, None, "Ada", "I think", 1009.75, 1012.0)]


def test_what_nobody_heard_is_not_noted() -> None:
    script = Script()
    script.happen(1010.0, Tick(), ShowReplyEnd(1, Outcome.COMPLETE, "only written"))
    script.happen(1011.0, Played(2, 0.5))
    script.happen(1012.0, Tick(), ShowReplyEnd(2, Outcome.STOPPED, " "))
    script.happen(1013.0, Tick(), ShowMessage(1, ANN, "typed", spoken=False))

    assert script.lines == []


def test_lines_are_numbered_from_one_and_a_person_keeps_their_name_of_that_time() -> None:
    script = Script()
    script.final(1001.0, "one")
    script.happen(1002.0, Arrived(ANN, "Annie"))
    script.final(1003.0, "two")
    script.happen(1004.0, Departed(ANN))
    script.final(1005.0, "three")

    assert [(line.number, line.speaker) for line in script.lines] == [
        (1, "Ann"),
        (2, "Annie"),
        (3, ANN),
    ]


@pytest.mark.parametrize("speaker", ["you", "", "0", "-1", str(2**63), "9" * 5000, "٣"])
def test_who_is_nobody_on_discord_is_left_out(speaker: str) -> None:
    script = Script()
    script.final(1001.0, "hello", speaker=speaker)

    assert script.lines == []


def test_nothing_that_people_are_called_or_say_keeps_a_line_from_being_made() -> None:
    script = Script()
    script.happen(1001.0, Arrived(ANN, "\0" + "x" * 300))
    script.final(1002.0, "y" * 30_000, latency_s=-1.0)
    script.happen(1003.0, Arrived(ANN, " \0 "))
    script.final(1002.5, "a\0b", latency_s=3.0, speech_s=0.0)

    assert [(len(line.speaker), len(line.text)) for line in script.lines] == [(100, 20_000), (1, 2)]
    assert all(line.end_time >= line.start_time for line in script.lines)
