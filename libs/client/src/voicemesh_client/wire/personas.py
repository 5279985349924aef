"""Personas, and what people gave."""

from __future__ import annotations

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh_client.personas import AuthorItem, DeletedAuthorData, Persona
from voicemesh_client.wire.times import time_from_wire

__all__ = ("deleted_from_wire", "item_from_wire", "persona_from_wire", "persona_to_wire")


def persona_to_wire(persona: Persona) -> pb.Persona:
    """A persona that is to be set."""
    return pb.Persona(name=persona.name, system_prompt=persona.system_prompt)


def persona_from_wire(message: pb.Persona) -> Persona:
    """The persona of a message."""
    return Persona(message.name, message.system_prompt, time_from_wire(message, "update_time"))


def item_from_wire(message: pb.AuthorItem) -> AuthorItem:
    """One thing that a person gave."""
    return AuthorItem(
        id=message.item_id,
        kind=message.kind,
        prompt=message.prompt,
        text=message.text,
        dataset_id=message.dataset_id,
        create_time=time_from_wire(message, "create_time"),
    )


def deleted_from_wire(message: pb.DeleteAuthorDataResponse) -> DeletedAuthorData:
    """What was deleted of a person's."""
    return DeletedAuthorData(
        message.example_count, message.correction_count, message.feedback_count
    )
