"""Answers are forgotten when their time is over, whatever the database says meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_trainer.memory import expiry
from voicemesh_trainer.memory.expiry import ResponseExpiry

pytestmark = pytest.mark.unit


class Store:
    """Fails the first time that something is to be forgotten."""

    def __init__(self, failure: ServiceError) -> None:
        self.failures = [failure]
        self.asked: list[float] = []
        self.forgot = asyncio.Event()

    async def forget_responses(self, before_s: float) -> int:
        self.asked.append(before_s)
        if self.failures:
            raise self.failures.pop()
        self.forgot.set()
        return 1


@pytest.mark.parametrize("failure", [DatabaseUnavailableError("away"), StorageFullError("full")])
async def test_answers_that_cannot_be_forgotten_now_are_forgotten_later(
    failure: ServiceError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "_PAUSE_S", 0.001)
    store: Any = Store(failure)
    responses = ResponseExpiry(store, 2.0, lambda: 200_000.0)

    responses.start()
    await asyncio.wait_for(store.forgot.wait(), 10)
    await responses.aclose()

    assert set(store.asked) == {200_000.0 - 2 * 86_400.0}
    assert len(store.asked) >= 2
