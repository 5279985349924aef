"""The command line of a service: it has settings, not arguments, and says so."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

from voicemesh_chassis.metrics import installed_version
from voicemesh_chassis.variables import variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_settings import BaseSettings

    from voicemesh_chassis.variables import Variable

__all__ = ("read_command_line",)

_WIDTH = 96


def read_command_line(
    cls: type[BaseSettings], name: str, arguments: Sequence[str] | None = None
) -> None:
    """Returns if there is nothing on the command line.

    Args:
        cls: the settings to explain.
        name: the service's short name.
        arguments: instead of those of the process.

    Raises:
        SystemExit: after `--help` or `--version`, and with status 2 for anything else.
    """
    parser = argparse.ArgumentParser(
        prog=f"voicemesh-{name}",
        description=f"Runs the {name} service until SIGTERM or Ctrl-C. Environment variables:",
        epilog="\n".join(_explained(variable) for variable in variables(cls)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=installed_version(name))
    parser.parse_args(arguments)


def _explained(variable: Variable) -> str:
    default = f" (default {variable.typed_default})" if variable.typed_default else ""
    effect = textwrap.fill(
        variable.description, _WIDTH, initial_indent="      ", subsequent_indent="      "
    )
    return f"  {variable.name}{' (required)' if variable.is_required else default}\n{effect}"
