"""Between the messages of the contract and the domain, with every field checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from voicemesh.trainer.v1 import trainer_service_pb2
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    Finished,
    FinishReason,
    GenerationEvent,
    Role,
    Sampling,
    Started,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.rpc.checks import (
    check_count,
    check_number,
    check_printable,
    check_tenant,
    check_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ("conversation_from", "response_of")

_MAX_TURNS = 500
_MAX_TEXT = 16_000
_MAX_SPEAKER = 64
_MAX_MODEL = 128
_MAX_STOPS, _MAX_STOP = 8, 64
_MAX_OUTPUT_TOKENS = 8192

_ROLES = {
    trainer_service_pb2.ROLE_USER: Role.USER,
    trainer_service_pb2.ROLE_ASSISTANT: Role.ASSISTANT,
}

_REASONS = {
    FinishReason.STOP: trainer_service_pb2.FINISH_REASON_STOP,
    FinishReason.LENGTH: trainer_service_pb2.FINISH_REASON_LENGTH,
    FinishReason.CONTENT_FILTER: trainer_service_pb2.FINISH_REASON_CONTENT_FILTER,
    FinishReason.CORRECTION: trainer_service_pb2.FINISH_REASON_CORRECTION,
}


def conversation_from(request: trainer_service_pb2.GenerateRequest) -> Conversation:
    """The conversation that a request asks to be answered.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    system_prompt = None
    if request.HasField("system_prompt"):
        system_prompt = check_text(request.system_prompt, "system_prompt", _MAX_TEXT)
    return Conversation(
        tenant=check_tenant(request.tenant),
        history=_history_from(request.history),
        system_prompt=system_prompt,
        model=check_printable(request.model, "model", _MAX_MODEL),
        sampling=_sampling_from(request.sampling),
        memory_disabled=request.memory_disabled,
    )


def _history_from(turns: Sequence[trainer_service_pb2.Turn]) -> tuple[Turn, ...]:
    if not turns:
        msg = "history is empty: there is nothing to answer"
        raise InvalidArgumentError(msg, field="history")
    if len(turns) > _MAX_TURNS:
        msg = f"history has {len(turns)} turns; at most {_MAX_TURNS} are taken"
        raise InvalidArgumentError(msg, field="history")
    history = [_turn_from(turn, f"history[{index}]") for index, turn in enumerate(turns)]
    if history[-1].role is not Role.USER:
        msg = "the last turn of history is the one to answer, so it must be a user's"
        raise InvalidArgumentError(msg, field=f"history[{len(turns) - 1}].role")
    # An assistant that was cut off before a word was heard has said nothing.
    return tuple(turn for turn in history if turn.text.strip())


def _turn_from(turn: trainer_service_pb2.Turn, field: str) -> Turn:
    role = _ROLES.get(turn.role)
    if role is None:
        msg = f"{field}.role is not one of ROLE_USER and ROLE_ASSISTANT"
        raise InvalidArgumentError(msg, field=f"{field}.role")
    text = check_text(turn.text, f"{field}.text", _MAX_TEXT, required=role is Role.USER)
    return Turn(role, text, check_text(turn.speaker, f"{field}.speaker", _MAX_SPEAKER))


def _sampling_from(sampling: trainer_service_pb2.Sampling) -> Sampling:
    def number(name: str, least: float, most: float, *, above_least: bool = False) -> float | None:
        if not sampling.HasField(name):  # type: ignore[arg-type] # only names of optional fields
            return None
        value: float = getattr(sampling, name)
        return check_number(value, f"sampling.{name}", least, most, above_least=above_least)

    defaults = Sampling()
    tokens = defaults.max_output_tokens
    if sampling.HasField("max_output_tokens"):
        name = "sampling.max_output_tokens"
        tokens = check_count(sampling.max_output_tokens, name, 1, _MAX_OUTPUT_TOKENS)
    return Sampling(
        max_output_tokens=tokens,
        temperature=number("temperature", 0, 2),
        top_p=number("top_p", 0, 1, above_least=True),
        seed=sampling.seed if sampling.HasField("seed") else None,
        stop_sequences=_stops_from(sampling.stop_sequences),
        frequency_penalty=number("frequency_penalty", -2, 2) or 0.0,
        presence_penalty=number("presence_penalty", -2, 2) or 0.0,
    )


def _stops_from(sequences: Sequence[str]) -> tuple[str, ...]:
    check_count(len(sequences), "sampling.stop_sequences", 0, _MAX_STOPS, of="entries")
    for index, sequence in enumerate(sequences):
        field = f"sampling.stop_sequences[{index}]"
        check_text(sequence, field, _MAX_STOP)
        if not sequence:
            msg = f"{field} is empty"
            raise InvalidArgumentError(msg, field=field)
    return tuple(sequences)


def response_of(event: GenerationEvent) -> trainer_service_pb2.GenerateResponse:
    """The message that tells of an event."""
    match event:
        case Started():
            return trainer_service_pb2.GenerateResponse(
                started=trainer_service_pb2.GenerationStarted(
                    response_id=event.response_id,
                    model=event.model,
                    omitted_turn_count=event.omitted_turns,
                )
            )
        case Delta():
            return trainer_service_pb2.GenerateResponse(
                delta=trainer_service_pb2.GenerationDelta(text=event.text)
            )
        case Finished():
            return trainer_service_pb2.GenerateResponse(finished=_finished_of(event))


def _finished_of(event: Finished) -> trainer_service_pb2.GenerationFinished:
    first = None if event.first_token_s is None else _duration_of(event.first_token_s)
    return trainer_service_pb2.GenerationFinished(
        reason=_REASONS[event.reason],
        usage=_usage_of(event.usage),
        first_token_duration=first,
        total_duration=_duration_of(event.total_s),
        examples=[
            trainer_service_pb2.UsedExample(example_id=used.example_id, similarity=used.similarity)
            for used in event.examples
        ],
    )


def _usage_of(usage: TokenUsage) -> trainer_service_pb2.TokenUsage:
    return trainer_service_pb2.TokenUsage(
        input_token_count=usage.input_tokens,
        cached_input_token_count=usage.cached_input_tokens,
        output_token_count=usage.output_tokens,
    )


def _duration_of(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
