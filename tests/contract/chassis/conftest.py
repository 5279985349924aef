"""A small service of the chassis's own, certificates, and settings, for tests of the chassis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest
import trustme

from voicemesh_chassis.service import Api, Service
from voicemesh_chassis.settings import ServerSettings, ServiceSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

API = "test.Echo"


async def _nothing() -> None:
    """Starts or stops in no time."""


@pytest.fixture
def make_service() -> Callable[..., Service]:
    """Makes a service `test` with the API `test.Echo`, whose methods are given by keyword."""

    def make(**given: Any) -> Service:
        options = {
            key: given.pop(key) for key in ("start", "stop", "weights", "drain") if key in given
        }
        handlers = {"Echo": grpc.unary_unary_rpc_method_handler(_echo), **given}

        def register(server: grpc.aio.Server) -> None:
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(API, handlers),))

        return Service(
            name="test",
            apis=[Api(API, register)],
            **{"start": _nothing, "stop": _nothing, **options},
        )

    return make


async def _echo(request: bytes, _context: object) -> bytes:
    return request


@pytest.fixture
def make_settings() -> Callable[..., ServiceSettings]:
    """Makes settings; keywords are fields of `ServerSettings`."""

    def make(**server: Any) -> ServiceSettings:
        return ServiceSettings(server=ServerSettings(**{"drain_timeout_s": 5.0, **server}))

    return make


@dataclass(frozen=True)
class Certificates:
    """PEM files of one authority, a server at 127.0.0.1 and a client."""

    ca_file: Path
    certificate_file: Path
    key_file: Path
    client_certificate_file: Path
    client_key_file: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Real certificates, valid for a while."""
    return _issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def other_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The same from an authority that the first knows nothing of."""
    return _issue(tmp_path_factory.mktemp("other-certificates"))


def _issue(directory: Path) -> Certificates:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    client = authority.issue_cert("client@voicemesh.test")
    files = Certificates(*(directory / name for name in ("ca", "crt", "key", "ccrt", "ckey")))
    authority.cert_pem.write_to_path(str(files.ca_file))
    server.private_key_pem.write_to_path(str(files.key_file))
    client.private_key_pem.write_to_path(str(files.client_key_file))
    for pems, path in (
        (server.cert_chain_pems, files.certificate_file),
        (client.cert_chain_pems, files.client_certificate_file),
    ):
        path.write_bytes(b"".join(pem.bytes() for pem in pems))
    return files
