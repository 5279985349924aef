"""Tells the assistant who it is in a tenant, unless a request says so itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.tenants import Persona
from voicemesh_trainer.errors import DatabaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_trainer.domain.conversations import Conversation, GenerationEvent
    from voicemesh_trainer.ports.evaluations import Answers
    from voicemesh_trainer.ports.tenants import TenantStore

__all__ = ("PersonaAnswers",)

_logger = get_logger(__name__)

_MOST_KNOWN = 1_000


class PersonaAnswers:
    """Answers as the tenant's persona; an `Answers`."""

    def __init__(self, answers: Answers, tenants: TenantStore, wait_s: float) -> None:
        """Takes the parts.

        Args:
            answers: answer.
            tenants: know the persona; asked each time, so that a change counts at once.
            wait_s: longest wait for them, in seconds; then the persona is what it was last.
        """
        self._answers = answers
        self._tenants = tenants
        self._wait_s = wait_s
        self._known: OrderedDict[str, Persona] = OrderedDict()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """See `Answers.answer`."""
        if conversation.system_prompt is None:
            persona = await self._persona(conversation.tenant)
            conversation = replace(
                conversation,
                system_prompt=persona.system_prompt or None,
                assistant_name=persona.name,
            )
        async with aclosing(self._answers.answer(conversation)) as events:
            async for event in events:
                yield event

    async def _persona(self, tenant: str) -> Persona:
        try:
            async with asyncio.timeout(self._wait_s):
                persona = await self._tenants.persona(tenant)
        except (TimeoutError, DatabaseUnavailableError) as error:
            # People would rather have an answer by what was known than none.
            _logger.warning("persona not read", cause=type(error).__name__)
            return self._known.get(tenant, Persona())
        self._known[tenant] = persona
        self._known.move_to_end(tenant)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return persona
