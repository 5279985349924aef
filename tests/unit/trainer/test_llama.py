"""The embedded model's prompts, with llama.cpp left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from voicemesh_trainer.domain.conversations import (
    Accepted,
    Conversation,
    Ended,
    ModelInfo,
    Role,
    Turn,
)
from voicemesh_trainer.engines.llama import LlamaDefaults, LlamaModel
from voicemesh_trainer.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.unit


class OneWord:
    """A completion that says one word."""

    async def next(self) -> dict[str, Any]:
        return {"choices": [{"text": "Yes", "finish_reason": "stop"}]}

    def stop(self) -> None:
        pass

    async def gone(self) -> None:
        pass


class Server:
    """A `LlamaServer` that counts a token for four characters and remembers how many it read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    async def count_tokens(self, text: str) -> int:
        self.read.append(len(text))
        return len(text) // 4

    def complete(self, _request: Mapping[str, Any], done: Callable[[], None]) -> OneWord:
        done()
        return OneWord()


async def test_a_history_far_beyond_the_context_is_not_counted_whole() -> None:
    server: Any = Server()
    model = LlamaModel(
        ModelInfo("fake", "local"),
        server,
        Slots(1, max_waiting=0, max_wait_s=1),
        LlamaDefaults("lines", 1, 2048, 0.0, 0.95, 1.0),
    )
    history = (Turn(Role.USER, "word " * 3_200),) * 250 + (Turn(Role.USER, "Hello"),)

    events = [event async for event in model.reply(Conversation("t", history))]

    accepted, *_, ended = events
    assert isinstance(accepted, Accepted)
    assert isinstance(ended, Ended)
    assert accepted.omitted_turns == 250
    assert max(server.read) < 250_000
