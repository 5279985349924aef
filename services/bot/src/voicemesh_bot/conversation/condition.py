"""What one conversation knows, and has told people, of how its backends are.

A backend can fail in two ways. It is absent when it says so itself or nobody answers for it. It is
in trouble when its last work failed, though it may call itself ready: a language model whose
provider cannot be reached is. Being down is mentioned once, and once more when it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import ShowNotice, ShowTrouble
from voicemesh_bot.problems import back_sentence, down_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.domain import Backend, Problem

__all__ = ("Conditions",)


class Conditions:
    """The condition of every backend; hands its commands to `emit`."""

    def __init__(self, emit: Callable[[Command], None]) -> None:
        self._emit = emit
        self._down: set[Backend] = set()  # People were told, and not yet that it is back.
        self._absent: set[Backend] = set()
        self._troubled: set[Backend] = set()

    def is_absent(self, backend: Backend) -> bool:
        """Whether it need not be asked, because it says so itself or nobody answers for it."""
        return backend in self._absent

    def note_ready(self, backend: Backend, *, ready: bool) -> None:
        """Takes in what is known of a backend without work for it."""
        if ready:
            self._absent.discard(backend)
            self.note_success(backend)
        else:
            self._absent.add(backend)
            self._tell(down_problem(backend))

    def note_success(self, backend: Backend) -> None:
        """Takes a sign of life in: a backend may fail one piece of work and do the next."""
        if backend in self._troubled:
            self._troubled.discard(backend)
            self._emit(ShowTrouble(backend, troubled=False))
        if backend in self._down and backend not in self._absent:
            self._down.discard(backend)
            self._emit(ShowNotice(back_sentence(backend), backend, good=True))

    def note_failure(self, problem: Problem, *, told_in_turn: bool = False) -> None:
        """Takes in that work failed; with `told_in_turn` the answer itself says why."""
        if problem.backend not in self._troubled:
            self._troubled.add(problem.backend)
            self._emit(ShowTrouble(problem.backend, troubled=True))
        if not told_in_turn:
            self._tell(problem)

    def _tell(self, problem: Problem) -> None:
        if problem.down and problem.backend in self._down:
            return
        if problem.down:
            self._down.add(problem.backend)
        self._emit(ShowNotice(problem.sentence, problem.backend))
