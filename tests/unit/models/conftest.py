"""Fixtures around a loopback package index and model hub; nothing here leaves this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from voicemesh_models import Catalogue, ModelStore, load_catalogue
from voicemesh_models.testing import FakeRegistry, FileServer, model_table, serve_files, wheel_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Tiny:
    """A model joined from two wheels that are on the index."""

    name: str
    data: bytes
    table: str


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve_files() as files:
        yield files


@pytest.fixture
def pip_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """This machine's pip settings out of the way, and an index address where nothing listens."""
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    pips = ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_PROXY", "PIP_NO_INDEX")
    for name in (*proxies, *pips):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip-cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    return monkeypatch


@pytest.fixture
def index(server: FileServer, pip_environment: pytest.MonkeyPatch) -> FileServer:
    """The server, as the only package index that pip knows."""
    pip_environment.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    return server


@pytest.fixture
def write_catalogue(tmp_path: Path) -> Callable[[str], Catalogue]:
    """Writes `[[model]]` tables into a catalogue file and loads it."""

    def write(models: str) -> Catalogue:
        path = tmp_path / "models.toml"
        path.write_text(f"format = 1\n{models}", encoding="utf-8")
        return load_catalogue(path)

    return write


@pytest.fixture
def tiny(index: FileServer) -> Tiny:
    """`tiny`: model.bin of 614,400 bytes joined from two wheels, and config.json."""
    data = bytes(range(256)) * 2400
    half = len(data) // 2
    index.add_wheel("tiny-one", {"tiny/part": data[:half], "tiny/config.json": b"{}"})
    index.add_wheel("tiny-two", {"tiny/part": data[half:]})
    joined = wheel_file("model.bin", data, ("tiny-one", "tiny/part"), ("tiny-two", "tiny/part"))
    config = wheel_file("config.json", b"{}", ("tiny-one", "tiny/config.json"))
    return Tiny("tiny", data, model_table("tiny", joined + config))


@pytest.fixture
def store(tmp_path: Path, tiny: Tiny, write_catalogue: Callable[[str], Catalogue]) -> ModelStore:
    """An empty store that can pull `tiny`, with the real pip."""
    return ModelStore(tmp_path / "models", write_catalogue(tiny.table))


@pytest.fixture
def quick_store(
    tmp_path: Path, tiny: Tiny, server: FileServer, write_catalogue: Callable[[str], Catalogue]
) -> ModelStore:
    """The same without the cost of running pip."""
    catalogue = write_catalogue(tiny.table)
    return ModelStore(tmp_path / "models", catalogue, registry=FakeRegistry(server))
