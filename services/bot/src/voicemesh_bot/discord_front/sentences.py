"""What the bot says when it cannot answer: one sentence each, without technical words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.errors import Code

if TYPE_CHECKING:
    from voicemesh_chassis.errors import ServiceError

__all__ = ("BUSY", "LEFT_BY_FAULT", "NOTHING_ASKED", "sentence_for")

BUSY = "I am still answering here; please ask again in a moment."
LEFT_BY_FAULT = "Something in me broke, so I left the voice channel; ask me to join again."
NOTHING_ASKED = "Ask me something after my name, or use `/ask`."

_SENTENCES = {
    Code.RESOURCE_EXHAUSTED: "I am very busy right now; please ask again in a moment.",
    Code.UNAVAILABLE: "I cannot reach my {what} right now; please try again in a minute.",
    Code.DEADLINE_EXCEEDED: "My {what} took too long; please try again.",
    Code.INVALID_ARGUMENT: "I cannot answer that: the question is too long or not text.",
    Code.NOT_FOUND: "The model I was told to use is not there; an administrator has to look.",
    Code.UNAUTHENTICATED: "I may not use my {what}; an administrator has to look.",
    Code.PERMISSION_DENIED: "I may not use my {what}; an administrator has to look.",
}
_OTHERWISE = "Something went wrong while I was answering; please try again."


def sentence_for(error: ServiceError, what: str = "language model") -> str:
    """Return what a person is told about an error, with its id if the log has more.

    Args:
        error: what went wrong.
        what: who failed, as it goes after "my".
    """
    sentence = _SENTENCES.get(error.code, _OTHERWISE).format(what=what)
    error_id = error.metadata.get("error_id")
    return f"{sentence} (error {error_id})" if error_id else sentence
