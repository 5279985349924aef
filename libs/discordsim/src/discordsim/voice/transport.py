"""Encryption between a client and the voice server: the two modes of Discord's that live.

A packet is the clear header, the ciphertext with its tag, and four bytes that are the nonce, filled
up with zeros. The header is authenticated. Source: Discord's documentation, "Transport Encryption
Modes".
"""

from __future__ import annotations

import struct
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from discordsim.errors import MalformedMessageError

__all__ = ("KEY_SIZE", "Transport", "TransportMode", "hchacha20")

KEY_SIZE = 32
_NONCE_SIZE = 4
_TAG_SIZE = 16


class TransportMode(StrEnum):
    """How packets are encrypted on their way."""

    AES256_GCM = "aead_aes256_gcm_rtpsize"
    XCHACHA20 = "aead_xchacha20_poly1305_rtpsize"


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """Return the key that XChaCha20 derives from a key and the first 16 bytes of its nonce.

    `cryptography` has ChaCha20 and not HChaCha20. Both run the same rounds; ChaCha20 then adds the
    words it began with, of which HChaCha20 returns eight without that. So they are taken off again
    (draft-irtf-cfrg-xchacha-03, section 2.2).
    """
    block = Cipher(algorithms.ChaCha20(key, nonce), mode=None).encryptor().update(bytes(64))
    added = struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<4I", nonce)
    words = struct.unpack("<16I", block)
    kept = (*words[:4], *words[12:])
    return struct.pack(
        "<8I", *((word - more) & 0xFFFFFFFF for word, more in zip(kept, added, strict=True))
    )


class Transport:
    """Seals and opens the packets of one session."""

    def __init__(self, mode: TransportMode, key: bytes) -> None:
        """Use a key of 32 bytes."""
        self.mode = mode
        self.key = key
        self._gcm = AESGCM(key)
        self._counter = 0

    def seal(self, header: bytes, plain: bytes) -> bytes:
        """Return a packet."""
        nonce = struct.pack(">I", self._counter)
        self._counter = (self._counter + 1) & 0xFFFFFFFF
        if self.mode is TransportMode.AES256_GCM:
            sealed = self._gcm.encrypt(nonce + bytes(8), plain, header)
        else:
            sealed = self._chacha(nonce).encrypt(_CHACHA_NONCE, plain, header)
        return header + sealed + nonce

    def open(self, packet: bytes, header_size: int) -> bytes:
        """Return what was sealed.

        Args:
            packet: a whole packet.
            header_size: how much of it is clear.

        Raises:
            MalformedMessageError: it is too short, or not sealed with this key.
        """
        if len(packet) < header_size + _TAG_SIZE + _NONCE_SIZE:
            raise MalformedMessageError("is too short to be encrypted")
        header, sealed = packet[:header_size], packet[header_size:-_NONCE_SIZE]
        nonce = packet[-_NONCE_SIZE:]
        try:
            if self.mode is TransportMode.AES256_GCM:
                return self._gcm.decrypt(nonce + bytes(8), sealed, header)
            return self._chacha(nonce).decrypt(_CHACHA_NONCE, sealed, header)
        except InvalidTag as error:
            raise MalformedMessageError(f"is not encrypted with this key as {self.mode}") from error

    def _chacha(self, nonce: bytes) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(hchacha20(self.key, nonce + bytes(12)))


_CHACHA_NONCE = bytes(12)
"""The end of every nonce: four zeros by the draft, and the eight that Discord fills up with."""
