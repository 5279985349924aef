"""What an example is, whatever file it came from: the hash of its content. Pure.

The hash of a dataset is the sum of the hashes of its examples modulo 2^256 (AdHash of Bellare and
Micciancio, "A New Paradigm for Collision-Free Hashing", 1997). It does not depend on their order,
and adding or removing an example costs the same however many others there are. It tells datasets
apart that differ by accident; who builds examples for the purpose could make two that collide.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_trainer.domain.datasets import Draft

__all__ = ("EMPTY", "byte_count", "content_key", "with_content", "without_content")

EMPTY = "0" * 64
"""The hash of no examples at all."""

_MODULUS = 1 << 256


def content_key(draft: Draft) -> str:
    """SHA-256 of all that an example says, but not of who gave it, in hexadecimal digits."""
    digest = hashlib.sha256(draft.polarity.value.encode())
    for text in (draft.system_prompt, draft.context, draft.prompt, draft.completion):
        data = text.encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()


def byte_count(draft: Draft) -> int:
    """Bytes of an example's texts in UTF-8."""
    texts = (draft.system_prompt, draft.context, draft.prompt, draft.completion)
    return sum(len(text.encode()) for text in texts)


def with_content(content_sha256: str, keys: Iterable[str]) -> str:
    """The hash of a dataset once the examples with these keys are added to it."""
    return _shifted(content_sha256, sum(int(key, 16) for key in keys))


def without_content(content_sha256: str, keys: Iterable[str]) -> str:
    """The hash of a dataset once the examples with these keys are removed from it."""
    return _shifted(content_sha256, -sum(int(key, 16) for key in keys))


def _shifted(content_sha256: str, by: int) -> str:
    return f"{(int(content_sha256, 16) + by) % _MODULUS:064x}"
