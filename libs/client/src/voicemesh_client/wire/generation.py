"""Conversations to be answered, the answers, and what people think of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh_client.generation import (
    Correction,
    Feedback,
    FinishReason,
    GenerationDelta,
    GenerationEvent,
    GenerationFinished,
    GenerationOptions,
    GenerationStarted,
    Rating,
    Role,
    TokenUsage,
    Turn,
    UsedExample,
)
from voicemesh_client.wire.audio import seconds_from_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("correction_to_wire", "event_from_wire", "feedback_to_wire", "request_to_wire")

_ROLES = {Role.USER: pb.ROLE_USER, Role.ASSISTANT: pb.ROLE_ASSISTANT}
_RATINGS = {
    None: pb.RATING_UNSPECIFIED,
    Rating.POSITIVE: pb.RATING_POSITIVE,
    Rating.NEGATIVE: pb.RATING_NEGATIVE,
}
_REASONS: dict[int, FinishReason] = {
    pb.FINISH_REASON_STOP: FinishReason.STOP,
    pb.FINISH_REASON_LENGTH: FinishReason.LENGTH,
    pb.FINISH_REASON_CONTENT_FILTER: FinishReason.CONTENT_FILTER,
    pb.FINISH_REASON_CORRECTION: FinishReason.CORRECTION,
}


def request_to_wire(
    history: Sequence[Turn], tenant: str, options: GenerationOptions
) -> pb.GenerateRequest:
    """A conversation to be answered."""
    return pb.GenerateRequest(
        tenant=tenant,
        history=[
            pb.Turn(role=_ROLES[turn.role], text=turn.text, speaker=turn.speaker)
            for turn in history
        ],
        system_prompt=options.system_prompt,
        model=options.model,
        sampling=_sampling_to_wire(options),
        memory_disabled=options.memory_disabled,
    )


def _sampling_to_wire(options: GenerationOptions) -> pb.Sampling:
    return pb.Sampling(
        max_output_tokens=options.max_output_tokens,
        temperature=options.temperature,
        top_p=options.top_p,
        seed=options.seed,
        stop_sequences=options.stop_sequences,
        frequency_penalty=options.frequency_penalty,
        presence_penalty=options.presence_penalty,
    )


def event_from_wire(message: pb.GenerateResponse) -> GenerationEvent | None:
    """The event of a message; None if a newer server sends a kind this client does not know."""
    match message.WhichOneof("event"):
        case "started":
            started = message.started
            return GenerationStarted(started.response_id, started.model, started.omitted_turn_count)
        case "delta":
            return GenerationDelta(message.delta.text)
        case "finished":
            return _finished_from_wire(message.finished)
        case _:
            return None


def _finished_from_wire(message: pb.GenerationFinished) -> GenerationFinished:
    usage = message.usage
    return GenerationFinished(
        reason=_REASONS.get(message.reason, FinishReason.UNKNOWN),
        usage=TokenUsage(
            input_tokens=usage.input_token_count,
            cached_input_tokens=usage.cached_input_token_count,
            output_tokens=usage.output_token_count,
        ),
        first_token_s=seconds_from_duration(message.first_token_duration),
        total_s=seconds_from_duration(message.total_duration),
        examples=tuple(
            UsedExample(example.example_id, example.similarity) for example in message.examples
        ),
    )


def feedback_to_wire(feedback: Feedback, tenant: str) -> pb.RecordFeedbackRequest:
    """What somebody thought, as a request."""
    return pb.RecordFeedbackRequest(
        tenant=tenant,
        request_id=feedback.request_id,
        response_id=feedback.response_id,
        rating=_RATINGS[feedback.rating],
        comment=feedback.comment,
        author_id=feedback.author_id,
    )


def correction_to_wire(correction: Correction, tenant: str) -> pb.RecordCorrectionRequest:
    """What should have been answered, as a request; a `response_id` goes before a `question`."""
    request = pb.RecordCorrectionRequest(
        tenant=tenant,
        request_id=correction.request_id,
        corrected_text=correction.corrected_text,
        author_id=correction.author_id,
    )
    if correction.response_id:
        request.response_id = correction.response_id
    elif correction.question:
        request.question = correction.question
    return request
