"""What a model that a tenant trained is called. Pure."""

from __future__ import annotations

__all__ = ("tuned_name",)

_MOST_CHARACTERS = 128
_JOB_DIGITS = 8
"""Of the job's id, from its end: 40 random bits."""


def tuned_name(base_model: str, job_id: str) -> str:
    """A name for the model of a job that people can tell from others and type.

    Args:
        base_model: the server's own model that it was trained from.
        job_id: a ULID.
    """
    ending = f"-{job_id[-_JOB_DIGITS:].lower()}"
    return base_model[: _MOST_CHARACTERS - len(ending)] + ending
