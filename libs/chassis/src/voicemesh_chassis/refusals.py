"""One sentence for settings that cannot be used: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from voicemesh_chassis.variables import first_level, prefix_of, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import ValidationError
    from pydantic_settings import BaseSettings, SettingsError

    from voicemesh_chassis.variables import Variable

__all__ = ("refusal_sentence", "unknown_names", "unknown_sentence", "unreadable_sentence")

_LONGEST_VALUE_SHOWN = 60


def unknown_names(cls: type[BaseSettings], environ: Iterable[str]) -> list[str]:
    """Names with the prefix of `cls` that it does not read, in order.

    pydantic-settings refuses unknown names only inside a group, so the first level is ours.
    """
    prefix, known = prefix_of(cls), first_level(cls)
    return sorted(
        name
        for name in environ
        if name.upper().startswith(prefix) and name.upper().split("__", 1)[0] not in known
    )


def unknown_sentence(cls: type[BaseSettings], unknown: Sequence[str]) -> str:
    """Says which environment variables are not settings, and what may have been meant."""
    more = f" (nor are {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    return f"{unknown[0]} is not a setting{more}: {_meant(cls, unknown[0])}"


def refusal_sentence(cls: type[BaseSettings], error: ValidationError) -> str:
    """Says which setting has a value that cannot be used, and why; never shows a secret."""
    details = error.errors()
    first, more = details[0], len(details) - 1
    where = _variable_at(cls, first["loc"])
    tail = f" (and {more} more setting{'s' if more > 1 else ''})" if more else ""
    if first["type"] == "extra_forbidden":
        return f"{where} is not a setting{tail}: {_meant(cls, where)}"
    variable = _known(cls, where)
    if first["type"] == "missing":
        return f"{where} is not set{tail}: set it in the environment."
    shown = _shown(first.get("input")) if variable is not None and not variable.is_secret else ""
    why = first["msg"].removeprefix("Value error, ")
    why = why[:1].lower() + why[1:]
    return f"{where}{shown} cannot be used{tail}: {why}; {_mend(variable)}"


def unreadable_sentence(cls: type[BaseSettings], error: SettingsError) -> str:
    """Says which variable holds JSON that is broken; pydantic-settings names only the field."""
    found = re.search(r'field "(\w+)"', str(error))
    where = _variable_at(cls, [found[1]]) if found else "a setting"
    return f"{where} or one that begins with it cannot be read: write lists and objects as JSON."


def _meant(cls: type[BaseSettings], name: str) -> str:
    # Without the prefix: it would make any two names look alike.
    prefix = prefix_of(cls)
    known = {variable.name.removeprefix(prefix): variable.name for variable in variables(cls)}
    near = difflib.get_close_matches(name.upper().removeprefix(prefix), known, n=1)
    return f"did you mean {known[near[0]]}?" if near else "remove it from the environment."


def _variable_at(cls: type[BaseSettings], loc: Sequence[int | str]) -> str:
    """The environment variable at a pydantic error location; list positions are left out."""
    path = "__".join(part for part in loc if isinstance(part, str)).upper()
    # A field with a name of its own, such as DISCORD_TOKEN, is located by that name.
    return path if path.split("__", 1)[0] in first_level(cls) else prefix_of(cls) + path


def _known(cls: type[BaseSettings], name: str) -> Variable | None:
    return next((variable for variable in variables(cls) if variable.name == name), None)


def _shown(value: object) -> str:
    text = repr(value)
    return f" = {text}" if len(text) <= _LONGEST_VALUE_SHOWN else ""


def _mend(variable: Variable | None) -> str:
    if variable is None or variable.is_required:
        return "set it to a value that is allowed."
    if isinstance(variable.default, str | int | float):
        return f"set it to a value that is allowed, or leave it out for {variable.default!r}."
    return "set it to a value that is allowed, or leave it out."
