"""Between the messages of feedback and corrections and the domain, with every field checked."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from voicemesh.trainer.v1 import trainer_service_pb2
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.lessons import Correction, Feedback, Rating
from voicemesh_trainer.rpc.checks import check_printable, check_tenant, check_text

__all__ = ("correction_from", "feedback_from", "timestamp_of")

_MAX_TEXT = 16_000
_MAX_COMMENT = 4_000
_MAX_ID = 64

_RATINGS = {
    trainer_service_pb2.RATING_UNSPECIFIED: None,
    trainer_service_pb2.RATING_POSITIVE: Rating.POSITIVE,
    trainer_service_pb2.RATING_NEGATIVE: Rating.NEGATIVE,
}


def correction_from(request: trainer_service_pb2.RecordCorrectionRequest) -> Correction:
    """The correction that a request records.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    tenant = check_tenant(request.tenant)
    subject = request.WhichOneof("subject")
    if subject is None:
        msg = "subject is missing: name the answer (response_id) or the question"
        raise InvalidArgumentError(msg, field="subject")
    if subject == "response_id":
        check_printable(request.response_id, "response_id", _MAX_ID, required=True)
    else:
        _check_words(request.question, "question")
    corrected = _check_words(request.corrected_text, "corrected_text")
    return Correction(
        tenant=tenant,
        corrected_text=corrected.strip(),
        response_id=request.response_id,
        question=request.question,
        author_id=check_printable(request.author_id, "author_id", _MAX_ID),
        request_id=check_printable(request.request_id, "request_id", _MAX_ID),
    )


def feedback_from(request: trainer_service_pb2.RecordFeedbackRequest) -> Feedback:
    """The feedback that a request records. Raises as `correction_from`."""
    tenant = check_tenant(request.tenant)
    if request.rating not in _RATINGS:
        msg = "rating is not one of RATING_POSITIVE and RATING_NEGATIVE"
        raise InvalidArgumentError(msg, field="rating")
    rating = _RATINGS[request.rating]
    comment = check_text(request.comment, "comment", _MAX_COMMENT)
    if rating is None and not comment.strip():
        msg = "rating and comment are both missing: say what people thought"
        raise InvalidArgumentError(msg, field="rating")
    return Feedback(
        tenant=tenant,
        response_id=check_printable(request.response_id, "response_id", _MAX_ID),
        rating=rating,
        comment=comment.strip(),
        author_id=check_printable(request.author_id, "author_id", _MAX_ID),
        request_id=check_printable(request.request_id, "request_id", _MAX_ID),
    )


def _check_words(text: str, field: str) -> str:
    """The text, if there is something in it to read: control characters alone teach nothing."""
    check_text(text, field, _MAX_TEXT, required=True)
    if not any(character.isprintable() and not character.isspace() for character in text):
        msg = f"{field} is blank"
        raise InvalidArgumentError(msg, field=field)
    return text


def timestamp_of(seconds: float) -> Timestamp:
    """A time given in seconds since 1970."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(seconds * 1e6))
    return stamp
