"""What the bot counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.commands import Outcome, ShowNotice, ShowReplyEnd, ShowTiming
from voicemesh_bot.conversation.timeline import Mark, Timing
from voicemesh_bot.domain import Backend
from voicemesh_bot.metrics import BotMetrics, MeteredAudience
from voicemesh_chassis.metrics import new_registry

if TYPE_CHECKING:
    from voicemesh_bot.conversation.commands import FrontCommand

pytestmark = pytest.mark.unit


class Nobody:
    """An audience that only takes."""

    async def deliver(self, command: FrontCommand) -> None:
        pass


async def test_an_answer_is_counted_once_with_its_last_timing() -> None:
    registry = new_registry()
    audience = MeteredAudience(Nobody(), BotMetrics(registry), front="console")
    early = Timing({Mark.END_OF_SPEECH: 0.0, Mark.TRANSCRIPT: 0.5}, speculative=False)
    late = Timing({**early.marks_s, Mark.FIRST_SOUND_PLAYED: 0.8}, speculative=False)
    for timing in (early, late):
        await audience.deliver(ShowTiming(1, timing))
    await audience.deliver(ShowReplyEnd(1, Outcome.COMPLETE, "Hi."))

    turns = {"front": "console", "outcome": "complete"}
    assert registry.get_sample_value("voicemesh_bot_turns_total", turns) == 1
    stage = "voicemesh_bot_stage_seconds_sum"
    assert registry.get_sample_value(stage, {"stage": "transcript"}) == 0.5
    assert registry.get_sample_value(stage, {"stage": "total"}) == 0.8


async def test_bad_news_is_counted_and_good_news_is_not() -> None:
    registry = new_registry()
    audience = MeteredAudience(Nobody(), BotMetrics(registry), front="console")
    await audience.deliver(ShowNotice("It is gone.", Backend.TTS))
    await audience.deliver(ShowNotice("It is back.", Backend.TTS, good=True))

    problems = registry.get_sample_value("voicemesh_bot_problems_total", {"backend": "tts"})
    assert problems == 1


async def test_a_failure_that_is_told_in_its_turn_is_counted() -> None:
    registry = new_registry()
    audience = MeteredAudience(Nobody(), BotMetrics(registry), front="console")
    await audience.deliver(ShowReplyEnd(1, Outcome.FAILED, "", sentence="It could not be reached."))

    problems = registry.get_sample_value("voicemesh_bot_problems_total", {"backend": "trainer"})
    assert problems == 1
