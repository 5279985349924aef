"""Training: datasets into models, by jobs that outlive the calls that made them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from voicemesh.trainer.v1 import training_job_service_pb2 as pb
from voicemesh.trainer.v1.training_job_service_pb2_grpc import TrainingJobServiceStub
from voicemesh_client.backoff import Backoff
from voicemesh_client.calls import receive, refusing_bad_values, single
from voicemesh_client.errors import (
    DeadlineExceededError,
    InternalError,
    ServiceError,
)
from voicemesh_client.following import Following
from voicemesh_client.pages import pages
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.training import NewTrainingJob, TrainingJob
from voicemesh_client.uploads import new_request_id
from voicemesh_client.wire import training

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh.trainer.v1.training_job_service_pb2_grpc import (
        TrainingJobServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.connection import Connection
    from voicemesh_client.training import TrainingEvent, TrainingLogLine

__all__ = ("TrainingJobs",)

_DEFAULTS = NewTrainingJob()


class TrainingJobs(ServiceClient["TrainingJobServiceAsyncStub"]):
    """A client of the trainer's jobs.

    Every call raises `ServiceError` as the service answers; `NotFoundError` for a job that the
    tenant does not have.

    Example:
        async with TrainingJobs("127.0.0.1:50053") as jobs:
            job = await jobs.create(tenant="me")
            async for event in jobs.watch(job.id, tenant="me"):
                if isinstance(event, TrainingProgress):
                    print(event.step, "of", event.step_count, "loss", event.loss)
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, TrainingJobServiceStub)

    async def create(
        self, job: NewTrainingJob = _DEFAULTS, *, tenant: str, retries: int = 3
    ) -> TrainingJob:
        """Queues a job, which is durable when this returns.

        Args:
            job: what is wanted.
            tenant: whom the job and its model shall belong to.
            retries: failures in a row, such as UNAVAILABLE, that are forgiven. All attempts have
                the same name, and so make one job.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an unknown dataset or model,
                `FailedPreconditionError` if no dataset is named or selected,
                `LimitExceededError` if the tenant has too many jobs.
        """
        with refusing_bad_values():
            request = training.new_job_to_wire(
                replace(job, request_id=job.request_id or new_request_id()), tenant
            )
        backoff = Backoff(retries)
        while True:
            try:
                response = await single(self._stub().CreateTrainingJob(request), self._peer)
            except ServiceError as error:
                wait_s = backoff.wait_s(error)
                if wait_s is None or self._is_closed:
                    raise
            else:
                return training.job_from_wire(response.job)
            await asyncio.sleep(wait_s)

    async def get(self, job_id: str, *, tenant: str) -> TrainingJob:
        """One job."""
        with refusing_bad_values():
            request = pb.GetTrainingJobRequest(tenant=tenant, job_id=job_id)
        response = await single(self._stub().GetTrainingJob(request), self._peer)
        return training.job_from_wire(response.job)

    async def list(self, *, tenant: str) -> AsyncGenerator[TrainingJob, None]:
        """The tenant's jobs, newest first, page by page as they are wanted."""
        with refusing_bad_values():
            request = pb.ListTrainingJobsRequest(tenant=tenant)

        async def ask(token: str) -> pb.ListTrainingJobsResponse:
            request.page_token = token
            return await single(self._stub().ListTrainingJobs(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for job in page.jobs:
                    yield training.job_from_wire(job)

    async def cancel(self, job_id: str, *, tenant: str) -> TrainingJob:
        """Asks a job to end; returns it as it is now. One that has ended stays as it was."""
        with refusing_bad_values():
            request = pb.CancelTrainingJobRequest(tenant=tenant, job_id=job_id)
        response = await single(self._stub().CancelTrainingJob(request), self._peer)
        return training.job_from_wire(response.job)

    async def log(self, job_id: str, *, tenant: str) -> AsyncGenerator[TrainingLogLine, None]:
        """The log of a job, oldest line first, page by page as it is wanted."""
        with refusing_bad_values():
            request = pb.ListTrainingLogLinesRequest(tenant=tenant, job_id=job_id, page_size=500)

        async def ask(token: str) -> pb.ListTrainingLogLinesResponse:
            request.page_token = token
            return await single(self._stub().ListTrainingLogLines(request), self._peer)

        async with aclosing(pages(ask)) as found:
            async for page in found:
                for line in page.lines:
                    yield training.line_from_wire(line)

    async def loss_curve(self, job_id: str, *, tenant: str) -> bytes:
        """The curve of a job's loss as a picture (PNG).

        Raises:
            ServiceError: as the service answers; `FailedPreconditionError` if there is none yet.
        """
        with refusing_bad_values():
            request = pb.DownloadLossCurveRequest(tenant=tenant, job_id=job_id)
        call = self._stub().DownloadLossCurve(request)
        async with aclosing(receive(call, self._peer)) as responses:
            return b"".join([response.content async for response in responses])

    async def watch(
        self, job_id: str, *, tenant: str, retries: int = 5
    ) -> AsyncGenerator[TrainingEvent, None]:
        """Follows a job to its end.

        A `TrainingJob` whenever its state changes, first and last, every line of its log once and
        in order, and `TrainingProgress`. Close it (`contextlib.aclosing`) to stop earlier; the job
        goes on.

        After UNAVAILABLE or overload the job is followed again, after as long as the service asks
        for, or else after 0.5 s, doubling to 10 s: nothing is told twice, and no line is lost. So
        too where nothing was heard for `Connection.timeout_s`, as of a job that waits for a worker:
        that is how this tells a silent job from a service that is gone.

        Args:
            job_id: the job.
            tenant: whom it belongs to.
            retries: failures in a row that are forgiven; 0 for none.
        """
        with refusing_bad_values():
            request = pb.WatchTrainingJobRequest(tenant=tenant, job_id=job_id)
        told, backoff = Following(), Backoff(retries)
        while not told.ended:
            is_begun = False
            try:
                async with aclosing(self._events(request, told)) as events:
                    async for event in events:
                        is_begun = True
                        backoff.succeeded()
                        if event is not None:
                            yield event
            except ServiceError as error:
                is_silent = is_begun and isinstance(error, DeadlineExceededError)
                wait_s = 0.0 if is_silent else backoff.wait_s(error)
                if wait_s is None or self._is_closed:
                    raise
            else:
                return
            await asyncio.sleep(wait_s)

    async def _events(
        self, request: pb.WatchTrainingJobRequest, told: Following
    ) -> AsyncGenerator[TrainingEvent | None, None]:
        """What one call tells that is new; None, first, says that the service answers."""
        is_begun = False
        call = self._stub().WatchTrainingJob(request)
        async with aclosing(receive(call, self._peer)) as responses:
            async for response in responses:
                event = training.event_from_wire(response)
                if event is None:
                    continue
                if is_begun or not isinstance(event, TrainingJob):
                    fresh = told.fresh(event)
                else:
                    # The service tells from here on what is added to the log, so that nothing can
                    # fall between what is read now and what it tells.
                    is_begun = True
                    yield None
                    log = self.log(request.job_id, tenant=request.tenant)
                    fresh = told.begun(event, [line async for line in log])
                for each in fresh:
                    yield each
        if not told.ended:
            msg = f"the service at {self._peer.target} ended the story of a job before its end"
            raise InternalError(msg)
