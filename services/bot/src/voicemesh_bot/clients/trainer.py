"""A language model by the trainer service."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.domain import ModelEvent, ModelFinished, ModelStarted, ModelText, Role

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from voicemesh_bot.domain import HistoryTurn

__all__ = ("TrainerLanguageModel",)

_ROLES = {Role.USER: sdk.Role.USER, Role.ASSISTANT: sdk.Role.ASSISTANT}


class TrainerLanguageModel:
    """`ports.LanguageModel` over the SDK."""

    def __init__(self, client: sdk.Trainer, *, max_output_tokens: int) -> None:
        self._client = client
        self._options = sdk.GenerationOptions(max_output_tokens=max_output_tokens)

    async def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        """The answer to a conversation, as the port says."""
        turns = [sdk.Turn(_ROLES[turn.role], turn.text, turn.speaker) for turn in history]
        answer = self._client.generate(turns, tenant=tenant, options=self._options)
        async with aclosing(answer) as events:
            async for event in events:
                if isinstance(event, sdk.GenerationStarted):
                    yield ModelStarted(event.response_id, event.model)
                elif isinstance(event, sdk.GenerationDelta):
                    yield ModelText(event.text)
                else:
                    yield ModelFinished(shortened=event.reason is sdk.FinishReason.LENGTH)
