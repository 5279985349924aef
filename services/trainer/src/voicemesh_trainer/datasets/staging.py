"""Examples on their way into the database: checked, each once, and not in memory.

The database is locked while examples are added. So all that takes time is done before: what is
staged only has to be copied.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.content import byte_count, content_key
from voicemesh_trainer.datasets.spool import Spool
from voicemesh_trainer.domain.datasets import Draft, Staged
from voicemesh_trainer.domain.lessons import Polarity
from voicemesh_trainer.memory.questions import question_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ("BATCH", "Staging", "staged")

BATCH = 500
"""Examples that are copied at once; between batches the event loop does other work."""

_KEY_BYTES = 16
"""Of each key in memory: enough that two of a million are never the same by accident."""


def staged(draft: Draft) -> Staged:
    """An example, ready to be added."""
    question = question_key(draft.prompt) if draft.prompt else ""
    return Staged(draft, content_key(draft), question, byte_count(draft))


class Staging:
    """Examples in a file without a name; for one thread at a time.

    Args:
        max_bytes: most bytes of the file.
        directory: where it is; None means the system's for temporary files.
    """

    def __init__(self, max_bytes: int, directory: Path | None = None) -> None:
        self._spool = Spool(max_bytes, directory, "what the file unpacks to")
        self._keys: set[bytes] = set()
        self.duplicate_count = 0

    @property
    def count(self) -> int:
        """How many examples are in it."""
        return len(self._keys)

    def add(self, draft: Draft) -> Staged | None:
        """Takes an example; returns None if it is there already.

        Raises:
            LimitExceededError: if there are too many bytes.
            StorageFullError: if the disk is full.
        """
        ready = staged(draft)
        key = bytes.fromhex(ready.content_key)[:_KEY_BYTES]
        if key in self._keys:
            self.duplicate_count += 1
            return None
        self._keys.add(key)
        fields = (
            draft.prompt,
            draft.completion,
            draft.polarity.value,
            draft.system_prompt,
            draft.context,
            draft.author_id,
            draft.source,
            ready.content_key,
            ready.question_key,
            ready.byte_count,
        )
        self._spool.append(json.dumps(fields).encode() + b"\n")
        return ready

    def batches(self) -> Iterator[list[Staged]]:
        """All examples in their order, `BATCH` at a time."""
        self._spool.rewind()
        batch: list[Staged] = []
        for line in self._spool.file:
            prompt, completion, polarity, system, context, author, source, *keys = json.loads(line)
            draft = Draft(prompt, completion, Polarity(polarity), system, context, author, source)
            batch.append(Staged(draft, *keys))
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def close(self) -> None:
        """Frees memory and disk. Safe to call twice."""
        self._keys.clear()
        self._spool.close()
