"""Between the messages of personas and of people's data and the domain, every field checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import trainer_service_pb2
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.tenants import Persona
from voicemesh_trainer.rpc.checks import check_printable, check_tenant, check_text
from voicemesh_trainer.rpc.teaching import timestamp_of

if TYPE_CHECKING:
    from voicemesh_trainer.domain.tenants import AuthorItem

__all__ = ("author_from", "author_message", "persona_from", "persona_message")

_MAX_NAME = 64
_MAX_PROMPT = 16_000
_MAX_AUTHOR = 64


def persona_from(request: trainer_service_pb2.SetPersonaRequest) -> tuple[str, Persona]:
    """The tenant of a request, and the persona that it is to have.

    Raises:
        InvalidArgumentError: names the first field that cannot be used.
    """
    tenant = check_tenant(request.tenant)
    name = check_text(request.persona.name, "persona.name", _MAX_NAME).strip()
    if not name.isprintable():
        msg = "persona.name has characters that cannot be printed"
        raise InvalidArgumentError(msg, field="persona.name")
    about = check_text(request.persona.system_prompt, "persona.system_prompt", _MAX_PROMPT)
    return tenant, Persona(name, about.strip())


def persona_message(persona: Persona) -> trainer_service_pb2.Persona:
    """A persona, as callers see it."""
    updated = None if persona.update_time is None else timestamp_of(persona.update_time)
    return trainer_service_pb2.Persona(
        name=persona.name, system_prompt=persona.system_prompt, update_time=updated
    )


def author_from(
    request: trainer_service_pb2.ListAuthorDataRequest
    | trainer_service_pb2.DeleteAuthorDataRequest,
) -> tuple[str, str]:
    """The tenant and the person that a request names. Raises as `persona_from`."""
    tenant = check_tenant(request.tenant)
    return tenant, check_printable(request.author_id, "author_id", _MAX_AUTHOR, required=True)


def author_message(item: AuthorItem) -> trainer_service_pb2.AuthorItem:
    """One thing that a person gave, as callers see it."""
    return trainer_service_pb2.AuthorItem(
        item_id=item.item_id,
        kind=item.kind.value,
        prompt=item.prompt,
        text=item.text,
        dataset_id=item.dataset_id,
        create_time=timestamp_of(item.create_time),
    )
