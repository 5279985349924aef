"""Channels to other services: balanced, retried, kept alive, with token and request id.

`grpc.aio` interceptors would wrap every call in further tasks; the channel here wraps only the
making of a call, to fill in metadata and deadline.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio

from voicemesh_chassis.deadlines import remaining_s
from voicemesh_chassis.requests import REQUEST_ID_KEY, current_request_id, new_request_id
from voicemesh_chassis.status import error_from_rpc
from voicemesh_chassis.tls import ClientTls, channel_credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

__all__ = ("ChannelOptions", "ClientTls", "error_from_rpc", "open_channel", "remaining_s")

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ChannelOptions:
    """Where a service is and how to talk to it."""

    target: str
    """`host:port`, or any gRPC name; every address that it resolves to is used in turn."""

    token: SecretStr | None = None
    """Sent as `authorization: Bearer TOKEN`."""

    tls: ClientTls | None = None
    """Certificates; None means plain text."""

    max_message_bytes: int = 4 * _MIB
    """Largest message taken or sent, in bytes."""

    attempts: int = 4
    """How often a call is tried that the server refused as UNAVAILABLE before answering at all;
    1 turns retries off, 5 is gRPC's limit."""

    call_timeout_s: float | None = 30.0
    """Deadline of a call with one response, in seconds, where the caller gives none."""

    stream_timeout_s: float | None = None
    """The same for a call that streams responses; None lets it last, keepalive ends dead ones."""

    health_service: str | None = None
    """If set, addresses whose health of this service name is not SERVING are left out."""


def open_channel(options: ChannelOptions) -> grpc.aio.Channel:
    """A channel for as long as the caller keeps it; close it with `await channel.close()`.

    Raises:
        ConfigurationError: if a certificate file cannot be used.
    """
    arguments = _arguments(options)
    if options.tls is None:
        channel = grpc.aio.insecure_channel(options.target, arguments)
    else:
        credentials = channel_credentials(options.tls)
        channel = grpc.aio.secure_channel(options.target, credentials, arguments)
    return _Channel(channel, options)


def _arguments(options: ChannelOptions) -> list[tuple[str, Any]]:
    arguments: list[tuple[str, Any]] = [
        ("grpc.service_config", json.dumps(_service_config(options))),
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.max_send_message_length", options.max_message_bytes),
        # Not more often than servers of the chassis allow (20 s).
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_reconnect_backoff_ms", 5_000),
        # Channels with equal arguments share connections; two clients in a process must not.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    if options.tls is not None and options.tls.server_name is not None:
        arguments.append(("grpc.ssl_target_name_override", options.tls.server_name))
    return arguments


def _service_config(options: ChannelOptions) -> dict[str, Any]:
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if options.attempts > 1:
        retry = {
            "maxAttempts": options.attempts,
            "initialBackoff": "0.1s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            # Nothing else is safe to repeat blindly, nor any use under overload.
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": [{}], "retryPolicy": retry}]
    if options.health_service is not None:
        config["healthCheckConfig"] = {"serviceName": options.health_service}
    return config


class _Channel(grpc.aio.Channel):
    """A channel whose calls carry the token, the request id and a deadline."""

    def __init__(self, channel: grpc.aio.Channel, options: ChannelOptions) -> None:
        self._channel = channel
        self._options = options

    async def __aenter__(self) -> _Channel:
        await self._channel.__aenter__()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._channel.__aexit__(*exception)

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._channel.unary_unary(*args, **kwargs), streaming=False)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._channel.unary_stream(*args, **kwargs), streaming=True)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._channel.stream_unary(*args, **kwargs), streaming=False)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self._filled(self._channel.stream_stream(*args, **kwargs), streaming=True)

    def _filled(self, begin: Callable[..., Any], *, streaming: bool) -> Callable[..., Any]:
        options = self._options
        usual_s = options.stream_timeout_s if streaming else options.call_timeout_s

        def call(
            *request: Any, timeout: float | None = None, metadata: Any = None, **rest: Any
        ) -> Any:
            return begin(
                *request,
                timeout=usual_s if timeout is None else timeout,
                metadata=_metadata(metadata, options.token),
                **rest,
            )

        return call


def _metadata(given: Any, token: SecretStr | None) -> grpc.aio.Metadata:
    """The caller's metadata, with token and request id added where it names none itself."""
    pairs = list(given or ())
    keys = {key for key, _ in pairs}
    if REQUEST_ID_KEY not in keys:
        pairs.append((REQUEST_ID_KEY, current_request_id() or new_request_id()))
    if token is not None and "authorization" not in keys:
        pairs.append(("authorization", f"Bearer {token.get_secret_value()}"))
    return grpc.aio.Metadata(*pairs)
