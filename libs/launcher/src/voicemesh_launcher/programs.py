"""Which programs there are, where they listen, and what they wait for.

Ports and hosts are set by the services' own variables (`VOICEMESH_STT_SERVER__PORT`). The launcher
reads them for itself rather than from the services' settings classes, so that it can say what is
wrong even where a service is not installed.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = (
    "PROGRAM_NAMES",
    "Endpoint",
    "LaunchError",
    "Program",
    "read_programs",
    "token_of",
    "with_free_ports",
)

_LOOPBACK = "127.0.0.1"
_EVERYWHERE = {"0.0.0.0": _LOOPBACK, "::": "::1", "[::]": "::1"}  # noqa: S104 - only recognised
_LARGEST_PORT = 65_535


class LaunchError(Exception):
    """The programs cannot be started; the message has one sentence a line, each with its mend."""


@dataclass(frozen=True)
class Endpoint:
    """A port that a program listens on."""

    purpose: str
    """`grpc`, `metrics` or `console`."""

    host: str
    """Address that it listens on."""

    port: int
    """The port; 0 until `with_free_ports` has chosen one."""

    setting: str
    """The variable that sets the port."""

    @property
    def address(self) -> str:
        """`host:port` as a caller on this machine writes it."""
        host = _EVERYWHERE.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host.strip("[]") else f"{host}:{self.port}"


@dataclass(frozen=True)
class Program:
    """One service to be run."""

    name: str
    """Short name, such as `stt`."""

    module: str
    """What `python -m` runs."""

    endpoints: Mapping[str, Endpoint]
    """Where it listens, by purpose."""

    needs: tuple[str, ...] = ()
    """Names of the programs that must be ready before this one is started."""

    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Settings that the launcher gives it over those of the environment; may hold tokens."""


@dataclass(frozen=True)
class _Plan:
    name: str
    port: int
    metrics_port: int
    needs: tuple[str, ...] = ()


_PLANS = (
    _Plan("stt", 50051, 9101),
    _Plan("tts", 50052, 9102),
    _Plan("trainer", 50053, 9103),
    _Plan("bot", 50054, 9104, needs=("stt", "tts", "trainer")),
)
_CONSOLE_PORT = 8080

PROGRAM_NAMES = tuple(plan.name for plan in _PLANS)
"""The services, in order of start."""


def read_programs(environ: Mapping[str, str] | None = None) -> tuple[Program, ...]:
    """The four services with the ports that the environment gives them, in order of start.

    Raises:
        LaunchError: if a port setting is no port.
    """
    variables = os.environ if environ is None else environ
    return tuple(_program(plan, variables) for plan in _PLANS)


def _program(plan: _Plan, variables: Mapping[str, str]) -> Program:
    prefix = f"VOICEMESH_{plan.name.upper()}_"
    host = variables.get(f"{prefix}SERVER__HOST") or _LOOPBACK
    wanted = [
        ("grpc", host, f"{prefix}SERVER__PORT", plan.port),
        ("metrics", host, f"{prefix}SERVER__METRICS_PORT", plan.metrics_port),
    ]
    if plan.name == "bot":
        console_host = variables.get(f"{prefix}CONSOLE__HOST") or _LOOPBACK
        wanted.append(("console", console_host, f"{prefix}CONSOLE__PORT", _CONSOLE_PORT))
    endpoints = {
        purpose: Endpoint(purpose, where, _port(variables, setting, usual), setting)
        for purpose, where, setting, usual in wanted
    }
    return Program(plan.name, f"voicemesh_{plan.name}", endpoints, plan.needs)


def _port(variables: Mapping[str, str], setting: str, usual: int) -> int:
    value = variables.get(setting, "").strip()
    if not value:
        return usual
    if value.isascii() and value.isdigit() and int(value) <= _LARGEST_PORT:
        return int(value)
    msg = f"{setting} = {value!r} is not a port: set it to a number from 0 to {_LARGEST_PORT}."
    raise LaunchError(msg)


def with_free_ports(
    programs: Sequence[Program], environ: Mapping[str, str] | None = None, *, everywhere: bool
) -> tuple[Program, ...]:
    """The programs with every port 0 replaced by a free one, and told how to reach each other.

    That is by address, and by token where a program asks for one.

    Args:
        programs: in order of start.
        environ: what the person has set, which goes before what the launcher would tell them.
        everywhere: whether ports other than 0 are replaced too.
    """
    variables = os.environ if environ is None else environ
    with ExitStack() as held:
        # All are held until all are chosen, so that none is chosen twice.
        chosen = [
            replace(
                program,
                endpoints={
                    purpose: _placed(endpoint, held, everywhere=everywhere)
                    for purpose, endpoint in program.endpoints.items()
                },
            )
            for program in programs
        ]
    addresses = {program.name: program.endpoints["grpc"].address for program in chosen}
    return tuple(
        replace(program, variables=_variables(program, addresses, variables, firmly=everywhere))
        for program in chosen
    )


def _placed(endpoint: Endpoint, held: ExitStack, *, everywhere: bool) -> Endpoint:
    if endpoint.port != 0 and not everywhere:
        return endpoint
    host = endpoint.host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
    try:
        probe.bind((host, 0))
    except OSError as error:
        host_setting = endpoint.setting.removesuffix("PORT").removesuffix("METRICS_") + "HOST"
        msg = f"{endpoint.host} is not an address of this machine: set {host_setting} to one."
        raise LaunchError(msg) from error
    return replace(endpoint, port=probe.getsockname()[1])


def _variables(
    program: Program, addresses: Mapping[str, str], environ: Mapping[str, str], *, firmly: bool
) -> Mapping[str, str]:
    own = {each.setting: str(each.port) for each in program.endpoints.values()}
    told: dict[str, str] = {}
    for name in program.needs:
        prefix = f"VOICEMESH_{program.name.upper()}_{name.upper()}__"
        # A person may point the bot at a service elsewhere; a demo talks to its own.
        if environ.get(f"{prefix}TARGET") and not firmly:
            continue  # nor is the token of the one here anything to send there
        told[f"{prefix}TARGET"] = addresses[name]
        token = token_of(name, environ)
        if token is not None and (firmly or not environ.get(f"{prefix}TOKEN")):
            told[f"{prefix}TOKEN"] = token
    return own | told


def token_of(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The first token that lets a caller in to a program; None if it lets everyone in."""
    variables = os.environ if environ is None else environ
    tokens = variables.get(f"VOICEMESH_{name.upper()}_SERVER__AUTH_TOKENS", "").split(",")
    return next((token.strip() for token in tokens if token.strip()), None)
