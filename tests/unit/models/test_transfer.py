"""Fetching one file from servers that break off, refuse, or send something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from voicemesh_models import AccessRefusedError, Download, FetchError, IntegrityError
from voicemesh_models.testing import FileServer, sha256
from voicemesh_models.transfer import Transfer, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.unit

_DATA = bytes(range(251)) * 4000


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def transfer(pauses: list[float]) -> Iterator[Transfer]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield Transfer(client, pause=pauses.append)


@pytest.fixture
def download(server: FileServer) -> Download:
    server.files["/f"] = _DATA
    return Download(f"{server.url}/f", sha256=sha256(_DATA))


def _ignore(count_bytes: int) -> None:
    del count_bytes


def test_whole_file_arrives_and_is_counted(
    transfer: Transfer, download: Download, tmp_path: Path
) -> None:
    counted: list[int] = []

    transfer.fetch(download, tmp_path / "f", counted.append)

    assert (tmp_path / "f").read_bytes() == _DATA
    assert sum(counted) == len(_DATA)
    assert not part_of(tmp_path / "f").exists()


def test_broken_connection_is_resumed_with_a_range(
    transfer: Transfer, download: Download, server: FileServer, tmp_path: Path
) -> None:
    server.drop_after_bytes = 400_000
    counted: list[int] = []

    transfer.fetch(download, tmp_path / "f", counted.append)

    assert (tmp_path / "f").read_bytes() == _DATA
    assert sum(counted) == len(_DATA)
    assert [count for _, _, count in server.served] == [400_000, len(_DATA) - 400_000]


def test_server_without_ranges_starts_again(
    transfer: Transfer, download: Download, server: FileServer, tmp_path: Path
) -> None:
    server.ranges = False
    part_of(tmp_path / "f").write_bytes(_DATA[:1000])
    counted: list[int] = []

    transfer.fetch(download, tmp_path / "f", counted.append)

    assert (tmp_path / "f").read_bytes() == _DATA
    assert sum(counted) == len(_DATA) - 1000


def test_part_that_is_already_whole_is_taken(
    transfer: Transfer, download: Download, tmp_path: Path
) -> None:
    part_of(tmp_path / "f").write_bytes(_DATA)

    transfer.fetch(download, tmp_path / "f", _ignore)

    assert (tmp_path / "f").read_bytes() == _DATA


@pytest.mark.parametrize("left", [b"?" * 5000, b"?" * (len(_DATA) + 7)])
def test_damaged_or_overlong_part_costs_one_fresh_start(
    transfer: Transfer, download: Download, tmp_path: Path, left: bytes
) -> None:
    part_of(tmp_path / "f").write_bytes(left)

    transfer.fetch(download, tmp_path / "f", _ignore)

    assert (tmp_path / "f").read_bytes() == _DATA


def test_wrong_bytes_are_refused_and_not_kept(
    transfer: Transfer, server: FileServer, tmp_path: Path
) -> None:
    server.files["/f"] = _DATA
    download = Download(f"{server.url}/f", sha256=sha256(b"something else"))

    with pytest.raises(IntegrityError, match=r"f from 127\.0\.0\.1 is not the file"):
        transfer.fetch(download, tmp_path / "f", _ignore)

    assert list(tmp_path.iterdir()) == []


def test_overloaded_server_is_asked_again_after_growing_pauses(
    transfer: Transfer,
    download: Download,
    server: FileServer,
    pauses: list[float],
    tmp_path: Path,
) -> None:
    server.statuses["/f"] = [503, 429, 500]

    transfer.fetch(download, tmp_path / "f", _ignore)

    assert pauses == [0.5, 1.0, 2.0]


def test_server_that_stays_down_ends_the_attempts(
    transfer: Transfer,
    download: Download,
    server: FileServer,
    pauses: list[float],
    tmp_path: Path,
) -> None:
    server.statuses["/f"] = [503] * 9

    with pytest.raises(FetchError, match="answers HTTP 503"):
        transfer.fetch(download, tmp_path / "f", _ignore)

    assert len(pauses) == 4


def test_nobody_listening_is_a_fetch_error(transfer: Transfer, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"x from 127\.0\.0\.1 cannot be reached"):
        transfer.fetch(Download("http://127.0.0.1:9/x"), tmp_path / "f", _ignore)


@pytest.mark.parametrize(
    ("status", "error"), [(401, AccessRefusedError), (403, AccessRefusedError), (404, FetchError)]
)
def test_refusal_is_not_repeated(
    transfer: Transfer,
    download: Download,
    server: FileServer,
    pauses: list[float],
    tmp_path: Path,
    status: int,
    error: type[FetchError],
) -> None:
    server.statuses["/f"] = [status] * 9

    with pytest.raises(error, match=f"HTTP {status}"):
        transfer.fetch(download, tmp_path / "f", _ignore)

    assert pauses == []


def test_query_and_credentials_are_not_shown(
    transfer: Transfer, server: FileServer, tmp_path: Path
) -> None:
    address = server.url.replace("//", "//user:hunter2@")

    with pytest.raises(FetchError) as caught:
        transfer.fetch(Download(f"{address}/gone?sig=secret"), tmp_path / "f", _ignore)

    assert "hunter2" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_local_file_is_copied(transfer: Transfer, tmp_path: Path) -> None:
    source = tmp_path / "a b.whl"
    source.write_bytes(_DATA)
    download = Download(source.as_uri(), sha256=sha256(_DATA))

    assert transfer.size_bytes(download) == len(_DATA)
    transfer.fetch(download, tmp_path / "f", _ignore)

    assert (tmp_path / "f").read_bytes() == _DATA


def test_local_file_that_is_gone_is_a_fetch_error(transfer: Transfer, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="does not exist"):
        transfer.fetch(Download((tmp_path / "gone").as_uri()), tmp_path / "f", _ignore)


def test_git_object_id_is_checked(transfer: Transfer, server: FileServer, tmp_path: Path) -> None:
    server.files["/f"] = b"hello\n"
    right = "ce013625030ba8dba906f756967f9e9ca394464a"

    transfer.fetch(Download(f"{server.url}/f", git_blob_sha1=right), tmp_path / "f", _ignore)
    with pytest.raises(IntegrityError):
        transfer.fetch(Download(f"{server.url}/f", git_blob_sha1="0" * 40), tmp_path / "g", _ignore)
