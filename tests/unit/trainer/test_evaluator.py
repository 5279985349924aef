"""Tests of models, with answers that are scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.errors import InvalidArgumentError, OverloadedError
from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    Finished,
    FinishReason,
    ModelInfo,
    Started,
    TokenUsage,
)
from voicemesh_trainer.domain.evaluations import (
    Compared,
    Evaluation,
    EvaluationCase,
    EvaluationScores,
    Prediction,
    Verdict,
)
from voicemesh_trainer.errors import EvaluationsBusyError, ModelFailedError, ModelNotFoundError
from voicemesh_trainer.evaluation.evaluator import EvaluationLimits, Evaluator

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import GenerationEvent
    from voicemesh_trainer.domain.evaluations import EvaluationEvent

pytestmark = pytest.mark.unit

CASES = tuple(EvaluationCase(f"question {number}", f"answer {number}") for number in range(4))


@dataclass
class World:
    """Answers, models, stored scores and counts: all that a test of models needs."""

    says: Callable[[Conversation], str | Exception]
    """What a model answers, or raises."""
    asked: list[Conversation] = field(default_factory=list)
    kept: list[EvaluationScores] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    now: int = 0
    most: int = 0
    gate: asyncio.Event | None = None
    stand_in: str = ""

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        self.asked.append(conversation)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.gate is not None:
                await self.gate.wait()
            await asyncio.sleep(0)
            said = self.says(conversation)
            if isinstance(said, Exception):
                raise said
            yield Started("id", self.stand_in or conversation.model, 0)
            yield Delta(said)
            yield Finished(FinishReason.STOP, TokenUsage(), 0.25, 0.5)
        finally:
            self.now -= 1

    async def find(self, tenant: str, name: str, *, field: str = "model") -> ModelInfo:
        if name not in ("", "new", "old", "judge"):
            msg = "no such model"
            raise ModelNotFoundError(msg, field=field)
        return ModelInfo(name or "old", "local")

    async def add(self, tenant: str, scores: EvaluationScores) -> None:
        self.kept.append(scores)

    async def of_model(self, tenant: str, model: str) -> tuple[EvaluationScores, ...]:
        return ()

    async def latest(self, tenant: str) -> dict[str, EvaluationScores]:
        return {}

    def evaluated(self, outcome: str) -> None:
        self.outcomes.append(outcome)

    async def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)

    def evaluator(self, concurrency: int = 2) -> Evaluator:
        limits = EvaluationLimits(concurrency, runs=1)
        return Evaluator(self, self, self, limits, self, now=lambda: 7.0, sleep=self.sleep)


def right(conversation: Conversation) -> str:
    return conversation.history[-1].text.replace("question", "answer")


async def events_of(world: World, concurrency: int = 2, **fields: object) -> list[EvaluationEvent]:
    evaluation = Evaluation(**{"tenant": "t", "model": "new", "cases": CASES, **fields})  # type: ignore[arg-type] # fields of the test's choice
    async with aclosing(world.evaluator(concurrency).run(evaluation)) as events:
        return [event async for event in events]


async def test_predictions_come_in_order_and_scores_last_and_are_kept() -> None:
    world = World(right)

    *predictions, scores = await events_of(world)

    assert [each.case_index for each in predictions if isinstance(each, Prediction)] == [0, 1, 2, 3]
    first = predictions[0]
    assert isinstance(first, Prediction)
    assert (first.text, first.exact_match, first.normalized_match) == ("answer 0", True, True)
    assert (first.token_f1, first.first_token_s, first.total_s) == (1, 0.25, 0.5)
    assert isinstance(scores, EvaluationScores)
    assert (scores.case_count, scores.exact_match, scores.token_f1) == (4, 1, 1)
    assert (scores.median_s, scores.evaluate_time) == (0.5, 7.0)
    assert world.kept == [scores]
    assert world.outcomes == ["finished"]
    assert all(each.sampling.temperature == 0 for each in world.asked)


async def test_no_more_questions_at_once_than_allowed() -> None:
    world = World(right)
    await events_of(world, concurrency=3)
    assert world.most == 3

    world = World(right)
    await events_of(world, concurrency=1)
    assert world.most == 1


async def test_two_models_answer_every_case_side_by_side() -> None:
    def says(conversation: Conversation) -> str:
        return right(conversation) if conversation.model == "new" else "nonsense"

    world = World(says)
    *predictions, compared, scores = await events_of(world, compared_model="old")

    told = [(each.case_index, each.model) for each in predictions if isinstance(each, Prediction)]
    assert told == [(index, name) for index in range(4) for name in ("new", "old")]
    assert isinstance(compared, Compared)
    assert isinstance(scores, EvaluationScores)
    assert (compared.scores.model, scores.model) == ("old", "new")
    assert compared.scores.quality < scores.quality
    assert compared.scores.cases_sha256 == scores.cases_sha256
    assert world.kept == [scores, compared.scores]


async def test_an_error_of_one_case_does_not_end_the_run() -> None:
    def says(conversation: Conversation) -> str | Exception:
        if "1" in conversation.history[-1].text:
            return ModelFailedError("it broke off")
        if "2" in conversation.history[-1].text:
            return RuntimeError("secret")
        return right(conversation)

    *predictions, scores = await events_of(World(says))

    errors = [each.error for each in predictions if isinstance(each, Prediction)]
    assert errors[::3] == ["", ""]
    assert errors[1] == "it broke off"
    assert "secret" not in errors[2]
    assert isinstance(scores, EvaluationScores)
    assert (scores.error_count, scores.exact_match) == (2, 0.5)


async def test_a_busy_model_is_asked_again() -> None:
    refusals = [OverloadedError("busy", retry_after_s=3), OverloadedError("busy", retry_after_s=60)]

    def says(conversation: Conversation) -> str | Exception:
        return refusals.pop(0) if refusals else right(conversation)

    world = World(says)
    *_, scores = await events_of(world, concurrency=1)

    assert isinstance(scores, EvaluationScores)
    assert scores.error_count == 0
    assert world.waits_s == [3, 10]


async def test_a_model_that_is_always_busy_is_an_error() -> None:
    world = World(lambda _: OverloadedError("busy", retry_after_s=1))
    *_, scores = await events_of(world, cases=CASES[:1])

    assert isinstance(scores, EvaluationScores)
    assert scores.error_count == 1
    assert len(world.asked) == 5


async def test_an_answer_of_another_model_is_not_the_models() -> None:
    prediction, scores = await events_of(World(right, stand_in="local"), cases=CASES[:1])

    assert isinstance(prediction, Prediction)
    assert prediction.error == "model new did not answer; local stood in for it"
    assert isinstance(scores, EvaluationScores)
    assert scores.error_count == 1


async def test_an_answer_from_memory_counts_for_the_model() -> None:
    prediction, _ = await events_of(World(right, stand_in="memory"), cases=CASES[:1])

    assert isinstance(prediction, Prediction)
    assert prediction.exact_match


async def test_a_judge_says_of_each_answer_whether_it_is_right() -> None:
    verdicts: list[str | Exception] = ["Yes.", "no", "I cannot say", ModelFailedError("down")]

    def says(conversation: Conversation) -> str | Exception:
        return verdicts.pop(0) if conversation.model == "judge" else right(conversation)

    *predictions, scores = await events_of(World(says), 1, judge_model="judge")

    told = [each.verdict for each in predictions if isinstance(each, Prediction)]
    assert told == [Verdict.RIGHT, Verdict.WRONG, None, None]
    assert isinstance(scores, EvaluationScores)
    assert (scores.judged_count, scores.judged_right, scores.error_count) == (2, 0.5, 0)


async def test_whether_memory_is_used_is_passed_on() -> None:
    for disabled in (True, False):
        world = World(right)
        await events_of(world, memory_disabled=disabled)
        assert {each.memory_disabled for each in world.asked} == {disabled}


@pytest.mark.parametrize("field", ["model", "compared_model", "judge_model"])
async def test_a_model_that_is_not_there_is_named_before_anything_is_asked(field: str) -> None:
    world = World(right)
    with pytest.raises(ModelNotFoundError) as caught:
        await events_of(world, 1, **{field: "nobody"})

    assert caught.value.metadata["field"] == field
    assert not world.asked


async def test_a_model_is_not_compared_with_itself() -> None:
    with pytest.raises(InvalidArgumentError, match="compared_model is old"):
        await events_of(World(right), model="", compared_model="old")


async def test_who_goes_away_stops_all_questions_and_nothing_is_kept() -> None:
    world = World(right)
    async with aclosing(world.evaluator().run(Evaluation("t", "new", CASES))) as events:
        await anext(events)
        world.gate = asyncio.Event()

    assert (world.now, world.kept, world.outcomes) == (0, [], ["cancelled"])


async def test_only_so_many_tests_run_at_once() -> None:
    world = World(right)
    evaluator = world.evaluator()
    async with aclosing(evaluator.run(Evaluation("t", "new", CASES))) as events:
        await anext(events)
        with pytest.raises(EvaluationsBusyError):
            await anext(evaluator.run(Evaluation("t", "new", CASES)))

    async with aclosing(evaluator.run(Evaluation("t", "new", CASES))) as events:
        await anext(events)
