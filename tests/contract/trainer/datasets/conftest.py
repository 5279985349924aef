"""A trainer whose datasets are called through gRPC, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc.aio
import pytest
import pytest_asyncio

from voicemesh.trainer.v1 import dataset_service_pb2 as pb
from voicemesh.trainer.v1 import dataset_service_pb2_grpc
from voicemesh_chassis.testing import RunningService, running
from voicemesh_trainer.__main__ import build
from voicemesh_trainer.settings import TrainerSettings

if TYPE_CHECKING:
    Stub = dataset_service_pb2_grpc.DatasetServiceAsyncStub

Opening = Callable[..., contextlib.AbstractAsyncContextManager[RunningService]]

TENANT = "guild-7"


def trainer_on(
    url: str, directory: Path, **datasets: Any
) -> contextlib.AbstractAsyncContextManager[RunningService]:
    """A trainer that nobody asks for answers."""
    settings = TrainerSettings.model_validate(
        {
            "backend": "openai",
            "openai_base_url": "http://127.0.0.1:9/v1",
            "storage": {"database_url": url, "data_dir": str(directory)},
            "datasets": datasets,
        }
    )
    return running(build(settings), settings)


@pytest.fixture
def open_trainer(tmp_path: Path) -> Opening:
    """Runs a trainer of the test's own on a database; `datasets` changes its settings."""

    def opened(url: str, **datasets: Any) -> contextlib.AbstractAsyncContextManager[RunningService]:
        return trainer_on(url, tmp_path / "data", **datasets)

    return opened


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `service` keeps its files."""
    return tmp_path_factory.mktemp("datasets")


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def service(request: pytest.FixtureRequest, data_dir: Path) -> AsyncIterator[RunningService]:
    """A trainer for all tests that leave nothing behind, on SQLite, then on PostgreSQL."""
    url = f"sqlite:///{data_dir / 'trainer.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        url = server.url(server.new_database())
    async with trainer_on(url, data_dir) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def stub(service: RunningService) -> AsyncIterator[Stub]:
    """A client of it; what the test made is deleted after it."""
    client = dataset_service_pb2_grpc.DatasetServiceStub(service.channel())
    yield client
    for tenant in (TENANT, "other"):
        every = pb.ListDatasetsRequest(tenant=tenant, page_size=500, include_archived=True)
        for dataset in (await client.ListDatasets(every)).datasets:
            named = {"tenant": tenant, "dataset_id": dataset.dataset_id}
            await client.DeleteDataset(pb.DeleteDatasetRequest(**named))
        archives = pb.ListArchivesRequest(tenant=tenant, page_size=500)
        for archive in (await client.ListArchives(archives)).archives:
            named = {"tenant": tenant, "archive_id": archive.archive_id}
            await client.DeleteArchive(pb.DeleteArchiveRequest(**named))


@pytest.fixture
def upload() -> Callable[..., Awaitable[pb.ImportDatasetResponse]]:
    """Uploads a file to a dataset in pieces."""

    async def send(
        stub: Stub, dataset_id: str, data: bytes, piece: int = 1 << 16, **config: Any
    ) -> pb.ImportDatasetResponse:
        fields = {"tenant": TENANT, "polarity": pb.POLARITY_POSITIVE, **config}
        first = pb.ImportDatasetConfig(dataset_id=dataset_id, **fields)
        pieces = (data[at : at + piece] for at in range(0, len(data), piece))
        requests = [
            pb.ImportDatasetRequest(config=first),
            *(pb.ImportDatasetRequest(content=each) for each in pieces),
        ]
        return await stub.ImportDataset(iter(requests))

    return send


@pytest.fixture
def new_dataset() -> Callable[..., Awaitable[str]]:
    """Makes an empty dataset and returns its id."""

    async def make(stub: Stub, name: str = "facts", tenant: str = TENANT) -> str:
        made = await stub.CreateDataset(pb.CreateDatasetRequest(tenant=tenant, name=name))
        return made.dataset.dataset_id

    return make


@pytest.fixture
def examples_of() -> Callable[..., Awaitable[list[pb.Example]]]:
    """All examples of a dataset, page by page."""

    async def read(stub: Stub, dataset_id: str, page_size: int = 0) -> list[pb.Example]:
        found: list[pb.Example] = []
        token = ""
        while True:
            page = await stub.ListExamples(
                pb.ListExamplesRequest(
                    tenant=TENANT, dataset_id=dataset_id, page_size=page_size, page_token=token
                )
            )
            found += page.examples
            token = page.next_page_token
            if not token:
                return found

    return read


@pytest.fixture
def refused() -> Callable[..., Any]:
    """Expects a call to fail with a code."""

    @contextlib.contextmanager
    def expecting(code: grpc.StatusCode) -> Any:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            yield caught
        assert caught.value.code() is code, caught.value.details()

    return expecting
