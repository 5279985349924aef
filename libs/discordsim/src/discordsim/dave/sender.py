"""The key of a voice server, which signs its proposals to groups."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from discordsim.dave.messages import BASIC_CREDENTIAL
from discordsim.dave.wire import uint, vector

__all__ = ("ExternalSender",)

_IDENTITY = bytes(8)
"""Free to choose; clients check only the key."""


class ExternalSender:
    """Signs what a group's members accept from outside the group (RFC 9420, section 12.1.8)."""

    def __init__(self) -> None:
        """Make a new key."""
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def package(self) -> bytes:
        """The body of opcode 25, by which clients know the signer."""
        point = self._key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return vector(point) + uint(BASIC_CREDENTIAL, 2) + vector(_IDENTITY)

    def sign(self, label: str, content: bytes) -> bytes:
        """Return SignWithLabel of RFC 9420, section 5.1.2: ECDSA on P-256 and SHA-256, DER."""
        signed = vector(b"MLS 1.0 " + label.encode()) + vector(content)
        return self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
