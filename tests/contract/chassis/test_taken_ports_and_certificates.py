"""What a start says that cannot have its port, or whose certificates are no good; and TLS."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh_chassis import testing
from voicemesh_chassis.channel import ChannelOptions, ClientTls, open_channel
from voicemesh_chassis.host import Host
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_chassis.settings import TlsSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.contract

# The stubs of gRPC leave methods of plain bytes untyped.
running: Any = testing.running


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as holder:
        yield holder.getsockname()[1]


async def start_failure(service: Any, settings: Any) -> StartupError:
    host = Host(service, settings)
    try:
        with pytest.raises(StartupError) as caught:
            await host.bind()
    finally:
        await host.aclose()
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("which", ["port", "metrics_port"])
async def test_a_taken_port_is_named_with_the_setting_that_moves_it(
    which: str, taken_port: int, make_service: Any, make_settings: Any
) -> None:
    error = await start_failure(make_service(), make_settings(**{which: taken_port}))

    assert str(error) == (
        f"port {taken_port} on 127.0.0.1 is taken: stop the program that has it, "
        f"or set VOICEMESH_SERVER__{which.upper()}."
    )
    assert error.exit_code == 69


async def test_two_services_do_not_share_a_port(make_service: Any, make_settings: Any) -> None:
    async with running(make_service(), make_settings()) as run:
        port = int(run.target.rpartition(":")[2])

        error = await start_failure(make_service(), make_settings(port=port))

    assert f"port {port} " in str(error)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
@pytest.mark.parametrize("port", [0, 50998])
async def test_a_host_that_is_not_ours_is_named(
    host: str, port: int, make_service: Any, make_settings: Any
) -> None:
    error = await start_failure(make_service(), make_settings(host=host, port=port))

    assert str(error) == (
        f"{host} is not an address of this machine: set VOICEMESH_SERVER__HOST to one that is."
    )


async def test_tls_is_served_and_plain_text_is_not(
    make_service: Any, make_settings: Any, certificates: Any
) -> None:
    tls = TlsSettings(
        certificate_file=certificates.certificate_file, key_file=certificates.key_file
    )
    async with running(make_service(), make_settings(tls=tls)) as run:
        client_tls = ClientTls(ca_file=certificates.ca_file)
        answer = await run.channel(tls=client_tls).unary_unary("/test.Echo/Echo")(b"secret")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.channel().unary_unary("/test.Echo/Echo")(b"plain", timeout=5)

    assert answer == b"secret"
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_client_does_not_trust_another_authority(
    make_service: Any, make_settings: Any, certificates: Any, other_certificates: Any
) -> None:
    tls = TlsSettings(
        certificate_file=certificates.certificate_file, key_file=certificates.key_file
    )
    async with running(make_service(), make_settings(tls=tls)) as run:
        stranger = run.channel(tls=ClientTls(ca_file=other_certificates.ca_file))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stranger.unary_unary("/test.Echo/Echo")(b"", timeout=5)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_with_client_authorities_only_their_clients_are_let_in(
    make_service: Any, make_settings: Any, certificates: Any, other_certificates: Any
) -> None:
    def client(files: Any) -> ClientTls:
        return ClientTls(
            ca_file=certificates.ca_file,
            certificate_file=files.client_certificate_file,
            key_file=files.client_key_file,
        )

    tls = TlsSettings(
        certificate_file=certificates.certificate_file,
        key_file=certificates.key_file,
        client_ca_file=certificates.ca_file,
    )
    async with running(make_service(), make_settings(tls=tls)) as run:
        known = run.channel(tls=client(certificates))
        answer = await known.unary_unary("/test.Echo/Echo")(b"known")
        for stranger in (client(other_certificates), ClientTls(ca_file=certificates.ca_file)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await run.channel(tls=stranger).unary_unary("/test.Echo/Echo")(b"", timeout=5)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

    assert answer == b"known"


@pytest.mark.parametrize(
    ("field", "content", "says"),
    [
        ("certificate_file", None, "TLS__CERTIFICATE_FILE = "),
        ("key_file", None, "TLS__KEY_FILE = "),
        ("client_ca_file", None, "TLS__CLIENT_CA_FILE = "),
        ("certificate_file", "no certificate", "are not a certificate and its"),
        ("key_file", "no key", "are not a certificate and its"),
        ("client_ca_file", "no certificate", "holds no certificate"),
    ],
)
async def test_a_bad_certificate_file_ends_the_start_with_its_name(
    field: str,
    content: str | None,
    says: str,
    make_service: Any,
    make_settings: Any,
    certificates: Any,
    tmp_path: Path,
) -> None:
    bad = tmp_path / "bad.pem"
    if content is not None:
        bad.write_text(content)
    files = {
        "certificate_file": certificates.certificate_file,
        "key_file": certificates.key_file,
        field: bad,
    }

    error = await start_failure(make_service(), make_settings(tls=TlsSettings(**files)))

    assert isinstance(error, ConfigurationError)
    assert says in str(error)
    assert str(bad) in str(error)
    assert error.exit_code == 78


async def test_a_key_of_another_certificate_is_refused(
    make_service: Any, make_settings: Any, certificates: Any, other_certificates: Any
) -> None:
    tls = TlsSettings(
        certificate_file=certificates.certificate_file, key_file=other_certificates.key_file
    )

    error = await start_failure(make_service(), make_settings(tls=tls))

    assert "belongs together" in str(error)


def test_a_client_with_half_a_certificate_is_refused(certificates: Any) -> None:
    half = ClientTls(certificate_file=certificates.client_certificate_file)

    with pytest.raises(ConfigurationError, match="give both or neither"):
        open_channel(ChannelOptions(target="127.0.0.1:1", tls=half))
