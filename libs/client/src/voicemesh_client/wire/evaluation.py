"""Models, their tests, and what was done with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import model_service_pb2 as pb
from voicemesh_client.evaluation import (
    ComparedScores,
    EvaluationCase,
    EvaluationEvent,
    EvaluationOptions,
    EvaluationScores,
    Model,
    ModelChange,
    ModelState,
    Prediction,
    Verdict,
)
from voicemesh_client.wire.audio import seconds_from_duration
from voicemesh_client.wire.times import time_from_wire

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("change_from_wire", "event_from_wire", "model_from_wire", "request_to_wire")

_STATES: dict[int, ModelState] = {
    pb.MODEL_STATE_CANDIDATE: ModelState.CANDIDATE,
    pb.MODEL_STATE_ACTIVE: ModelState.ACTIVE,
    pb.MODEL_STATE_ARCHIVED: ModelState.ARCHIVED,
}
_VERDICTS: dict[int, Verdict] = {
    pb.VERDICT_RIGHT: Verdict.RIGHT,
    pb.VERDICT_WRONG: Verdict.WRONG,
}


def request_to_wire(
    cases: Iterable[EvaluationCase], tenant: str, options: EvaluationOptions
) -> pb.EvaluateModelRequest:
    """A test."""
    return pb.EvaluateModelRequest(
        tenant=tenant,
        model=options.model,
        cases=[pb.EvaluationCase(prompt=case.prompt, expected=case.expected) for case in cases],
        memory_disabled=options.memory_disabled,
        compared_model=options.compared_model,
        judge_model=options.judge_model,
    )


def event_from_wire(message: pb.EvaluateModelResponse) -> EvaluationEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    match message.WhichOneof("event"):
        case "prediction":
            return _prediction_from_wire(message.prediction)
        case "scores":
            return _scores_from_wire(message.scores)
        case "compared_scores":
            return ComparedScores(_scores_from_wire(message.compared_scores))
        case _:
            return None


def _prediction_from_wire(message: pb.Prediction) -> Prediction:
    return Prediction(
        case_index=message.case_index,
        model=message.model,
        text=message.text,
        exact_match=message.exact_match,
        normalized_match=message.normalized_match,
        token_f1=message.token_f1,
        chrf=message.chrf,
        first_token_s=seconds_from_duration(message.first_token_duration),
        total_s=seconds_from_duration(message.total_duration),
        verdict=_VERDICTS.get(message.verdict),
        error=message.error,
    )


def _scores_from_wire(message: pb.EvaluationScores) -> EvaluationScores:
    return EvaluationScores(
        model=message.model,
        case_count=message.case_count,
        error_count=message.error_count,
        exact_match=message.exact_match,
        normalized_match=message.normalized_match,
        token_f1=message.token_f1,
        chrf=message.chrf,
        median_s=seconds_from_duration(message.median_duration),
        judged_right=message.judged_right,
        judged_count=message.judged_count,
        cases_sha256=message.cases_sha256,
        evaluate_time=time_from_wire(message, "evaluate_time"),
    )


def model_from_wire(message: pb.Model) -> Model:
    """Something that can answer."""
    return Model(
        name=message.name,
        tenant=message.tenant,
        backend=message.backend,
        base_model=message.base_model,
        job_id=message.job_id,
        state=_STATES.get(message.state, ModelState.UNKNOWN),
        scores=_scores_from_wire(message.scores) if message.HasField("scores") else None,
        license=message.license,
        create_time=time_from_wire(message, "create_time"),
    )


def change_from_wire(message: pb.ModelChange) -> ModelChange:
    """One thing that was done with a model."""
    return ModelChange(
        action=message.action,
        model=message.model,
        previous_model=message.previous_model,
        forced=message.forced,
        author_id=message.author_id,
        change_time=time_from_wire(message, "change_time"),
    )
