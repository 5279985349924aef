"""Which environment variables the command reads."""

from __future__ import annotations

import typer

from voicemesh_client.cli import app
from voicemesh_client.cli.options import DEFAULT_TARGETS
from voicemesh_client.cli.services import metrics_variable

__all__ = ("command_variables",)


def command_variables() -> frozenset[str]:
    """The variables of all options of all commands, those of `voicemesh models` included."""
    metrics = frozenset(metrics_variable(name) for name in DEFAULT_TARGETS)
    return metrics | _of(typer.main.get_command(app))


def _of(command: object) -> frozenset[str]:
    own = (getattr(parameter, "envvar", None) for parameter in getattr(command, "params", ()))
    names = frozenset(name for name in own if isinstance(name, str))
    below = getattr(command, "commands", {}).values()
    return names.union(*(_of(each) for each in below))
