"""What the page is told."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from voicemesh_bot.console.replies import as_message
from voicemesh_bot.conversation.commands import (
    DuckAudio,
    EndAudio,
    FrontCommand,
    Outcome,
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
from voicemesh_bot.conversation.timeline import Timing
from voicemesh_bot.domain import Backend, VoiceAudio

pytestmark = pytest.mark.unit

COMMANDS: tuple[FrontCommand, ...] = (
    PlayAudio(1, VoiceAudio(b"\0\0", 24_000, 0.1, (0, 1))),
    EndAudio(1, 0.1),
    StopAudio(1),
    PauseAudio(1),
    ResumeAudio(1),
    DuckAudio(True),
    ShowListening("ann", 1),
    ShowPartial("ann", 1, "what", "is"),
    ShowSilence("ann"),
    ShowMessage(1, "ann", "What is it?", True),
    ShowReplyStart(1, 1),
    ShowReplyText(1, "Noon."),
    ShowReplyEnd(1, Outcome.COMPLETE, "Noon."),
    ShowTiming(1, Timing({}, False)),
    ShowNotice("It is back.", Backend.TTS),
    ShowTrouble(Backend.TTS, True),
)


def test_the_page_can_be_told_everything() -> None:
    assert {type(command) for command in COMMANDS} == set(get_args(FrontCommand))
    assert all(as_message(command) for command in COMMANDS)


@pytest.mark.parametrize(("command", "on"), [(PauseAudio(7), True), (ResumeAudio(7), False)])
def test_a_pause_and_its_end_are_one_kind_of_message(command: FrontCommand, on: bool) -> None:
    assert json.loads(as_message(command)) == {"type": "audio_pause", "reply_id": 7, "on": on}
