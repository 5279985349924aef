"""Clauses that have been spoken before: greetings, excuses, "one moment, please".

Only whole clauses are kept, as they come from the engine, before volume, pitch and encoding, so one
entry serves every format. The least recently used go first. Keys are digests: there are no words in
the cache, though there is the sound of them.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.ports import Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.domain import Utterance, WordTime

__all__ = ("ClauseCache", "clause_key")

_LARGEST_SHARE = 4
"""No entry may take up more than one in this many parts of the cache."""
_ENTRY_BYTES = 512
"""About what an entry takes up besides its samples, in bytes."""
_WORD_BYTES = 160


@dataclass(frozen=True)
class _Entry:
    voice: str
    samples: Samples
    words: tuple[WordTime, ...]

    @property
    def size_bytes(self) -> int:
        return self.samples.nbytes + len(self.words) * _WORD_BYTES + _ENTRY_BYTES


def clause_key(utterance: Utterance) -> bytes:
    """What two utterances have in common if they sound alike; places in the text do not matter."""
    parts = [utterance.voice, repr(utterance.speaking_rate), utterance.language_code]
    for word in utterance.words:
        parts += [word.text, word.phonemes]
    # Lengths, so that no two lists of parts are written alike.
    written = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).digest()


class ClauseCache:
    """Belongs to one event loop; nothing in it blocks.

    Attributes:
        size_bytes: what it takes up, about.
    """

    def __init__(self, most_bytes: int) -> None:
        """Makes an empty one.

        Args:
            most_bytes: what it may take up; 0 keeps nothing.
        """
        self.size_bytes = 0
        self._most_bytes = most_bytes
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def __len__(self) -> int:
        """Clauses in it."""
        return len(self._entries)

    def find(self, key: bytes) -> Piece | None:
        """The whole clause, not to be written to, if it is there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return Piece(entry.samples, last=True, words=entry.words)

    def add(self, key: bytes, voice: str, pieces: Sequence[Piece]) -> None:
        """Keeps a clause, unless it is too long to be worth it.

        Args:
            key: from `clause_key`.
            voice: id of the voice that spoke it.
            pieces: all of it, in order.
        """
        size_bytes = sum(piece.samples.nbytes for piece in pieces) + _ENTRY_BYTES
        if size_bytes * _LARGEST_SHARE > self._most_bytes or not pieces:
            return
        samples = np.concatenate([piece.samples for piece in pieces])
        samples.flags.writeable = False
        words = tuple(word for piece in pieces for word in piece.words)
        self._remove(key)
        entry = self._entries[key] = _Entry(voice, samples, words)
        self.size_bytes += entry.size_bytes
        while self.size_bytes > self._most_bytes:
            self._remove(next(iter(self._entries)))

    def forget_voice(self, voice: str) -> None:
        """Drops all that a voice has said: it is deleted, or its files are others now."""
        for key in [key for key, entry in self._entries.items() if entry.voice == voice]:
            self._remove(key)

    def _remove(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry.size_bytes
