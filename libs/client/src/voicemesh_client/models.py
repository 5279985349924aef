"""Models of a tenant: tested, put to use, taken back."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import model_service_pb2 as pb
from voicemesh.trainer.v1.model_service_pb2_grpc import ModelServiceStub
from voicemesh_client.calls import receive, refusing_bad_values, single
from voicemesh_client.evaluation import EvaluationOptions
from voicemesh_client.pages import pages
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.wire import evaluation

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from voicemesh.trainer.v1.model_service_pb2_grpc import (
        ModelServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.connection import Connection
    from voicemesh_client.evaluation import (
        EvaluationCase,
        EvaluationEvent,
        Model,
        ModelChange,
    )

__all__ = ("Models",)

_DEFAULTS = EvaluationOptions()


class Models(ServiceClient["ModelServiceAsyncStub"]):
    """A client of the trainer's models.

    Every call raises `ServiceError` as the service answers; `NotFoundError` for a model that the
    tenant does not have.

    Example:
        async with Models("127.0.0.1:50053") as models:
            async for event in models.evaluate(cases, tenant="me"):
                if isinstance(event, EvaluationScores):
                    print(f"{event.exact_match:.0%} to the letter")
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, ModelServiceStub)

    async def list(self, *, tenant: str) -> AsyncGenerator[Model, None]:
        """The models that the tenant may use, its own first and the newest before the others."""
        with refusing_bad_values():
            request = pb.ListModelsRequest(tenant=tenant)

        async def ask(token: str) -> pb.ListModelsResponse:
            request.page_token = token
            return await single(self._stub().ListModels(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for model in page.models:
                    yield evaluation.model_from_wire(model)

    async def promote(
        self, model: str, *, tenant: str, force: bool = False, author_id: str = ""
    ) -> Model:
        """Makes a model the tenant's active one.

        Args:
            model: its name.
            tenant: whom it shall answer.
            force: whether to promote it though its evaluation is worse or missing.
            author_id: opaque id of the person who asks, for the record; at most 64 characters.

        Raises:
            ServiceError: as the service answers; `FailedPreconditionError` if its evaluation is
                worse than the active model's, or missing, and `force` is not given.
        """
        with refusing_bad_values():
            request = pb.PromoteModelRequest(
                tenant=tenant, model=model, force=force, author_id=author_id
            )
        response = await single(self._stub().PromoteModel(request), self._peer)
        return evaluation.model_from_wire(response.model)

    async def roll_back(self, *, tenant: str, author_id: str = "") -> Model:
        """Returns to the model that was active before; returns that.

        Raises:
            ServiceError: as the service answers; `FailedPreconditionError` if there was none.
        """
        with refusing_bad_values():
            request = pb.RollBackModelRequest(tenant=tenant, author_id=author_id)
        response = await single(self._stub().RollBackModel(request), self._peer)
        return evaluation.model_from_wire(response.model)

    async def evaluate(
        self,
        cases: Iterable[EvaluationCase],
        *,
        tenant: str,
        options: EvaluationOptions = _DEFAULTS,
    ) -> AsyncGenerator[EvaluationEvent, None]:
        """Tests a model on prompts with expected answers; the scores are kept with it.

        A `Prediction` for every case and model, as they are answered, then `ComparedScores` if
        there is a compared model, and `EvaluationScores` last. Close it (`contextlib.aclosing`) to
        stop earlier. One case must be answered within `Connection.timeout_s`.

        Args:
            cases: what to ask, 1 to 10,000.
            tenant: whose models and memory to use.
            options: which models to test, and how.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an unknown model. A case
                that cannot be answered is no error of the call: `Prediction.error` says why.
        """
        with refusing_bad_values():
            request = evaluation.request_to_wire(cases, tenant, options)
        call = self._stub().EvaluateModel(request)
        async with aclosing(receive(call, self._peer)) as responses:
            async for response in responses:
                event = evaluation.event_from_wire(response)
                if event is not None:
                    yield event

    async def delete(self, model: str, *, tenant: str, author_id: str = "") -> None:
        """Deletes a model that the tenant trained.

        Raises:
            ServiceError: as the service answers; `FailedPreconditionError` if it is active.
        """
        with refusing_bad_values():
            request = pb.DeleteModelRequest(tenant=tenant, model=model, author_id=author_id)
        await single(self._stub().DeleteModel(request), self._peer)

    async def changes(self, *, tenant: str) -> AsyncGenerator[ModelChange, None]:
        """What was done with the tenant's models and by whom, newest first, page by page."""
        with refusing_bad_values():
            request = pb.ListModelChangesRequest(tenant=tenant)

        async def ask(token: str) -> pb.ListModelChangesResponse:
            request.page_token = token
            return await single(self._stub().ListModelChanges(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for change in page.changes:
                    yield evaluation.change_from_wire(change)
