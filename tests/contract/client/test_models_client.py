"""`Models` and what `Trainer` keeps of tenants, against a real trainer with the small model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from voicemesh.trainer.v1 import model_service_pb2 as pb
from voicemesh_chassis.testing import RunningService, running
from voicemesh_client import (
    Correction,
    EvaluationCase,
    EvaluationOptions,
    EvaluationScores,
    FailedPreconditionError,
    Feedback,
    InvalidArgumentError,
    Models,
    NotFoundError,
    Persona,
    Prediction,
    Rating,
    Trainer,
)
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import LocalSettings, StorageSettings, TrainerSettings

pytestmark = pytest.mark.contract

MODEL = "gemma-3-270m"


@pytest.fixture
async def local(models_dir: object, tmp_path: Path) -> AsyncIterator[RunningService]:
    """A trainer that answers with Gemma 3 270M."""
    settings = TrainerSettings(
        backend="local",
        local=LocalSettings(context_tokens=1024),
        storage=StorageSettings(data_dir=tmp_path / "data"),
    )
    async with running(build(settings), settings) as service:
        yield service


async def test_the_small_model_is_listed_and_tested(local: RunningService) -> None:
    cases = [
        EvaluationCase("What is the capital of Italy?", "Rome"),
        EvaluationCase("Who leads the guild?", "Ann"),
    ]
    async with Trainer(local.target) as trainer, Models(local.target) as models:
        await trainer.record_correction(
            Correction("Ann", question="Who leads the guild?"), tenant="t"
        )
        names = [model.name async for model in models.list(tenant="t")]
        events = [event async for event in models.evaluate(cases, tenant="t")]
        with pytest.raises(NotFoundError):
            await anext(
                models.evaluate(cases, tenant="t", options=EvaluationOptions(model="nobody's"))
            )
        with pytest.raises(InvalidArgumentError):
            await anext(models.evaluate([], tenant="t"))

    assert MODEL in names
    predictions = [event for event in events if isinstance(event, Prediction)]
    assert sorted(each.case_index for each in predictions) == [0, 1]
    assert [each.text for each in predictions if each.case_index == 1] == ["Ann"]
    scores = events[-1]
    assert isinstance(scores, EvaluationScores)
    assert (scores.model, scores.case_count, scores.error_count) == (MODEL, 2, 0)
    assert scores.exact_match >= 0.5
    assert scores.evaluate_time is not None


async def test_what_cannot_be_promoted_is_an_error_of_its_kind(trainer: RunningService) -> None:
    async with Models(trainer.target) as models:
        with pytest.raises(NotFoundError):
            await models.promote("nobody's", tenant="t")
        with pytest.raises(FailedPreconditionError):
            await models.roll_back(tenant="t")
        with pytest.raises(NotFoundError):
            await models.delete("nobody's", tenant="t")
        assert [change async for change in models.changes(tenant="t")] == []


async def test_a_promotion_says_who_asked_and_whether_it_was_forced(script: Any) -> None:
    async def promote(request: Any, _context: Any) -> pb.PromoteModelResponse:
        model = pb.Model(name=request.model, state=pb.MODEL_STATE_ACTIVE)
        return pb.PromoteModelResponse(model=model)

    async def changes(_request: Any, _context: Any) -> pb.ListModelChangesResponse:
        change = pb.ModelChange(action="promoted", model="a", forced=True, author_id="ann")
        return pb.ListModelChangesResponse(changes=[change])

    script.PromoteModel, script.ListModelChanges = promote, changes
    async with Models(script.target) as models:
        active = await models.promote("a", tenant="t", force=True, author_id="ann")
        (change,) = [each async for each in models.changes(tenant="t")]

    assert active.name == "a"
    assert script.requests[0] == pb.PromoteModelRequest(
        tenant="t", model="a", force=True, author_id="ann"
    )
    assert (change.action, change.forced, change.author_id) == ("promoted", True, "ann")


async def test_a_persona_is_kept_for_its_tenant(trainer: RunningService) -> None:
    async with Trainer(trainer.target) as client:
        assert await client.get_persona(tenant="t") == Persona()
        made = await client.set_persona(Persona("Max", "Be brief."), tenant="t")
        assert await client.get_persona(tenant="t") == made
        assert await client.get_persona(tenant="u") == Persona()
        with pytest.raises(InvalidArgumentError):
            await client.set_persona(Persona("x" * 65), tenant="t")

    assert (made.name, made.system_prompt) == ("Max", "Be brief.")
    assert made.update_time is not None


async def test_what_a_person_gave_is_listed_and_deleted(trainer: RunningService) -> None:
    async with Trainer(trainer.target) as client:
        correction = Correction("Ann.", question="Who leads?", author_id="bob")
        await client.record_correction(correction, tenant="t")
        feedback = Feedback(rating=Rating.POSITIVE, comment="nice", author_id="bob")
        await client.record_feedback(feedback, tenant="t")
        items = [item async for item in client.list_author_data("bob", tenant="t")]
        gone = await client.delete_author_data("bob", tenant="t")
        rest = [item async for item in client.list_author_data("bob", tenant="t")]

    assert [(item.kind, item.prompt, item.text) for item in items] == [
        ("correction", "Who leads?", "Ann."),
        ("feedback", "", "nice"),
    ]
    assert (gone.example_count, gone.correction_count, gone.feedback_count) == (0, 1, 1)
    assert rest == []
