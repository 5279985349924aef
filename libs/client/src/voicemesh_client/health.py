"""Whether a service is ready, by the standard gRPC health check."""

from __future__ import annotations

from enum import StrEnum

from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_chassis.channel import open_channel
from voicemesh_client.calls import Peer, single
from voicemesh_client.connection import Connection
from voicemesh_client.errors import (
    DeadlineExceededError,
    NotFoundError,
    TlsMismatchError,
    UnavailableError,
)

__all__ = ("Health", "check_health")


class Health(StrEnum):
    """What a service says of itself."""

    SERVING = "serving"
    """It has loaded its models and takes calls."""

    NOT_SERVING = "not serving"
    """It is starting or draining, or has no service of the name that was asked for."""

    UNREACHABLE = "unreachable"
    """Nobody answers at the target, or not in time."""


_STATES: dict[int, Health] = {health_pb2.HealthCheckResponse.SERVING: Health.SERVING}


async def check_health(connection: Connection | str, *, service: str = "") -> Health:
    """The health of the service at a target.

    Args:
        connection: where it is; its `timeout_s` bounds the check.
        service: full name of one gRPC service, or empty for the process as a whole.

    Raises:
        TlsMismatchError: if somebody is there, but not with the TLS or certificate expected.
        ServiceError: if it answers with anything but its health.
    """
    connection = Connection.of(connection)
    peer = Peer.of(connection)
    async with open_channel(connection.channel_options()) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        request = health_pb2.HealthCheckRequest(service=service)
        try:
            response = await single(check(request), peer)
        except TlsMismatchError:
            raise
        except (UnavailableError, DeadlineExceededError):
            return Health.UNREACHABLE
        except NotFoundError:
            return Health.NOT_SERVING
    return _STATES.get(response.status, Health.NOT_SERVING)
