"""What people are told when a backend fails: one sentence, without codes or addresses.

| failure | what people read |
| --- | --- |
| unreachable, starting, draining | what is missing and what still works |
| overloaded | to try again in a moment |
| no answer in time | that it took too long |
| anything else | the service's own sentence, which is written for people |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.domain import Backend, Problem
from voicemesh_chassis.errors import Code

if TYPE_CHECKING:
    from voicemesh_chassis.errors import ServiceError

__all__ = (
    "EMPTY_ANSWER",
    "back_sentence",
    "down_problem",
    "problem_from",
    "unanswered_sentence",
)

EMPTY_ANSWER = "The language model had nothing to say; ask in other words."

_NAMES = {
    Backend.STT: "speech recognition",
    Backend.TTS: "the voice",
    Backend.TRAINER: "the language model",
}

_DOWN = {
    Backend.STT: "Speech recognition cannot be reached; you can still type.",
    Backend.TTS: "The voice cannot be reached; answers come as text.",
    Backend.TRAINER: "The language model cannot be reached; ask again when it is back.",
}


def down_problem(backend: Backend) -> Problem:
    """A backend that cannot be reached."""
    return Problem(backend, _DOWN[backend], down=True)


def back_sentence(backend: Backend) -> str:
    """The news that a backend works again."""
    return f"{_sentence_case(_NAMES[backend])} is back."


def unanswered_sentence(problem: Problem) -> str:
    """Why a question has no answer, or only the beginning of one; said in its own turn."""
    if not problem.down:
        return problem.sentence
    return f"{_sentence_case(_NAMES[problem.backend])} could not be reached."


def problem_from(backend: Backend, error: ServiceError) -> Problem:
    """A backend's error in words for people."""
    name = _NAMES[backend]
    if error.code is Code.UNAVAILABLE:
        return down_problem(backend)
    if error.code is Code.DEADLINE_EXCEEDED:
        return Problem(backend, f"{_sentence_case(name)} took too long; try again.")
    if error.code is Code.RESOURCE_EXHAUSTED and error.retryable:
        return Problem(backend, f"{_sentence_case(name)} is busy; try again in a moment.")
    if error.code in {Code.UNAUTHENTICATED, Code.PERMISSION_DENIED}:
        return Problem(backend, f"{_sentence_case(name)} does not accept the bot's token.")
    message = error.message.strip().rstrip(".") or "it gave no reason"
    return Problem(backend, f"{_sentence_case(name)} failed: {message}.")


def _sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
