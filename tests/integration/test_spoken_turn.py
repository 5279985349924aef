"""A question is heard, answered and spoken by the three services together."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from voicemesh_client import (
    GenerationDelta,
    GenerationFinished,
    GenerationOptions,
    GenerationStarted,
    Health,
    InvalidArgumentError,
    Role,
    SpeechToText,
    TextToSpeech,
    Trainer,
    Turn,
    check_health,
)
from voicemesh_launcher.demo.dialogue import hold_conversation
from voicemesh_launcher.demo.recording import recorded_question
from voicemesh_launcher.demo.report import judge

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

GREEDY = GenerationOptions(temperature=0.0)


async def test_every_service_is_serving(targets: dict[str, str]) -> None:
    for target in targets.values():
        assert await check_health(target) is Health.SERVING


async def test_a_recorded_question_gets_a_spoken_answer(targets: dict[str, str]) -> None:
    question = recorded_question()
    async with (
        SpeechToText(targets["stt"]) as stt,
        Trainer(targets["trainer"]) as trainer,
        TextToSpeech(targets["tts"]) as tts,
    ):
        conversation = await hold_conversation(question, stt, trainer, tts)

    assert judge(conversation, question.text).sentence == ""
    timeline = conversation.timeline
    assert timeline.speech_s == pytest.approx(question.duration_s, abs=1.0)
    assert timeline.final_s > 0
    assert timeline.asked_s <= timeline.first_token_s <= timeline.last_token_s
    assert timeline.first_token_s <= timeline.first_audio_s <= timeline.last_audio_s


async def test_an_answer_has_a_beginning_words_and_an_end(targets: dict[str, str]) -> None:
    history = [Turn(Role.USER, "What is the capital of France?", speaker="Ann")]
    async with Trainer(targets["trainer"]) as trainer:
        answer = trainer.generate(history, tenant="test", options=GREEDY)
        events = [event async for event in answer]

    started, *deltas, finished = events
    assert isinstance(started, GenerationStarted)
    assert started.response_id
    assert isinstance(finished, GenerationFinished)
    assert finished.usage.output_tokens > 0
    text = "".join(delta.text for delta in deltas if isinstance(delta, GenerationDelta))
    assert "Paris" in text


async def test_an_answer_that_is_not_wanted_any_more_makes_room_for_the_next(
    targets: dict[str, str],
) -> None:
    history = [Turn(Role.USER, "Tell me a long story about horses.")]
    async with Trainer(targets["trainer"]) as trainer:
        for _ in range(12):  # more than the service lets wait
            async with aclosing(trainer.generate(history, tenant="test")) as events:
                await anext(events)


async def test_a_conversation_without_a_question_is_an_invalid_argument(
    targets: dict[str, str],
) -> None:
    async with Trainer(targets["trainer"]) as trainer:
        with pytest.raises(InvalidArgumentError) as caught:
            await anext(trainer.generate([], tenant="test"))

    assert caught.value.field == "history"
