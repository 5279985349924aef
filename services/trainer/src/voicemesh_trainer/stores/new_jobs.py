"""Makes the row of a training job, once for each request and within the tenant's quotas."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.jobs import Job, JobState, Progress, TrainingRun
from voicemesh_trainer.errors import (
    DatasetNotFoundError,
    DatasetNotTrainableError,
    NoDatasetSelectedError,
    QuotaExceededError,
    RequestReusedError,
)
from voicemesh_trainer.stores.job_rows import job_from, new_values
from voicemesh_trainer.stores.requests import once
from voicemesh_trainer.stores.schema import datasets, requests, tenants, training_jobs

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.ports.jobs import NewJob, Quotas
    from voicemesh_trainer.ports.training import BaseModel

__all__ = ("create_job", "requested_job")

_METHOD = "CreateTrainingJob"
_DAY_S = 86_400.0
_UNFINISHED = [state.value for state in JobState if not state.ended]


async def requested_job(connection: AsyncConnection, new: NewJob) -> Job | None:
    """The job that an earlier request of the same id has made; None if there was none.

    Raises:
        RequestReusedError: if the id was used for another request.
    """
    if not new.request_id:
        return None
    query = select(requests.c.fingerprint, requests.c.result).where(
        requests.c.tenant == new.tenant,
        requests.c.method == _METHOD,
        requests.c.request_id == new.request_id,
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    if row.fingerprint != _fingerprint(new):
        raise RequestReusedError
    return await _read(connection, row.result["job_id"])


async def create_job(
    connection: AsyncConnection, new: NewJob, base: BaseModel, quotas: Quotas, now: float
) -> Job:
    """Queues a job in the caller's transaction; see `JobStore.create`."""

    async def make() -> dict[str, Any]:
        await _hold_tenant(connection, new.tenant)
        dataset_id = await _dataset(connection, new)
        await _check_quotas(connection, new.tenant, quotas, now)
        job = Job(
            job_id=new_id(),
            tenant=new.tenant,
            description=new.description,
            dataset_id=dataset_id,
            backend=base.backend,
            base_model=base.name,
            settings=new.settings,
            state=JobState.QUEUED,
            progress=Progress(),
            run=TrainingRun(),
            create_time=now,
        )
        await connection.execute(insert(training_jobs).values(**new_values(job)))
        return {"job_id": job.job_id}

    result = await once(connection, new.tenant, _METHOD, new.request_id, _fingerprint(new), make)
    return await _read(connection, result["job_id"])


def _fingerprint(new: NewJob) -> str:
    asked = {**asdict(new), "backend": str(new.backend), "request_id": ""}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


async def _hold_tenant(connection: AsyncConnection, tenant: str) -> None:
    """Lets other requests of the tenant wait, so that two at once cannot both be the last."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(dialect.insert(tenants).values(tenant=tenant).on_conflict_do_nothing())
    await connection.execute(
        select(tenants.c.tenant).where(tenants.c.tenant == tenant).with_for_update()
    )


async def _dataset(connection: AsyncConnection, new: NewJob) -> str:
    """The dataset that is meant, if it can be trained on."""
    dataset_id = new.dataset_id
    if not dataset_id:
        chosen = select(tenants.c.selected_dataset_id).where(tenants.c.tenant == new.tenant)
        dataset_id = (await connection.execute(chosen)).scalar() or ""
    if not dataset_id:
        msg = "no dataset is selected; name one, or select one with SelectDataset"
        raise NoDatasetSelectedError(msg)
    query = select(datasets).where(
        datasets.c.tenant == new.tenant, datasets.c.dataset_id == dataset_id
    )
    row = (await connection.execute(query)).first()
    if row is None:
        msg = "the tenant has no dataset of this id; ListDatasets tells which there are"
        raise DatasetNotFoundError(msg, field="dataset_id")
    if row.archived:
        msg = "the dataset is archived; bring it back with RestoreDataset"
        raise DatasetNotTrainableError(msg, metadata={"dataset_id": dataset_id})
    if row.example_count <= row.negative_example_count:
        msg = "the dataset has no positive examples; import some with ImportDataset"
        raise DatasetNotTrainableError(msg, metadata={"dataset_id": dataset_id})
    return dataset_id


async def _check_quotas(
    connection: AsyncConnection, tenant: str, quotas: Quotas, now: float
) -> None:
    count = select(func.count()).select_from(training_jobs)
    own = count.where(training_jobs.c.tenant == tenant)
    unfinished = own.where(training_jobs.c.state.in_(_UNFINISHED))
    if ((await connection.execute(unfinished)).scalar() or 0) >= quotas.unfinished:
        msg = (
            f"the tenant has {quotas.unfinished} training jobs that wait or run, and may not have "
            "more; wait for one or cancel it"
        )
        raise QuotaExceededError(msg, metadata={"quota": "unfinished_jobs"})
    today = own.where(training_jobs.c.create_time > now - _DAY_S)
    if ((await connection.execute(today)).scalar() or 0) >= quotas.a_day:
        msg = f"the tenant made {quotas.a_day} training jobs in 24 hours, and may not make more"
        raise QuotaExceededError(msg, metadata={"quota": "jobs_a_day"})


async def _read(connection: AsyncConnection, job_id: str) -> Job:
    query = select(training_jobs).where(training_jobs.c.job_id == job_id)
    return job_from((await connection.execute(query)).one())
