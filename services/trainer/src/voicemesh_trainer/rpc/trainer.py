"""Answers the calls of TrainerService; translation only."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voicemesh.trainer.v1 import trainer_service_pb2, trainer_service_pb2_grpc
from voicemesh_chassis.pages import PageLimits, key_in, page_size, token_for
from voicemesh_trainer.rpc.checks import check_tenant
from voicemesh_trainer.rpc.convert import conversation_from, response_of
from voicemesh_trainer.rpc.teaching import correction_from, feedback_from, timestamp_of
from voicemesh_trainer.rpc.tenants import (
    author_from,
    author_message,
    persona_from,
    persona_message,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_trainer.ports.evaluations import Answers
    from voicemesh_trainer.ports.memory import LessonStore
    from voicemesh_trainer.ports.tenants import TenantStore

__all__ = ("TrainerServicer",)

_PAGES = PageLimits(default=50, largest=500)


class TrainerServicer(trainer_service_pb2_grpc.TrainerServiceServicer):
    """Answers conversations, takes what people say of the answers, and tells what they gave."""

    def __init__(self, answers: Answers, lessons: LessonStore, tenants: TenantStore) -> None:
        self._answers = answers
        self._lessons = lessons
        self._tenants = tenants

    async def Generate(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.GenerateRequest, context: Any
    ) -> AsyncIterator[trainer_service_pb2.GenerateResponse]:
        """Answers a conversation, token by token."""
        async with aclosing(self._answers.answer(conversation_from(request))) as events:
            async for event in events:
                yield response_of(event)

    async def RecordFeedback(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.RecordFeedbackRequest, context: Any
    ) -> trainer_service_pb2.RecordFeedbackResponse:
        """Records what people thought."""
        feedback_id, time_s = await self._lessons.record_feedback(feedback_from(request))
        return trainer_service_pb2.RecordFeedbackResponse(
            feedback_id=feedback_id, create_time=timestamp_of(time_s)
        )

    async def RecordCorrection(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.RecordCorrectionRequest, context: Any
    ) -> trainer_service_pb2.RecordCorrectionResponse:
        """Records what should have been answered."""
        correction_id, time_s = await self._lessons.record_correction(correction_from(request))
        return trainer_service_pb2.RecordCorrectionResponse(
            correction_id=correction_id, create_time=timestamp_of(time_s)
        )

    async def GetPersona(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.GetPersonaRequest, context: Any
    ) -> trainer_service_pb2.GetPersonaResponse:
        """Returns the persona of a tenant."""
        persona = await self._tenants.persona(check_tenant(request.tenant))
        return trainer_service_pb2.GetPersonaResponse(persona=persona_message(persona))

    async def SetPersona(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.SetPersonaRequest, context: Any
    ) -> trainer_service_pb2.SetPersonaResponse:
        """Changes the persona of a tenant."""
        tenant, wanted = persona_from(request)
        persona = await self._tenants.set_persona(tenant, wanted.name, wanted.system_prompt)
        return trainer_service_pb2.SetPersonaResponse(persona=persona_message(persona))

    async def ListAuthorData(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.ListAuthorDataRequest, context: Any
    ) -> trainer_service_pb2.ListAuthorDataResponse:
        """Lists what a person gave."""
        tenant, author_id = author_from(request)
        size, after = page_size(request.page_size, _PAGES), key_in(request.page_token)
        items = await self._tenants.author_items(tenant, author_id, after=after, limit=size + 1)
        return trainer_service_pb2.ListAuthorDataResponse(
            items=[author_message(item) for item in items[:size]],
            next_page_token=token_for(items[size - 1].item_id) if len(items) > size else "",
        )

    async def DeleteAuthorData(  # noqa: N802 - named by the contract
        self, request: trainer_service_pb2.DeleteAuthorDataRequest, context: Any
    ) -> trainer_service_pb2.DeleteAuthorDataResponse:
        """Deletes what a person gave."""
        deleted = await self._tenants.delete_author(*author_from(request))
        return trainer_service_pb2.DeleteAuthorDataResponse(
            example_count=deleted.examples,
            correction_count=deleted.corrections,
            feedback_count=deleted.feedback,
        )
