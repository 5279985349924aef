"""Certificates by which a client trusts the simulator, as it would trust Discord.

discord.py connects to voice servers only by TLS. So the simulator has a certificate authority of
its own, made at each start and valid for a month, that signs one certificate for this machine's
loopback names.
"""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("Certificates",)

_VALID = datetime.timedelta(days=30)
_CLOCK_SKEW = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM. All servers of a simulator share one pair: a client has one list of trust."""

    authority_file: Path
    """What clients trust; the value of `SSL_CERT_FILE` for a bot that runs as its own process."""
    server_file: Path
    """The server's certificate with its key."""

    @classmethod
    def generate(cls, directory: Path) -> Certificates:
        """Make a certificate authority and a server certificate for localhost.

        Args:
            directory: where the files go; it must exist.
        """
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority_name = _name("discordsim test authority")
        authority = _signed(
            _certificate(authority_name, authority_name, authority_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(authority=True), critical=True),
            authority_key,
            authority_key,
        )
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
        ]
        server = _signed(
            _certificate(_name("localhost"), authority_name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False),
            key,
            authority_key,
        )
        found = cls(directory / "authority.pem", directory / "server.pem")
        found.authority_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        found.server_file.touch(mode=0o600)
        found.server_file.write_bytes(server.public_bytes(serialization.Encoding.PEM) + secret)
        return found

    def server_context(self) -> ssl.SSLContext:
        """Return what a server listens with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Return what a client in this process connects with: `aiohttp.TCPConnector(ssl=...)`."""
        return ssl.create_default_context(cafile=self.authority_file)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID)
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Adds the key identifiers that Python 3.13's strict verification asks for, and signs."""
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        builder.add_extension(own, critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
