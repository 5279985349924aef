"""Answers the calls of TrainingJobService; translation only."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from voicemesh.trainer.v1 import training_job_service_pb2, training_job_service_pb2_grpc
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.ids import is_id
from voicemesh_trainer.rpc.checks import check_printable, check_tenant
from voicemesh_trainer.rpc.job_messages import (
    event_message,
    job_message,
    line_message,
    new_job_from,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_trainer.training.jobs import TrainingJobs

__all__ = ("TrainingJobServicer",)

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 500
_MAX_ID = 64
_PIECE_BYTES = 1024 * 1024


class TrainingJobServicer(training_job_service_pb2_grpc.TrainingJobServiceServicer):
    """Makes, shows, follows and ends training jobs."""

    def __init__(self, jobs: TrainingJobs) -> None:
        self._jobs = jobs

    async def CreateTrainingJob(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.CreateTrainingJobRequest, context: Any
    ) -> training_job_service_pb2.CreateTrainingJobResponse:
        """Queues a job."""
        job = await self._jobs.create(new_job_from(request))
        return training_job_service_pb2.CreateTrainingJobResponse(job=job_message(job))

    async def GetTrainingJob(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.GetTrainingJobRequest, context: Any
    ) -> training_job_service_pb2.GetTrainingJobResponse:
        """Returns one job."""
        job = await self._jobs.find(check_tenant(request.tenant), _job_id_from(request.job_id))
        return training_job_service_pb2.GetTrainingJobResponse(job=job_message(job))

    async def ListTrainingJobs(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.ListTrainingJobsRequest, context: Any
    ) -> training_job_service_pb2.ListTrainingJobsResponse:
        """Lists the tenant's jobs, newest first."""
        tenant = check_tenant(request.tenant)
        size = _size_from(request.page_size)
        token = request.page_token
        if token and not is_id(token):
            raise _foreign_token()
        # One more than is asked for tells whether there is a next page.
        jobs = await self._jobs.page(tenant, token or None, size + 1)
        return training_job_service_pb2.ListTrainingJobsResponse(
            jobs=[job_message(job) for job in jobs[:size]],
            next_page_token=jobs[size - 1].job_id if len(jobs) > size else "",
        )

    async def WatchTrainingJob(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.WatchTrainingJobRequest, context: Any
    ) -> AsyncIterator[training_job_service_pb2.WatchTrainingJobResponse]:
        """Follows a job to its end."""
        tenant, job_id = check_tenant(request.tenant), _job_id_from(request.job_id)
        async with aclosing(self._jobs.watch(tenant, job_id)) as events:
            async for event in events:
                yield event_message(event)

    async def CancelTrainingJob(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.CancelTrainingJobRequest, context: Any
    ) -> training_job_service_pb2.CancelTrainingJobResponse:
        """Ends a job."""
        job = await self._jobs.cancel(check_tenant(request.tenant), _job_id_from(request.job_id))
        return training_job_service_pb2.CancelTrainingJobResponse(job=job_message(job))

    async def ListTrainingLogLines(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.ListTrainingLogLinesRequest, context: Any
    ) -> training_job_service_pb2.ListTrainingLogLinesResponse:
        """Lists the log of a job, oldest line first."""
        tenant, job_id = check_tenant(request.tenant), _job_id_from(request.job_id)
        size = _size_from(request.page_size)
        token = request.page_token or "0"
        if not (token.isascii() and token.isdigit() and len(token) < _MAX_ID // 4):
            raise _foreign_token()
        lines = await self._jobs.log(tenant, job_id, int(token), size + 1)
        return training_job_service_pb2.ListTrainingLogLinesResponse(
            lines=[line_message(line) for line in lines[:size]],
            next_page_token=str(lines[size - 1].number) if len(lines) > size else "",
        )

    async def DownloadLossCurve(  # noqa: N802 - named by the contract
        self, request: training_job_service_pb2.DownloadLossCurveRequest, context: Any
    ) -> AsyncIterator[training_job_service_pb2.DownloadLossCurveResponse]:
        """Streams the curve of a job's loss as a picture."""
        tenant, job_id = check_tenant(request.tenant), _job_id_from(request.job_id)
        async for piece in await self._jobs.curve(tenant, job_id):
            for start in range(0, len(piece), _PIECE_BYTES):
                content = piece[start : start + _PIECE_BYTES]
                yield training_job_service_pb2.DownloadLossCurveResponse(content=content)


def _job_id_from(job_id: str) -> str:
    return check_printable(job_id, "job_id", _MAX_ID, required=True)


def _size_from(page_size: int) -> int:
    if page_size < 0:
        msg = f"page_size is {page_size}; it must not be negative"
        raise InvalidArgumentError(msg, field="page_size")
    return min(page_size or _DEFAULT_PAGE, _LARGEST_PAGE)


def _foreign_token() -> InvalidArgumentError:
    return InvalidArgumentError(
        "page_token is not one that this service gave out", field="page_token"
    )
