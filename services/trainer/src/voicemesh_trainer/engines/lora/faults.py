"""Why training in this process cannot go on."""

from __future__ import annotations

__all__ = ("TrainingFault",)


class TrainingFault(Exception):  # noqa: N818 - it is told to people, and fails the job
    """Base model, data or settings do not fit; the message says which, in one sentence."""
