"""Files of a model hub, through the real `huggingface_hub`, from a hub on this machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from voicemesh_models import Catalogue, FetchError, HubFile, IntegrityError, ModelStore
from voicemesh_models.hub import HuggingFaceHub
from voicemesh_models.testing import FileServer, model_table, sha256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.unit

_DATA = bytes(range(251)) * 4000
_SMALL = b'{"a": 1}\n'
_REVISION = "c0ffee"
_FILE = (
    '[[model.file]]\npath = "{0}"\nhub = {{ repo = "a/b", revision = "c0ffee", path = "{0}" }}\n'
)


@pytest.fixture
def hub(server: FileServer, pip_environment: pytest.MonkeyPatch) -> HuggingFaceHub:
    del pip_environment
    blob = hashlib.sha1(b"blob %d\0" % len(_SMALL) + _SMALL, usedforsecurity=False).hexdigest()
    server.add_hub_file("a/b", _REVISION, "model.bin", _DATA, sha256(_DATA))
    server.add_hub_file("a/b", _REVISION, "config.json", _SMALL, blob)
    return HuggingFaceHub(server.url)


@pytest.fixture
def hub_store(
    hub: HuggingFaceHub, tmp_path: Path, write_catalogue: Callable[[str], Catalogue]
) -> ModelStore:
    table = model_table("m", _FILE.format("model.bin") + _FILE.format("config.json"))
    return ModelStore(tmp_path / "models", write_catalogue(table), hub=hub)


def test_large_and_small_files_are_located_with_their_object_ids(hub: HuggingFaceHub) -> None:
    large = hub.locate(HubFile("a/b", _REVISION, "model.bin"))
    small = hub.locate(HubFile("a/b", _REVISION, "config.json"))

    assert (large.size_bytes, large.sha256) == (len(_DATA), sha256(_DATA))
    assert small.sha256 is None
    assert small.git_blob_sha1 is not None


def test_unpinned_files_are_pinned_by_the_stamp(hub_store: ModelStore) -> None:
    directory = hub_store.pull("m")

    assert (directory / "model.bin").read_bytes() == _DATA
    hub_store.verify("m")
    assert sha256(_SMALL) in (directory / ".installed.json").read_text()


def test_broken_pull_goes_on_in_the_next_one(hub_store: ModelStore, server: FileServer) -> None:
    fetched = hub_store.root / ".pulling" / "m" / "fetched"
    fetched.mkdir(parents=True)
    (fetched / f"a~b@{_REVISION}@model.bin.part").write_bytes(_DATA[:900_000])

    hub_store.pull("m")

    assert server.bytes_of("model.bin") == len(_DATA) - 900_000


def test_hub_that_states_another_hash_than_the_pin_is_refused_at_once(
    hub: HuggingFaceHub,
    server: FileServer,
    tmp_path: Path,
    write_catalogue: Callable[[str], Catalogue],
) -> None:
    table = model_table("m", _FILE.format("model.bin") + f'sha256 = "{"0" * 64}"\n')
    store = ModelStore(tmp_path / "models", write_catalogue(table), hub=hub)

    with pytest.raises(IntegrityError, match=r"model m was not pulled: the hub has model\.bin"):
        store.pull("m")

    assert server.bytes_of("model.bin") == 0


def test_hub_that_states_no_hash_for_an_unpinned_file_is_refused(
    hub_store: ModelStore, server: FileServer
) -> None:
    server.add_hub_file("a/b", _REVISION, "config.json", _SMALL, "no-hash-at-all")

    with pytest.raises(IntegrityError, match=r"states a hash for config\.json"):
        hub_store.pull("m")


def test_file_that_the_hub_lacks_is_named(hub: HuggingFaceHub, server: FileServer) -> None:
    server.statuses[f"/a/b/resolve/{_REVISION}/gone"] = [404]

    with pytest.raises(FetchError, match=r"a/b at c0ffee, file gone"):
        hub.locate(HubFile("a/b", _REVISION, "gone"))


@pytest.mark.usefixtures("pip_environment")
def test_hub_that_cannot_be_reached_is_said() -> None:
    with pytest.raises(FetchError, match=r"cannot be reached for a/b at c0ffee, file x \(offline"):
        HuggingFaceHub("http://127.0.0.1:9").locate(HubFile("a/b", _REVISION, "x"))
