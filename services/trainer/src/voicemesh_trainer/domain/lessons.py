"""What people teach: corrections, feedback, and the examples that come of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import TaughtExample, UsedExample

__all__ = (
    "Correction",
    "Feedback",
    "Found",
    "Lesson",
    "LessonKind",
    "MemoryChange",
    "Polarity",
    "Rating",
    "Recalled",
    "Response",
    "Subject",
)


class Polarity(Enum):
    """Whether an answer is to be followed or avoided."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class Rating(Enum):
    """What people thought of an answer."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class LessonKind(Enum):
    """Where a lesson comes from."""

    CORRECTION = "correction"
    FEEDBACK = "feedback"
    EXAMPLE = "example"


@dataclass(frozen=True)
class Response:
    """An answer that was given, as it is kept until it expires."""

    response_id: str
    """Names it: a ULID."""
    tenant: str
    """Whose it is."""
    question: str
    """The turn that was answered."""
    answer: str
    """What was answered, as far as it came; may be empty."""
    model: str
    """Which model answered."""


@dataclass(frozen=True)
class Correction:
    """What should have been answered."""

    tenant: str
    """Whose memory it goes into."""
    corrected_text: str
    """The right answer; not blank."""
    response_id: str = ""
    """The answer that is corrected; empty if `question` is given."""
    question: str = ""
    """The question, whether or not it was ever asked; empty if `response_id` is given."""
    author_id: str = ""
    """Who corrects; opaque, may be empty."""
    request_id: str = ""
    """Names the request, so that a repeated one counts once; may be empty."""


@dataclass(frozen=True)
class Feedback:
    """What people thought of an answer, or of the assistant as a whole."""

    tenant: str
    """Whose assistant it is."""
    response_id: str = ""
    """The answer; empty for the assistant as a whole."""
    rating: Rating | None = None
    """Good or bad; None if there is only a comment."""
    comment: str = ""
    """In words; may be empty if there is a rating."""
    author_id: str = ""
    """Who says so; opaque, may be empty."""
    request_id: str = ""
    """Names the request, so that a repeated one counts once; may be empty."""


@dataclass(frozen=True)
class Lesson:
    """One thing that memory knows: how to answer a question, or how not to."""

    lesson_id: str
    """Id of the correction, of the lesson made of feedback, or of the dataset's example."""
    kind: LessonKind
    """Where it comes from."""
    polarity: Polarity
    """Whether `answer` is right or wrong."""
    question: str
    """The question."""
    answer: str
    """The answer."""
    group_id: str = ""
    """The dataset of an example; empty of others."""
    rejected_answer: str = ""
    """Of a correction, the answer that it corrects, if it is known."""


@dataclass(frozen=True)
class Found:
    """A lesson that was found for a question."""

    lesson: Lesson
    """What is taught."""
    similarity: float
    """How near its question is, 0 to 1."""


class Subject(Enum):
    """What a change of a memory is about."""

    LESSON = "lesson"
    EXAMPLE = "example"
    DATASET = "dataset"


@dataclass(frozen=True)
class MemoryChange:
    """One change of a tenant's memory."""

    number: int
    """Grows with every change."""
    subject: Subject
    """What kind of thing changed."""
    subject_id: str
    """Which one."""
    removed: bool
    """Whether it is gone; else it, or something in it, is new."""


@dataclass(frozen=True)
class Recalled:
    """What memory has to say to a question."""

    answer: str = ""
    """To be given as it is; empty if a model is to answer."""
    examples: tuple[TaughtExample, ...] = ()
    """For the model, least alike first."""
    avoided: tuple[str, ...] = ()
    """Answers to this question that people called wrong."""
    used: tuple[UsedExample, ...] = ()
    """What the above came from, most alike first."""
