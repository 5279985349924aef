"""What receiving needs from a voice connection, without naming its library."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from voicemesh_bot.voice.receive.transport import TransportMode

__all__ = ("Call", "FrameRefusal", "FrameRefusedError", "GroupEncryption")


class FrameRefusal(StrEnum):
    """Why a frame could not be decrypted end to end."""

    NOT_READY = "not_ready"
    """There is no group yet."""
    NO_DECRYPTOR = "no_decryptor"
    """Its sender is no member of the group, or not yet."""
    UNENCRYPTED = "unencrypted"
    """It is in the clear where that is not allowed."""
    UNDECRYPTABLE = "undecryptable"
    """No key of its sender fits: another epoch, damage, or a frame that had come before."""


class FrameRefusedError(Exception):
    """A frame could not be decrypted end to end."""

    def __init__(self, refusal: FrameRefusal) -> None:
        """Say why."""
        super().__init__(refusal.value)
        self.refusal = refusal


class GroupEncryption(Protocol):
    """A session of DAVE. Its methods are called by one thread while another changes its group."""

    @property
    def ready(self) -> bool:
        """Whether there is a group whose frames can be decrypted."""

    @property
    def epoch(self) -> int | None:
        """Which group it is: another number after every change of its members."""

    def decrypt(self, user_id: int, frame: bytes) -> bytes:
        """The Opus packet in a member's frame.

        Raises:
            FrameRefusedError: as it says.
        """

    def member_ids(self) -> Collection[int]:
        """Users in the group, the bot among them."""


class Call(Protocol):
    """A voice connection as it is now; everything may change between two packets."""

    @property
    def mode(self) -> TransportMode | None:
        """How packets are encrypted on their way; None until that is agreed."""

    @property
    def secret_key(self) -> bytes | None:
        """The key for it, 32 bytes; another one after every reconnect."""

    @property
    def encryption(self) -> GroupEncryption | None:
        """The end-to-end encryption; None if it was never needed."""

    @property
    def transition_pending(self) -> bool:
        """Whether the group is about to change, so that failures are to be expected."""
