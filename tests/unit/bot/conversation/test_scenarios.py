"""Scripted scenes of several people, with the times at which things must and must not happen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from voicemesh_bot.conversation.commands import (
    BeginReply,
    DuckAudio,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    ShowMessage,
    ShowReplyEnd,
    ShowSilence,
    StopAudio,
)
from voicemesh_bot.conversation.events import Departed, HearingLost, StopPressed, Typed

if TYPE_CHECKING:
    from tests.unit.bot.conversation.conftest import World
    from voicemesh_bot.conversation.commands import Command

pytestmark = pytest.mark.unit

SCENARIOS = yaml.safe_load(Path(__file__).with_name("scenarios.yaml").read_text(encoding="utf-8"))
KINDS = {
    BeginReply: "begin",
    PlayAudio: "play",
    PauseAudio: "pause",
    ResumeAudio: "resume",
    StopAudio: "stop",
    ShowSilence: "silence",
    ShowMessage: "message",
}


def _name(command: Command) -> str | None:
    if isinstance(command, DuckAudio):
        return "duck" if command.ducked else "unduck"
    if isinstance(command, ShowReplyEnd):
        return str(command.outcome)
    return KINDS.get(type(command))


def _start(world: World, step: dict[str, Any]) -> None:
    step = dict(step)
    world.run(step.pop("at") / 1000 - world.now_s)
    if speaker := step.pop("speak", None):
        world.speak(speaker, step.pop("says"), **step)
    elif speaker := step.pop("type", None):
        world.do(Typed(speaker, step.pop("says")))
    elif speaker := step.pop("leave", None):
        world.do(Departed(speaker))
    elif speaker := step.pop("lose", None):
        world.do(HearingLost(speaker))
    elif speaker := step.pop("arrive", None):
        world.arrive(speaker, **step)
    else:
        assert step.pop("press") == "stop"
        world.do(StopPressed())


def _check(world: World, expected: dict[str, Any]) -> None:
    from_s, to_s = expected.get("from", 0) / 1000, expected.get("to", 1e9) / 1000
    # To the millisecond: the sums of the clock are not exact.
    times = [(round(at_s, 3), _name(command)) for at_s, command in world.log]
    between = [name for at_s, name in times if from_s <= at_s <= to_s]
    if (wanted := expected.get("see")) is not None:
        assert wanted in between, f"{wanted} is missing: {times}"
    if (unwanted := expected.get("absent")) is not None:
        assert unwanted not in between, f"{unwanted} is there: {times}"
    if (count := expected.get("answers")) is not None:
        begun = {c.reply_id for _, c in world.log if isinstance(c, ShowReplyEnd)}
        assert len(begun) == count, times
    if (asked := expected.get("asked")) is not None:
        begins = [c for _, c in world.log if isinstance(c, BeginReply)]
        assert [f"{t.speaker or 'bot'}: {t.text}" for t in begins[-1].history] == asked
    if (history := expected.get("history")) is not None:
        turns = world.conversation.history
        assert [f"{t.speaker or 'bot'}: {t.text}" for t in turns] == history
    if (reason := expected.get("address")) is not None:
        last = [c for _, c in world.log if isinstance(c, ShowMessage)][-1]
        assert (str(last.address) if last.address else "none") == reason


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each["it"] for each in SCENARIOS])
def test_scenario(scenario: dict[str, Any], make_world: type[World]) -> None:
    options = {"names": ("Max", "Voice Mesh"), **scenario.get("options", {})}
    if "answer" in scenario:
        options["answer"] = scenario["answer"]
    world = make_world(**options)
    for person in scenario.get("people", ["ann", "bob"]):
        about = person if isinstance(person, dict) else {"speaker": person}
        world.arrive(**about)
    for step in scenario["script"]:
        _start(world, step)
    world.settle()
    for expected in scenario["expect"]:
        _check(world, expected)
