"""What the page may send, checked against a schema before anything is done with it."""

# No `from __future__ import annotations`: pydantic evaluates these annotations at run time.

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

__all__ = (
    "MOST_AUDIO_BYTES",
    "MOST_JSON_CHARACTERS",
    "BadRequestError",
    "FinishTurnRequest",
    "ListenRequest",
    "MessageRequest",
    "PlayedRequest",
    "Request",
    "StopRequest",
    "VoiceRequest",
    "check_audio",
    "parse_request",
)

MOST_AUDIO_BYTES = 64 * 1024
"""Largest piece of sound: two thirds of a second at 48 kHz."""

MOST_JSON_CHARACTERS = 16 * 1024
"""Largest JSON message; a written message has at most 2,000 characters."""

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class BadRequestError(Exception):
    """A message that cannot be used.

    Attributes:
        code: UPPER_SNAKE, for programs.
        message: one sentence, for people.
        field: the field at fault, if it is one.
    """

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class MessageRequest(BaseModel):
    """A written message."""

    model_config = _STRICT
    type: Literal["message"]
    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")


class ListenRequest(BaseModel):
    """Sound follows, as binary messages at this rate."""

    model_config = _STRICT
    type: Literal["listen"]
    sample_rate_hertz: int = Field(ge=8000, le=192_000)
    held: bool = False


class FinishTurnRequest(BaseModel):
    """The button was let go, or the microphone switched off."""

    model_config = _STRICT
    type: Literal["finish_turn"]


class StopRequest(BaseModel):
    """Be quiet."""

    model_config = _STRICT
    type: Literal["stop"]


class PlayedRequest(BaseModel):
    """How much of an answer has left the loudspeaker."""

    model_config = _STRICT
    type: Literal["played"]
    reply_id: int = Field(ge=1)
    seconds: float = Field(ge=0, le=86_400, allow_inf_nan=False)


class VoiceRequest(BaseModel):
    """Whether answers are spoken."""

    model_config = _STRICT
    type: Literal["voice"]
    on: bool


Request = (
    MessageRequest | ListenRequest | FinishTurnRequest | StopRequest | PlayedRequest | VoiceRequest
)

_ADAPTER: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


def parse_request(text: str) -> Request:
    """One JSON message.

    Raises:
        BadRequestError: saying which field is wrong and why.
    """
    if len(text) > MOST_JSON_CHARACTERS:
        msg = f"A message may have at most {MOST_JSON_CHARACTERS} characters of JSON."
        raise BadRequestError("TOO_LARGE", msg)
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise _refusal(error) from None


def check_audio(audio: bytes) -> None:
    """Refuses a piece of sound that cannot be used.

    Raises:
        BadRequestError: saying why.
    """
    if len(audio) > MOST_AUDIO_BYTES:
        msg = f"A piece of sound may have at most {MOST_AUDIO_BYTES} bytes."
        raise BadRequestError("TOO_LARGE", msg)
    if not audio or len(audio) % 2:
        msg = "A piece of sound must consist of 16-bit samples."
        raise BadRequestError("BAD_AUDIO", msg)


def _refusal(error: ValidationError) -> BadRequestError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    kind, why = first["type"], first["msg"]
    if kind == "json_invalid":
        return BadRequestError("BAD_JSON", "The message is not JSON.")
    if kind == "union_tag_not_found":
        return BadRequestError("BAD_MESSAGE", "The message must have a type.", "type")
    if kind == "union_tag_invalid":
        return BadRequestError("BAD_MESSAGE", "The message has a type that is not known.", "type")
    # The first part of the place is the message's type.
    field = ".".join(str(part) for part in first["loc"][1:])
    where = f"{field}: " if field else ""
    return BadRequestError("BAD_MESSAGE", f"The message cannot be used: {where}{why}.", field)
