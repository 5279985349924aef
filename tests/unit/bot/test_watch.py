"""Seeing backends come and go."""

from __future__ import annotations

import asyncio

import pytest

from voicemesh_bot.domain import Backend
from voicemesh_bot.watch import BackendWatch

pytestmark = pytest.mark.unit


class ScriptedReadiness:
    """Answers from a list for stt; the others are always ready."""

    def __init__(self, answers: list[bool]) -> None:
        self.answers = answers
        self.asked = asyncio.Event()

    async def is_ready(self, backend: Backend) -> bool:
        if backend is not Backend.STT:
            return True
        if len(self.answers) == 1:
            self.asked.set()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def _changes(answers: list[bool]) -> list[bool]:
    readiness = ScriptedReadiness(answers)
    watch = BackendWatch(readiness, interval_s=0)
    changes: list[bool] = []
    unsubscribe = watch.subscribe(
        lambda backend, ready: changes.append(ready) if backend is Backend.STT else None
    )
    task = asyncio.create_task(watch.run())
    await readiness.asked.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    unsubscribe()
    return changes


async def test_changes_are_told_and_nothing_else() -> None:
    assert await _changes([True, True, False, False, False]) == [True, False]


async def test_a_backend_is_back_after_two_good_checks() -> None:
    assert await _changes([False, True, False, True, True, True]) == [False, True]
