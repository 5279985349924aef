"""Packets as Discord's servers send them, really encrypted, and a group whose keys a test holds."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from voicemesh_bot.voice.receive.packets import VoicePacket
from voicemesh_bot.voice.receive.ports import FrameRefusal, FrameRefusedError
from voicemesh_bot.voice.receive.receiver import VoiceReceiver
from voicemesh_bot.voice.receive.recovery import RecoveryStep
from voicemesh_bot.voice.receive.transport import TransportMode

MARK = b"\xfa\xfa"


@dataclass
class Wire:
    """Makes datagrams of one call."""

    mode: TransportMode = TransportMode.XCHACHA20
    key: bytes = bytes(range(32))
    nonce: int = 0

    def __call__(
        self,
        payload: bytes,
        *,
        sequence: int = 1,
        timestamp: int | None = None,
        ssrc: int = 7,
        padding: int = 0,
        extension: bytes | None = None,
        sources: int = 0,
        marker: bool = False,
    ) -> bytes:
        first = 0x80 | sources | (0x20 if padding else 0) | (0x10 if extension is not None else 0)
        time = sequence * 960 if timestamp is None else timestamp
        second = 0x78 | (0x80 if marker else 0)
        header = struct.pack(">BBHII", first, second, sequence % 65_536, time % (1 << 32), ssrc)
        header += bytes(4 * sources)
        if extension is not None:
            header += struct.pack(">HH", 0xBEDE, len(extension) // 4)
        plain = (extension or b"") + payload
        if padding:
            plain += bytes(padding - 1) + bytes([padding])
        return self.seal(header, plain)

    def seal(self, header: bytes, plain: bytes) -> bytes:
        self.nonce += 1
        nonce = self.nonce.to_bytes(4, "big")
        if self.mode is TransportMode.XCHACHA20:
            sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
                plain, header, nonce + bytes(20), self.key
            )
        else:
            sealed = AESGCM(self.key).encrypt(nonce + bytes(8), plain, header)
        return header + sealed + nonce


@dataclass
class Group:
    """Opens `user:words|MARK` for members, each frame once; the rules of DAVE in ten lines."""

    members: set[int] = field(default_factory=set)
    ready: bool = True
    epoch: int | None = 1
    wrong: set[bytes] = field(default_factory=set)

    def decrypt(self, user_id: int, frame: bytes) -> bytes:
        if user_id not in self.members:
            raise FrameRefusedError(FrameRefusal.NO_DECRYPTOR)
        if not frame.endswith(MARK):
            raise FrameRefusedError(FrameRefusal.UNENCRYPTED)
        owner, words = frame[: -len(MARK)].split(b":", 1)
        if int(owner) != user_id or words in self.wrong:
            raise FrameRefusedError(FrameRefusal.UNDECRYPTABLE)
        self.wrong.add(words)  # A nonce is good for one frame.
        return words

    def member_ids(self) -> tuple[int, ...]:
        return tuple(self.members)


@dataclass
class Ear:
    """A receiver in a call that the test controls."""

    wire: Wire = field(default_factory=Wire)
    group: Group | None = field(default_factory=Group)
    wanted: Callable[[int], bool] = lambda _: True
    now_s: float = 100.0
    mode: TransportMode | None = TransportMode.XCHACHA20
    secret_key: bytes | None = bytes(range(32))
    transition_pending: bool = False
    steps: list[RecoveryStep] = field(default_factory=list)
    packets: list[VoicePacket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.receiver = VoiceReceiver(
            self, wanted=lambda user_id: self.wanted(user_id), clock=self.clock
        )
        self.receiver.message(2, {"ssrc": 1})
        self.receiver.message(4, {"dave_protocol_version": 1})

    @property
    def encryption(self) -> Group | None:
        return self.group

    def clock(self) -> float:
        return self.now_s

    def names(self, user_id: int, ssrc: int) -> None:
        self.receiver.message(5, {"user_id": str(user_id), "ssrc": ssrc, "speaking": 1})

    def says(self, user_id: int, words: bytes, **how: Any) -> None:
        """Sends a frame that only the group can open."""
        self.receiver.receive(self.wire(b"%d:%s%s" % (user_id, words, MARK), **how))

    def heard(self) -> list[bytes]:
        """All that was passed on since the start."""
        received = self.receiver.take()
        self.packets += received.packets
        if received.step is not RecoveryStep.NONE:
            self.steps.append(received.step)
        return [each.opus for each in self.packets]


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def wire() -> Wire:
    return Wire()
