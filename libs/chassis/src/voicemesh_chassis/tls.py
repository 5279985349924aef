"""Certificates from files to gRPC credentials, checked so that a bad one has a plain sentence.

gRPC itself reads certificates late and reports a bad one only as a failed handshake.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from voicemesh_chassis.service import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from voicemesh_chassis.settings import TlsSettings

__all__ = ("ClientTls", "channel_credentials", "server_credentials")


@dataclass(frozen=True)
class ClientTls:
    """How a client checks the server, and proves itself if it must (mTLS)."""

    ca_file: Path | None = None
    """Authorities of the server's certificate; None means those of the system."""

    certificate_file: Path | None = None
    """The client's own certificate chain, for mTLS."""

    key_file: Path | None = None
    """The private key of that certificate."""

    server_name: str | None = None
    """The name to expect in the server's certificate, where it is not the target's host."""


def server_credentials(tls: TlsSettings, prefix: str) -> grpc.ServerCredentials:
    """Credentials for a server port; with `client_ca_file` callers must have a certificate.

    Args:
        tls: the files.
        prefix: of the environment variables that set them, such as `VOICEMESH_STT_SERVER__TLS__`.

    Raises:
        ConfigurationError: naming the file and the setting.
    """
    certificate = _read(tls.certificate_file, f"{prefix}CERTIFICATE_FILE")
    key = _read(tls.key_file, f"{prefix}KEY_FILE")
    _check_pair(tls.certificate_file, tls.key_file, prefix)
    client_ca = None
    if tls.client_ca_file is not None:
        client_ca = _read(tls.client_ca_file, f"{prefix}CLIENT_CA_FILE")
        _check_authorities(tls.client_ca_file, f"{prefix}CLIENT_CA_FILE")
    return grpc.ssl_server_credentials(
        [(key, certificate)], client_ca, require_client_auth=client_ca is not None
    )


def channel_credentials(tls: ClientTls) -> grpc.ChannelCredentials:
    """Credentials for a channel.

    Raises:
        ConfigurationError: naming the file.
    """
    authorities = None
    if tls.ca_file is not None:
        authorities = _read(tls.ca_file, "ca_file")
        _check_authorities(tls.ca_file, "ca_file")
    if tls.certificate_file is None or tls.key_file is None:
        if tls.certificate_file is not tls.key_file:
            msg = "certificate_file and key_file belong together: give both or neither."
            raise ConfigurationError(msg)
        return grpc.ssl_channel_credentials(authorities)
    certificate = _read(tls.certificate_file, "certificate_file")
    key = _read(tls.key_file, "key_file")
    _check_pair(tls.certificate_file, tls.key_file, "")
    return grpc.ssl_channel_credentials(authorities, key, certificate)


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        msg = f"{setting} = {path} cannot be read ({reason}): set it to a readable PEM file."
        raise ConfigurationError(msg) from error


def _check_pair(certificate: Path, key: Path, prefix: str) -> None:
    def no_password() -> str:  # without it, OpenSSL would ask on the terminal
        return ""

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=no_password)
    except (ssl.SSLError, ValueError) as error:
        msg = (
            f"{prefix}CERTIFICATE_FILE = {certificate} and {prefix}KEY_FILE = {key} are not a "
            "certificate and its unencrypted private key: give a PEM pair that belongs together."
        )
        raise ConfigurationError(msg) from error


def _check_authorities(path: Path, setting: str) -> None:
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
    except (ssl.SSLError, ValueError) as error:
        msg = f"{setting} = {path} holds no certificate: give a PEM file of authorities."
        raise ConfigurationError(msg) from error
