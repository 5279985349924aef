"""Discord's encryption between a client and a voice server, in both modes that are in use.

A packet is `header | ciphertext and tag of 16 bytes | nonce of 4 bytes`. The header is
authenticated. The four bytes of the nonce are used as they are, with zeros behind them; they are no
number (Discord's documentation, "Transport Encryption Modes").
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError

if TYPE_CHECKING:
    from voicemesh_bot.voice.receive.rtp import RtpHeader

__all__ = ("ForgedPacketError", "TransportMode", "open_packet")

_NONCE = 4
_XCHACHA_ZEROS = bytes(20)
_GCM_ZEROS = bytes(8)


class TransportMode(StrEnum):
    """Names that the voice gateway uses."""

    XCHACHA20 = "aead_xchacha20_poly1305_rtpsize"
    """Every server offers it, and discord.py takes no other."""
    AES256_GCM = "aead_aes256_gcm_rtpsize"
    """Preferred where the processor can do it."""


class ForgedPacketError(Exception):
    """A packet does not fit the key."""


def open_packet(mode: TransportMode, key: bytes, header: RtpHeader, datagram: bytes) -> bytes:
    """The plaintext of a packet, extension and padding included.

    Args:
        mode: what was agreed upon.
        key: 32 bytes; it changes with every connection.
        header: of this packet.
        datagram: the whole packet.

    Raises:
        ForgedPacketError: the packet does not fit the key.
    """
    clear = datagram[: header.size]
    sealed, nonce = datagram[header.size : -_NONCE], datagram[-_NONCE:]
    try:
        if mode is TransportMode.XCHACHA20:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, clear, nonce + _XCHACHA_ZEROS, key
            )
        return AESGCM(key).decrypt(nonce + _GCM_ZEROS, sealed, clear)
    except (CryptoError, InvalidTag) as error:
        raise ForgedPacketError from error
