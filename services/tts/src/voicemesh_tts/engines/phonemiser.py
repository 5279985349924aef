"""Text → phonemes by espeak-ng, in a child process that may die of a text.

espeak-ng is C with fixed buffers and reads whatever people write (docs/decisions/0006). A text that
ends the child is tried once more in a new one, because one before it may have done the damage; if
that dies too, the text is refused, and the service goes on.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_tts.engines.espeak_text import espeak_words
from voicemesh_tts.engines.phoneme_words import NO_WORD
from voicemesh_tts.errors import EngineStalledError, UnpronounceableTextError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ("NO_WORD", "Phonemiser", "Sentence")

_logger = get_logger(__name__)

_PROGRAM = "voicemesh_tts.engines.phoneme_process"
_ANSWER_S = 20.0
"""Longest time for one part of a text, the start of the child included, in seconds."""

_CLOSE_S = 5.0
_TRIES = 2
_CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Sentence:
    """How a sentence sounds."""

    phonemes: tuple[str, ...]
    """Code points of the International Phonetic Alphabet, blanks between words, and marks."""

    words: tuple[int, ...]
    """For each phoneme the index of its word, never falling, or `NO_WORD`."""


class _ChildDiedError(Exception):
    """The child ended instead of answering."""


class Phonemiser:
    """One child for all voices and threads, started when it is needed; `close` it."""

    def __init__(self, program: str = _PROGRAM, *, answer_s: float = _ANSWER_S) -> None:
        """Starts nothing yet.

        Args:
            program: the module that the child runs.
            answer_s: longest time for one part of a text, in seconds.
        """
        self._program = program
        self._answer_s = answer_s
        # espeak-ng has one voice and one text at a time, so there is one child and one lock.
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The child's process id, if there is one."""
        child = self._child
        return child.pid if child else None

    def sentences(self, voice: Path | str, words: Sequence[str]) -> list[Sentence]:
        """How a text sounds, in the sentences that espeak-ng makes of it.

        Blocks; any thread may call it.

        Args:
            voice: the config file of a Piper voice, or the name of one of espeak-ng's, "en-us".
            words: the words of any text.

        Raises:
            UnpronounceableTextError: if espeak-ng dies of the text.
            EngineStalledError: if it gives no answer in time.
        """
        found: list[Sentence] = []
        with self._lock:
            for part in espeak_words(words):
                request = json.dumps([str(voice), [piece for piece, _ in part]])
                for phonemes, pieces in self._tried(request.encode() + b"\n"):
                    owners = (NO_WORD if at == NO_WORD else part[at][1] for at in pieces)
                    found.append(Sentence(tuple(phonemes), tuple(owners)))
        return found

    def close(self) -> None:
        """Ends the child; a later call starts another."""
        with self._lock:
            self._end()

    def _tried(self, request: bytes) -> list[tuple[list[str], list[int]]]:
        for _ in range(_TRIES):
            try:
                sentences: list[tuple[list[str], list[int]]] = json.loads(self._answer(request))
            except _ChildDiedError:
                _logger.warning("espeak-ng has died", exit_code=self._end())
            except EngineStalledError:
                self._end()
                raise
            else:
                return sentences
        msg = "the speech engine cannot pronounce a part of the text; write it otherwise"
        raise UnpronounceableTextError(msg, field="text")

    def _answer(self, request: bytes) -> bytes:
        child = self._running()
        assert child.stdin is not None  # noqa: S101 - both are pipes, see `_running`
        assert child.stdout is not None  # noqa: S101
        until = time.monotonic() + self._answer_s
        answer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            try:
                # A part is far smaller than what a pipe takes at once, so this does not block.
                child.stdin.write(request)
            except BrokenPipeError as error:
                raise _ChildDiedError from error
            while not answer.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    msg = f"espeak-ng gave no answer for {self._answer_s:g} s"
                    raise EngineStalledError(msg)
                read = os.read(child.stdout.fileno(), _CHUNK_BYTES)
                if not read:
                    raise _ChildDiedError
                answer += read
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(  # noqa: S603 - nothing of it comes from outside
                [sys.executable, "-P", "-m", self._program],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A traceback of it could hold the text.
                stderr=subprocess.DEVNULL,
                bufsize=0,
                # Ctrl-C is for the service, which still speaks while it drains.
                start_new_session=True,
            )
        return self._child

    def _end(self) -> int | None:
        """Ends the child if there is one; returns its exit code."""
        child, self._child = self._child, None
        if child is None:
            return None
        assert child.stdout is not None  # noqa: S101
        child.stdout.close()
        if child.poll() is None:
            child.kill()
        if child.stdin is not None:
            child.stdin.close()
        return child.wait(_CLOSE_S)
