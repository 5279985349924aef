"""The voice gateway's opcodes for end-to-end encryption."""

from __future__ import annotations

from enum import IntEnum

__all__ = ("DaveOpcode",)


class DaveOpcode(IntEnum):
    """Opcodes 21 to 31. Those named MLS are binary messages, but for the last; the others JSON."""

    PREPARE_TRANSITION = 21
    EXECUTE_TRANSITION = 22
    TRANSITION_READY = 23
    PREPARE_EPOCH = 24
    MLS_EXTERNAL_SENDER = 25
    MLS_KEY_PACKAGE = 26
    MLS_PROPOSALS = 27
    MLS_COMMIT_WELCOME = 28
    MLS_ANNOUNCE_COMMIT = 29
    MLS_WELCOME = 30
    MLS_INVALID_COMMIT_WELCOME = 31
