"""The installed commands: a Python that is too old is told so before anything else is imported."""

from __future__ import annotations

import sys

__all__ = ("demo", "run", "too_old")

_OLDEST = (3, 11)


def run() -> None:
    """`voicemesh-run`."""
    _leave_if_too_old()
    from voicemesh_launcher.run import main

    main()


def demo() -> None:
    """`voicemesh-demo`."""
    _leave_if_too_old()
    from voicemesh_launcher.demo.command import main

    main()


def too_old(version: tuple[int, ...]) -> str:
    """The sentence about a Python that is too old; empty for one that is not."""
    if version[:2] >= _OLDEST:
        return ""
    have, want = (".".join(str(part) for part in each[:2]) for each in (version, _OLDEST))
    return f"this is Python {have}: voicemesh needs {want} or later."


def _leave_if_too_old() -> None:
    sentence = too_old(tuple(sys.version_info[:2]))
    if sentence:
        sys.exit(sentence)
