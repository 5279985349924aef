"""Addresses to listen on, and a plain sentence where one cannot be had."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket

from voicemesh_chassis.service import StartupError

__all__ = ("check_free", "host_port", "is_loopback")


def host_port(host: str, port: int) -> str:
    """`host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach `host`; no other name than localhost counts."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name
        return host.lower().rstrip(".") == "localhost"


async def check_free(host: str, port: int, setting: str) -> None:
    """Returns if `host` and `port` can be listened on.

    Asked before the real server is, because gRPC says only that binding failed, not why, and
    writes lines of its own to standard error.

    Args:
        host: name or address of an interface of this machine.
        port: the port.
        setting: the environment variable that sets the port, such as `…SERVER__PORT`.

    Raises:
        StartupError: naming the port and what to do.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise StartupError(_not_ours(host, setting)) from error
    failures = [
        failure
        for family, kind, protocol, _, address in found
        if (failure := _bind_failure(family, kind, protocol, address)) is not None
    ]
    for failure in failures:
        if failure.errno == errno.EADDRINUSE:
            msg = f"port {port} on {host} is taken: stop the program that has it, or set {setting}."
            raise StartupError(msg) from failure
        if failure.errno in (errno.EACCES, errno.EPERM):
            msg = f"port {port} on {host} is not for this user: set {setting} to one above 1023."
            raise StartupError(msg) from failure
    # `localhost` may resolve to an IPv6 address that this machine does not have.
    if len(failures) == len(found):
        raise StartupError(_not_ours(host, setting)) from failures[0]


def _not_ours(host: str, setting: str) -> str:
    host_setting = f"{setting.rpartition('__')[0]}__HOST"
    return f"{host} is not an address of this machine: set {host_setting} to one that is."


def _bind_failure(
    family: int, kind: int, protocol: int, address: tuple[object, ...]
) -> OSError | None:
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None
