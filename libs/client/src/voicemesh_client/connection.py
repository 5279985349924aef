"""Where a service is and how long to wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from voicemesh_chassis.channel import ChannelOptions, ClientTls

__all__ = ("ClientTls", "Connection")

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a service. The objects that use it open one channel each, at the first call."""

    target: str
    """`host:port`, or any gRPC name; every address that it resolves to is used in turn."""

    token: str | None = field(default=None, repr=False)
    """Sent as `authorization: Bearer TOKEN`."""

    tls: ClientTls | None = None
    """Certificates; None means plain text."""

    timeout_s: float = 30.0
    """Longest wait in seconds: for the answer of a call with one answer; in a streaming call for a
    service that neither answers nor takes the next piece. Speech and text that are still being
    made may take as long as they like."""

    max_message_bytes: int = 64 * _MIB
    """Largest message that is sent or taken; a service may allow less."""

    @classmethod
    def of(cls, connection: Connection | str) -> Connection:
        """The connection itself, or one to a target with everything else as usual."""
        return cls(connection) if isinstance(connection, str) else connection

    def channel_options(self) -> ChannelOptions:
        """What the chassis needs to open a channel."""
        return ChannelOptions(
            target=self.target,
            token=None if self.token is None else SecretStr(self.token),
            tls=self.tls,
            max_message_bytes=self.max_message_bytes,
            call_timeout_s=self.timeout_s,
        )
