"""Conversations in, answers out; what people think of them; who the assistant is."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceStub
from voicemesh_client.calls import receive, refusing_bad_values, single
from voicemesh_client.generation import (
    Correction,
    Feedback,
    GenerationEvent,
    GenerationOptions,
    Turn,
)
from voicemesh_client.pages import pages
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.wire import generation, personas

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from voicemesh.trainer.v1.trainer_service_pb2_grpc import (
        TrainerServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.connection import Connection
    from voicemesh_client.personas import AuthorItem, DeletedAuthorData, Persona

__all__ = ("Trainer",)

_DEFAULTS = GenerationOptions()


class Trainer(ServiceClient["TrainerServiceAsyncStub"]):
    """A client of the trainer service.

    Example:
        async with Trainer("127.0.0.1:50053") as trainer:
            async for event in trainer.generate([Turn(Role.USER, "Hi")], tenant="me"):
                if isinstance(event, GenerationDelta):
                    print(event.text, end="")
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, TrainerServiceStub)

    async def generate(
        self, history: Sequence[Turn], *, tenant: str, options: GenerationOptions = _DEFAULTS
    ) -> AsyncGenerator[GenerationEvent, None]:
        """The answer to a conversation, as it is written.

        `GenerationStarted` comes first, then deltas, then `GenerationFinished`. Close it
        (`contextlib.aclosing`) to stop the model earlier.

        Args:
            history: the conversation, oldest first; the last turn is a user's and is answered.
            tenant: whose memory and models to use, any name of 1 to 128 characters.
            options: how to answer.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an unknown model,
                `UnavailableError` if the model's provider cannot be reached.
        """
        with refusing_bad_values():
            request = generation.request_to_wire(history, tenant, options)
        call = self._stub().Generate(request)
        async with aclosing(receive(call, self._peer)) as responses:
            async for response in responses:
                event = generation.event_from_wire(response)
                if event is not None:
                    yield event

    async def record_feedback(self, feedback: Feedback, *, tenant: str) -> str:
        """Records what somebody thought; returns the id of the feedback, which is then durable.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an answer that the tenant
                does not have.
        """
        with refusing_bad_values():
            request = generation.feedback_to_wire(feedback, tenant)
        return (await single(self._stub().RecordFeedback(request), self._peer)).feedback_id

    async def record_correction(self, correction: Correction, *, tenant: str) -> str:
        """Records what should have been answered; returns the id of the correction.

        It is then durable, and counts for the very next answer.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an answer that the tenant
                does not have.
        """
        with refusing_bad_values():
            request = generation.correction_to_wire(correction, tenant)
        return (await single(self._stub().RecordCorrection(request), self._peer)).correction_id

    async def get_persona(self, *, tenant: str) -> Persona:
        """What the assistant is told about itself in a tenant; empty if nothing was set."""
        with refusing_bad_values():
            request = pb.GetPersonaRequest(tenant=tenant)
        response = await single(self._stub().GetPersona(request), self._peer)
        return personas.persona_from_wire(response.persona)

    async def set_persona(self, persona: Persona, *, tenant: str) -> Persona:
        """Changes what the assistant is told about itself in a tenant; returns it as it is now.

        It is then durable, and counts for the very next answer. Empty fields return to the
        defaults.

        Raises:
            ServiceError: as the service answers; `InvalidArgumentError` for one that is too long.
        """
        with refusing_bad_values():
            request = pb.SetPersonaRequest(tenant=tenant, persona=personas.persona_to_wire(persona))
        response = await single(self._stub().SetPersona(request), self._peer)
        return personas.persona_from_wire(response.persona)

    async def list_author_data(
        self, author_id: str, *, tenant: str
    ) -> AsyncGenerator[AuthorItem, None]:
        """What a person gave: examples, corrections and feedback, oldest first, page by page.

        Args:
            author_id: the opaque id that the person's data was given with.
            tenant: whom it was given to.
        """
        with refusing_bad_values():
            request = pb.ListAuthorDataRequest(tenant=tenant, author_id=author_id)

        async def ask(token: str) -> pb.ListAuthorDataResponse:
            request.page_token = token
            return await single(self._stub().ListAuthorData(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for item in page.items:
                    yield personas.item_from_wire(item)

    async def delete_author_data(self, author_id: str, *, tenant: str) -> DeletedAuthorData:
        """Deletes everything a person gave; returns how much it was.

        Files that were exported, and models that were trained before, stay.
        """
        with refusing_bad_values():
            request = pb.DeleteAuthorDataRequest(tenant=tenant, author_id=author_id)
        response = await single(self._stub().DeleteAuthorData(request), self._peer)
        return personas.deleted_from_wire(response)
