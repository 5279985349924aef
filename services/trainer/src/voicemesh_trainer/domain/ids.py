"""Names for what the trainer keeps: ULIDs (https://github.com/ulid/spec)."""

from __future__ import annotations

import secrets
import threading
import time

__all__ = ("is_id", "new_id", "time_of")

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 26
_RANDOM_BITS = 80

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """A new ULID: 26 characters that sort by time.

    Those of one process sort in the order in which they were made, even within a millisecond and
    if the clock is set back.
    """
    global _last
    # The lock also covers threads that import files.
    with _lock:
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        same_time = fresh >> _RANDOM_BITS <= _last >> _RANDOM_BITS
        _last = _last + 1 if same_time else fresh
        number = _last
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def is_id(text: str) -> bool:
    """Whether this can be one that `new_id` made; others need not be looked for."""
    return len(text) == _LENGTH and text[0] <= "7" and set(text) <= set(_ALPHABET)


def time_of(ulid: str) -> float:
    """When a ULID was made, in seconds since 1970."""
    milliseconds = 0
    for character in ulid[:10]:
        milliseconds = milliseconds << 5 | _ALPHABET.index(character)
    return milliseconds / 1000
