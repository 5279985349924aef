"""Between the messages of ModelService and the domain, with every field checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from voicemesh.trainer.v1 import model_service_pb2
from voicemesh_trainer.domain.evaluations import (
    Compared,
    Evaluation,
    EvaluationCase,
    EvaluationScores,
    Prediction,
    Verdict,
)
from voicemesh_trainer.domain.models import ModelState, TunedModel
from voicemesh_trainer.rpc.checks import check_count, check_printable, check_tenant, check_text
from voicemesh_trainer.rpc.teaching import timestamp_of

if TYPE_CHECKING:
    from voicemesh_trainer.domain.evaluations import EvaluationEvent
    from voicemesh_trainer.domain.models import ModelChange
    from voicemesh_trainer.registry.registry import ListedModel

__all__ = (
    "author_from",
    "change_message",
    "evaluation_from",
    "event_message",
    "model_from",
    "model_message",
)

_MAX_MODEL = 256
_MAX_AUTHOR = 64
_MAX_CASES = 10_000
_MAX_TEXT = 16_000

_STATES = {
    ModelState.CANDIDATE: model_service_pb2.MODEL_STATE_CANDIDATE,
    ModelState.ACTIVE: model_service_pb2.MODEL_STATE_ACTIVE,
    ModelState.ARCHIVED: model_service_pb2.MODEL_STATE_ARCHIVED,
}
_VERDICTS = {
    None: model_service_pb2.VERDICT_UNSPECIFIED,
    Verdict.RIGHT: model_service_pb2.VERDICT_RIGHT,
    Verdict.WRONG: model_service_pb2.VERDICT_WRONG,
}


def model_from(name: str) -> str:
    """The name of a model that a request must give."""
    return check_printable(name, "model", _MAX_MODEL, required=True)


def author_from(author_id: str) -> str:
    """The id of who asks; may be empty."""
    return check_printable(author_id, "author_id", _MAX_AUTHOR)


def evaluation_from(request: model_service_pb2.EvaluateModelRequest) -> Evaluation:
    """The test that a request asks for.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    tenant = check_tenant(request.tenant)
    check_count(len(request.cases), "cases", 1, _MAX_CASES, of="entries")
    return Evaluation(
        tenant=tenant,
        model=check_printable(request.model, "model", _MAX_MODEL),
        cases=tuple(_case_from(case, index) for index, case in enumerate(request.cases)),
        memory_disabled=request.memory_disabled,
        compared_model=check_printable(request.compared_model, "compared_model", _MAX_MODEL),
        judge_model=check_printable(request.judge_model, "judge_model", _MAX_MODEL),
    )


def _case_from(case: model_service_pb2.EvaluationCase, index: int) -> EvaluationCase:
    field = f"cases[{index}]"
    return EvaluationCase(
        check_text(case.prompt, f"{field}.prompt", _MAX_TEXT, required=True),
        check_text(case.expected, f"{field}.expected", _MAX_TEXT, required=True),
    )


def event_message(event: EvaluationEvent) -> model_service_pb2.EvaluateModelResponse:
    """The message that tells of an event of a test."""
    match event:
        case Prediction():
            return model_service_pb2.EvaluateModelResponse(prediction=_prediction_message(event))
        case Compared():
            scores = _scores_message(event.scores)
            return model_service_pb2.EvaluateModelResponse(compared_scores=scores)
        case EvaluationScores():
            return model_service_pb2.EvaluateModelResponse(scores=_scores_message(event))


def _prediction_message(prediction: Prediction) -> model_service_pb2.Prediction:
    return model_service_pb2.Prediction(
        case_index=prediction.case_index,
        text=prediction.text,
        exact_match=prediction.exact_match,
        normalized_match=prediction.normalized_match,
        token_f1=prediction.token_f1,
        total_duration=_duration_of(prediction.total_s),
        error=prediction.error,
        model=prediction.model,
        chrf=prediction.chrf,
        first_token_duration=_duration_of(prediction.first_token_s),
        verdict=_VERDICTS[prediction.verdict],
    )


def _scores_message(scores: EvaluationScores) -> model_service_pb2.EvaluationScores:
    return model_service_pb2.EvaluationScores(
        case_count=scores.case_count,
        error_count=scores.error_count,
        exact_match=scores.exact_match,
        normalized_match=scores.normalized_match,
        token_f1=scores.token_f1,
        chrf=scores.chrf,
        evaluate_time=timestamp_of(scores.evaluate_time),
        model=scores.model,
        cases_sha256=scores.cases_sha256,
        median_duration=_duration_of(scores.median_s),
        judged_right=scores.judged_right,
        judged_count=scores.judged_count,
    )


def model_message(listed: ListedModel) -> model_service_pb2.Model:
    """A model as callers see it."""
    model = listed.model
    message = model_service_pb2.Model(
        name=model.name,
        backend=model.backend,
        license=model.license,
        state=_STATES[listed.state],
        scores=None if listed.scores is None else _scores_message(listed.scores),
    )
    if isinstance(model, TunedModel):
        message.tenant = model.tenant
        message.base_model = model.base_model
        message.job_id = model.job_id
        message.create_time.CopyFrom(timestamp_of(model.create_time))
    return message


def change_message(change: ModelChange) -> model_service_pb2.ModelChange:
    """One thing that was done with a model."""
    return model_service_pb2.ModelChange(
        action=change.action.value,
        model=change.model,
        previous_model=change.previous_model or "",
        forced=change.forced,
        author_id=change.author_id,
        change_time=timestamp_of(change.change_time),
    )


def _duration_of(seconds: float | None) -> Duration | None:
    if seconds is None:
        return None
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
