"""Asks models the questions of a test, with as many at once as it may."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import (
    InvalidArgumentError,
    OverloadedError,
    ServiceError,
)
from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    Finished,
    Role,
    Sampling,
    Started,
    Turn,
)
from voicemesh_trainer.domain.evaluations import Compared, Prediction
from voicemesh_trainer.errors import EvaluationsBusyError, ModelFailedError
from voicemesh_trainer.evaluation.judging import question_to_judge, verdict_in
from voicemesh_trainer.evaluation.scoring import score
from voicemesh_trainer.evaluation.totals import Totals, cases_sha256
from voicemesh_trainer.memory.answers import MEMORY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

    from voicemesh_trainer.domain.evaluations import (
        Evaluation,
        EvaluationCase,
        EvaluationEvent,
        Verdict,
    )
    from voicemesh_trainer.ports.evaluations import Answers, EvaluationMeter, ModelFinder
    from voicemesh_trainer.ports.models import EvaluationStore

__all__ = ("EvaluationLimits", "Evaluator")

_logger = get_logger(__name__)

_SAMPLING = Sampling(temperature=0.0)
"""The likeliest tokens, so that a second test gives the same scores."""
_ATTEMPTS = 5
_LONGEST_WAIT_S = 10.0
_RETRY_S = 5.0


@dataclass(frozen=True)
class EvaluationLimits:
    """What tests may take of the server."""

    concurrency: int
    """Questions of one test asked at once."""
    runs: int
    """Tests at once; further ones are refused."""


@dataclass(frozen=True)
class _Test:
    """What every question of a test is asked with."""

    tenant: str
    memory_disabled: bool
    judge: str


class Evaluator:
    """Runs tests; belongs to one event loop.

    Args:
        answers: gives the answers, as callers get them.
        models: finds models by name.
        store: keeps the scores.
        limits: what tests may take.
        meter: counts them.
        now: the time in seconds since 1970.
        sleep: waits before a busy model is asked again, in seconds.
    """

    def __init__(  # noqa: PLR0913 - its neighbours, each used for one thing
        self,
        answers: Answers,
        models: ModelFinder,
        store: EvaluationStore,
        limits: EvaluationLimits,
        meter: EvaluationMeter,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._answers = answers
        self._models = models
        self._store = store
        self._limits = limits
        self._meter = meter
        self._now = now
        self._sleep = sleep
        self._runs = 0

    async def run(self, evaluation: Evaluation) -> AsyncGenerator[EvaluationEvent, None]:
        """Yields predictions in the order of the cases, of the compared model each after its own.

        Then come the scores of the compared model, if there is one, and last the scores; both are
        kept by then. Closing the generator stops all questions, and nothing is kept.

        Raises:
            ModelNotFoundError: if there is no such model.
            InvalidArgumentError: if both models are the same.
            EvaluationsBusyError: if as many tests as may be are running.
            DatabaseUnavailableError: if the scores cannot be kept.
        """
        models = await self._named(evaluation)
        if self._runs >= self._limits.runs:
            msg = f"{self._runs} evaluations are running, as many as may be; try again later"
            raise EvaluationsBusyError(msg, retry_after_s=_RETRY_S)
        self._runs += 1
        outcome = "cancelled"
        try:
            totals = {model: Totals() for model in models}
            async with aclosing(self._predictions(evaluation, models)) as predictions:
                async for prediction in predictions:
                    totals[prediction.model].add(prediction)
                    yield prediction
            disabled = evaluation.memory_disabled
            cases = await asyncio.to_thread(
                cases_sha256, evaluation.cases, memory_disabled=disabled
            )
            scores = [totals[model].scores(model, cases, self._now()) for model in models]
            for each in scores:
                await self._store.add(evaluation.tenant, each)
            outcome = "finished"
            for each in scores[1:]:
                yield Compared(each)
            yield scores[0]
        except ServiceError:
            outcome = "failed"
            raise
        finally:
            self._runs -= 1
            self._meter.evaluated(outcome)

    async def _named(self, evaluation: Evaluation) -> tuple[str, ...]:
        """The names of the models that are tested; all of them can be found, the judge too."""
        tenant = evaluation.tenant
        model = (await self._models.find(tenant, evaluation.model)).name
        if evaluation.judge_model:
            await self._found(tenant, evaluation.judge_model, "judge_model")
        if not evaluation.compared_model:
            return (model,)
        compared = await self._found(tenant, evaluation.compared_model, "compared_model")
        if compared == model:
            msg = f"compared_model is {compared}, which is the evaluated model itself"
            raise InvalidArgumentError(msg, field="compared_model")
        return (model, compared)

    async def _found(self, tenant: str, name: str, field: str) -> str:
        return (await self._models.find(tenant, name, field=field)).name

    async def _predictions(
        self, evaluation: Evaluation, models: tuple[str, ...]
    ) -> AsyncGenerator[Prediction, None]:
        test = _Test(evaluation.tenant, evaluation.memory_disabled, evaluation.judge_model)
        asked: deque[asyncio.Task[Prediction]] = deque()
        work = self._work(test, evaluation.cases, models)
        try:
            while True:
                while len(asked) < self._limits.concurrency and (task := next(work, None)):
                    asked.append(task)
                if not asked:
                    return
                prediction = await asked[0]
                asked.popleft()
                yield prediction
        finally:
            for task in asked:
                task.cancel()
            if asked:
                await asyncio.wait(asked)

    def _work(
        self, test: _Test, cases: tuple[EvaluationCase, ...], models: tuple[str, ...]
    ) -> Iterator[asyncio.Task[Prediction]]:
        for index, case in enumerate(cases):
            for model in models:
                asking = self._predict(test, Prediction(index, model), case)
                yield asyncio.create_task(asking, name="evaluation-case")

    async def _predict(self, test: _Test, blank: Prediction, case: EvaluationCase) -> Prediction:
        question = Conversation(
            tenant=test.tenant,
            history=(Turn(Role.USER, case.prompt),),
            model=blank.model,
            sampling=_SAMPLING,
            memory_disabled=test.memory_disabled,
        )
        try:
            text, finished = await self._answer(question)
        except ServiceError as error:
            return replace(blank, error=error.message)
        except Exception:  # a fault in one answer: the others are still worth having
            _logger.exception("a case of an evaluation failed")
            return replace(blank, error="the answer failed unexpectedly; the log has the cause")
        points = await asyncio.to_thread(score, text, case.expected)
        return replace(
            blank,
            text=text,
            exact_match=points.exact_match,
            normalized_match=points.normalized_match,
            token_f1=points.token_f1,
            chrf=points.chrf,
            first_token_s=finished.first_token_s,
            total_s=finished.total_s,
            verdict=await self._judged(test, case, text) if test.judge else None,
        )

    async def _judged(self, test: _Test, case: EvaluationCase, answer: str) -> Verdict | None:
        question = question_to_judge(test.tenant, test.judge, case, answer)
        try:
            reply, _ = await self._answer(question)
        except ServiceError as error:
            _logger.warning("a judge gave no verdict", reason=error.reason)
            return None
        return verdict_in(reply)

    async def _answer(self, question: Conversation) -> tuple[str, Finished]:
        """The whole answer; a busy model is asked again a few times."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._once(question)
            except OverloadedError as error:
                if attempt == _ATTEMPTS:
                    raise
                await self._sleep(min(_LONGEST_WAIT_S, error.retry_after_s or 1.0))
        raise AssertionError

    async def _once(self, question: Conversation) -> tuple[str, Finished]:
        words: list[str] = []
        async with aclosing(self._answers.answer(question)) as events:
            async for event in events:
                match event:
                    case Started(model=model) if model not in (question.model, MEMORY):
                        msg = f"model {question.model} did not answer; {model} stood in for it"
                        raise ModelFailedError(msg)
                    case Delta(text=text):
                        words.append(text)
                    case Finished():
                        return "".join(words), event
        msg = f"model {question.model} ended its answer without saying why"
        raise ModelFailedError(msg)
