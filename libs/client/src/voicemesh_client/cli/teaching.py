"""`voicemesh teach` and `voicemesh forget`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

from typing import Annotated

import typer

from voicemesh_client.cli.asking import asked, show_table, time_of
from voicemesh_client.cli.failures import plain_failures, refuse_usage
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import put, text_on_standard_input
from voicemesh_client.generation import Correction
from voicemesh_client.personas import AuthorItem
from voicemesh_client.trainer import Trainer

__all__ = ("forget", "teach")


def teach(
    question: Annotated[str, typer.Argument(help="What people ask.")],
    answer: Annotated[str, typer.Argument(help="What shall be answered; - reads it.")],
    author: Annotated[str, typer.Option(help="Who says so; forget takes the same id.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Correct the answer to a question; it counts for the very next one."""
    with plain_failures():
        text = text_on_standard_input("corrected_text") if answer == "-" else answer
        if not question.strip() or not text.strip():
            refuse_usage("the question or the answer is blank")
        correction = Correction(text, question=question, author_id=author)
        made = asked(
            Trainer, trainer, token, lambda it: it.record_correction(correction, tenant=tenant)
        )
        put(made)


def forget(
    author: Annotated[str, typer.Argument(help="Id that the person's data was given with.")],
    yes: Annotated[bool, typer.Option("--yes", help="Delete it.")] = False,
    only_list: Annotated[bool, typer.Option("--list", help="Only show what there is.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Delete everything a person gave: examples, corrections and feedback."""
    if only_list:
        with plain_failures():
            items = asked(Trainer, trainer, token, lambda it: _items(it, author, tenant))
            show_table(
                ("ITEM", "KIND", "GIVEN (UTC)", "PROMPT", "TEXT"),
                (
                    (item.id, item.kind, time_of(item.create_time), item.prompt, item.text)
                    for item in items
                ),
            )
        return
    if not yes:
        refuse_usage("what is deleted does not come back: say so with --yes, or look with --list")
    with plain_failures():
        gone = asked(
            Trainer, trainer, token, lambda it: it.delete_author_data(author, tenant=tenant)
        )
        put(
            f"deleted: {gone.example_count} examples, {gone.correction_count} corrections, "
            f"{gone.feedback_count} feedback"
        )


async def _items(trainer: Trainer, author: str, tenant: str) -> list[AuthorItem]:
    return [item async for item in trainer.list_author_data(author, tenant=tenant)]
