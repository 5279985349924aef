"""`voicemesh ask`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import asyncio
from contextlib import aclosing
from typing import Annotated

import typer

from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
    connection,
)
from voicemesh_client.cli.texts import put, text_on_standard_input
from voicemesh_client.connection import Connection
from voicemesh_client.generation import GenerationDelta, GenerationOptions, Role, Turn
from voicemesh_client.trainer import Trainer

__all__ = ("ask",)


def ask(
    text: Annotated[str, typer.Argument(help="The question; - reads standard input.")],
    tenant: Tenant = DEFAULT_TENANT,
    model: Annotated[str, typer.Option(help="Model that answers.")] = "",
    system: Annotated[str | None, typer.Option(help="What the assistant is told.")] = None,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Print the answer to a question, as it is written."""
    with plain_failures():
        question = text_on_standard_input("text") if text == "-" else text
        if not question.strip():
            refuse_usage("the question is blank")
        options = GenerationOptions(model=model, system_prompt=system)
        asyncio.run(_ask(Turn(Role.USER, question), tenant, options, connection(trainer, token)))


async def _ask(
    question: Turn, tenant: str, options: GenerationOptions, service: Connection
) -> None:
    async with Trainer(service) as trainer:
        answer = trainer.generate([question], tenant=tenant, options=options)
        async with aclosing(answer) as events:
            async for event in events:
                if isinstance(event, GenerationDelta):
                    put(event.text, nl=False)
    put()
