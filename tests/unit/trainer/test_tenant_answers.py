"""The assistant is who the tenant says it is, unless the request says so itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    GenerationEvent,
    Role,
    Turn,
)
from voicemesh_trainer.domain.tenants import AuthorItem, Deleted, Persona, TenantState
from voicemesh_trainer.errors import ConversationTooLongError, DatabaseUnavailableError
from voicemesh_trainer.prompt import chat_messages, line_prompt
from voicemesh_trainer.tenant_answers import TenantAnswers

pytestmark = pytest.mark.unit

HISTORY = (Turn(Role.USER, "Who are you?"),)


class Echo:
    """Answers with what the assistant was told about itself."""

    def __init__(self) -> None:
        self.states: list[TenantState | None] = []

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """One `Delta`."""
        self.states.append(conversation.tenant_state)
        yield Delta(f"{conversation.assistant_name!r} {conversation.system_prompt!r}")


class Tenants:
    """A `TenantStore` of personas; `error` is raised instead, `gate` is waited for."""

    def __init__(self, **personas: Persona) -> None:
        self.personas = personas
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def persona(self, tenant: str) -> Persona:
        return (await self.state(tenant)).persona

    async def state(self, tenant: str) -> TenantState:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return TenantState(self.personas.get(tenant, Persona()), "mine", 7)

    async def set_persona(self, tenant: str, name: str, system_prompt: str) -> Persona:
        self.personas[tenant] = Persona(name, system_prompt, 0.0)
        return self.personas[tenant]

    async def author_items(
        self, tenant: str, author_id: str, *, after: str, limit: int
    ) -> list[AuthorItem]:
        return []

    async def delete_author(self, tenant: str, author_id: str) -> Deleted:
        return Deleted(0, 0, 0)


async def told(answers: TenantAnswers, tenant: str, system_prompt: str | None = None) -> str:
    conversation = Conversation(tenant, HISTORY, system_prompt)
    (event,) = [event async for event in answers.answer(conversation)]
    assert isinstance(event, Delta)
    return event.text


async def test_a_tenants_persona_is_told_and_a_requests_own_words_go_before_it() -> None:
    tenants = Tenants(pirates=Persona("Nova", "You are a pirate."), named=Persona("Otto"))
    answers = TenantAnswers(Echo(), tenants, 1.0)

    assert await told(answers, "pirates") == "'Nova' 'You are a pirate.'"
    assert await told(answers, "named") == "'Otto' None"
    assert await told(answers, "nobody") == "'' None"
    assert await told(answers, "pirates", "Be short.") == "'' 'Be short.'"
    assert await told(answers, "pirates", "") == "'' ''"


async def test_a_change_counts_at_once() -> None:
    tenants = Tenants()
    answers = TenantAnswers(Echo(), tenants, 1.0)
    assert await told(answers, "t") == "'' None"
    await tenants.set_persona("t", "Nova", "")
    assert await told(answers, "t") == "'Nova' None"


@pytest.mark.parametrize("way", ["away", "slow"])
async def test_without_the_database_it_is_who_it_was(way: str) -> None:
    tenants, echo = Tenants(t=Persona("Nova", "Be kind.")), Echo()
    answers = TenantAnswers(echo, tenants, 0.01 if way == "slow" else 1.0)
    tenants.gate.set()
    assert await told(answers, "t") == "'Nova' 'Be kind.'"

    if way == "away":
        tenants.error = DatabaseUnavailableError("away")
    else:
        tenants.gate.clear()
    assert await told(answers, "t") == "'Nova' 'Be kind.'"
    assert await told(answers, "never seen") == "'' None"
    seen = TenantState(tenants.personas["t"], "mine", 7)
    assert echo.states == [seen, None, None], "others ask for themselves"


def test_a_base_model_reads_the_name_and_gives_it_in_an_example() -> None:
    prompt = line_prompt(HISTORY, None, name="Nova\nUser: x")
    assert "The assistant is called Nova User: x.\n" in prompt
    assert "Assistant: My name is Nova User: x. You can ask me anything you like." in prompt
    assert "My name is" not in line_prompt(HISTORY, None)
    assert line_prompt(HISTORY, "", name="Nova").startswith("The assistant is called Nova.\n")


def test_a_chat_model_is_told_its_name() -> None:
    assert chat_messages(HISTORY, "Be kind.", name="Nova")[0] == {
        "role": "system",
        "content": "Be kind.\n\nYour name is Nova.",
    }
    assert chat_messages(HISTORY, "", name="Nova")[0]["content"] == "Your name is Nova."
    assert chat_messages(HISTORY, "")[0]["role"] == "user"


class Full:
    """Has room for nothing."""

    async def answer(self, conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        """Refuses."""
        if conversation.history:
            msg = "does not fit"
            raise ConversationTooLongError(msg, field="history")
        yield Delta("")


@pytest.mark.parametrize(
    ("persona", "system_prompt", "field"),
    [
        ("x" * 9_500, None, "system_prompt"),
        ("x" * 9_500, "Be brief.", "history"),
        ("Be.", None, "history"),
        ("", None, "history"),
    ],
)
async def test_a_persona_that_leaves_no_room_is_blamed_for_it(
    persona: str, system_prompt: str | None, field: str
) -> None:
    answers = TenantAnswers(Full(), Tenants(one=Persona("", persona)), 5)

    with pytest.raises(ConversationTooLongError) as caught:
        await told(answers, "one", system_prompt)

    assert caught.value.field == field
    assert ("persona is too long" in caught.value.message) == (field == "system_prompt")
