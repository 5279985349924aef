"""Looks up, once for each answer, what it has to know of its tenant.

Who the assistant is there, which model answers, and whether anything was taught since: three
questions to the database, asked as one because somebody waits for the answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.tenants import Persona
from voicemesh_trainer.errors import ConversationTooLongError, DatabaseUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_trainer.domain.conversations import Conversation, GenerationEvent
    from voicemesh_trainer.domain.tenants import TenantState
    from voicemesh_trainer.ports.evaluations import Answers
    from voicemesh_trainer.ports.tenants import TenantStore

__all__ = ("TenantAnswers",)

_logger = get_logger(__name__)

_MOST_KNOWN = 1_000


class TenantAnswers:
    """Answers as the tenant wants it, unless a request says so itself; an `Answers`."""

    def __init__(self, answers: Answers, tenants: TenantStore, wait_s: float) -> None:
        """Takes the parts.

        Args:
            answers: answer.
            tenants: know the tenant; asked each time, so that a change counts at once.
            wait_s: longest wait for them, in seconds; then the persona is what it was last.
        """
        self._answers = answers
        self._tenants = tenants
        self._wait_s = wait_s
        self._known: OrderedDict[str, Persona] = OrderedDict()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """See `Answers.answer`."""
        tenant = conversation.tenant
        state = await self._state(tenant)
        conversation = replace(conversation, tenant_state=state)
        persona: Persona | None
        if conversation.system_prompt is None:
            persona = state.persona if state else self._known.get(tenant, Persona())
            conversation = replace(
                conversation,
                system_prompt=persona.system_prompt or None,
                assistant_name=persona.name,
            )
        else:
            persona = None
        try:
            async with aclosing(self._answers.answer(conversation)) as events:
                async for event in events:
                    yield event
        except ConversationTooLongError as error:
            if persona is None or len(persona.system_prompt) <= len(conversation.history[-1].text):
                raise
            # Who asked did not write the persona, and cannot tell that it is what takes the room.
            msg = (
                f"the tenant's persona is too long: its system prompt has "
                f"{len(persona.system_prompt)} characters and leaves the model no room for the "
                "last turn; shorten it (SetPersona, or voicemesh persona set --prompt), or send a "
                "system_prompt with the request"
            )
            raise ConversationTooLongError(
                msg, field="system_prompt", metadata=error.metadata
            ) from error

    async def _state(self, tenant: str) -> TenantState | None:
        """None if the database cannot be asked; those who must know will try for themselves."""
        try:
            async with asyncio.timeout(self._wait_s):
                state = await self._tenants.state(tenant)
        except (TimeoutError, DatabaseUnavailableError) as error:
            # People would rather have an answer by what was known than none.
            _logger.warning("the tenant is taken for unchanged", cause=type(error).__name__)
            return None
        self._known[tenant] = state.persona
        self._known.move_to_end(tenant)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)
        return state
