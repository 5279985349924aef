"""One sentence for settings that cannot be used: what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from voicemesh_chassis.variables import first_level, prefix_of, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails
    from pydantic_settings import BaseSettings, SettingsError

    from voicemesh_chassis.variables import Variable

__all__ = (
    "ContradictionError",
    "refusal_sentence",
    "unknown_names",
    "unknown_sentence",
    "unreadable_sentence",
)

_LONGEST_VALUE_SHOWN = 60

# What pydantic says of a text that is no such thing is about parsers, not about settings.
_PHRASES = {
    "int_parsing": "it must be a whole number",
    "int_parsing_size": "it must be a whole number of a usual size",
    "int_from_float": "it must be a whole number",
    "float_parsing": "it must be a number",
    "finite_number": "it must be a finite number",
    "bool_parsing": "it must be true or false",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "literal_error": "it must be {expected}",
}


class ContradictionError(ValueError):
    """Two settings of one group that cannot hold together; raised by a validator of the group.

    The validator knows fields; `refusal_sentence` names the variables behind them.

    Attributes:
        field: the one that is wrong.
        other: the one that makes it so.
        relation: between them, such as `must be at least`.
    """

    def __init__(self, group: BaseModel, field: str, relation: str, other: str) -> None:
        self.field, self.relation, self.other = field, relation, other
        self._values = {name: getattr(group, name) for name in (field, other)}
        super().__init__(self.sentence(""))

    def sentence(self, prefix: str) -> str:
        """Both settings with their values, and the relation; `prefix` makes them variables."""
        left, right = (
            f"{prefix + name.upper() if prefix else name} = {self._values[name]}"
            for name in (self.field, self.other)
        )
        return f"{left} {self.relation} {right}"


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
        if variable is not None and not variable.is_required:
            return _incomplete_sentence(cls, details)
        return f"{where} is not set{tail}: set it in the environment."
    if variable is None:
        return _group_sentence(where, first, tail)
    shown = "" if variable.is_secret else _shown(first.get("input"))
    return f"{where}{shown} cannot be used{tail}: {_why(first)}; {_mend(variable)}"


def _incomplete_sentence(cls: type[BaseSettings], details: Sequence[ErrorDetails]) -> str:
    """Says which variables of an optional group are missing, and for which ones they are needed."""
    group = details[0]["loc"][:-1]
    missing = [
        _variable_at(cls, detail["loc"])
        for detail in details
        if detail["type"] == "missing" and detail["loc"][:-1] == group
    ]
    given = [_variable_at(cls, (*group, name)) for name in details[0]["input"]]
    are, belong = ("is", "belongs") if len(missing) == 1 else ("are", "belong")
    return (
        f"{' and '.join(missing)} {are} not set, but {belong} to {' and '.join(given)}: "
        "set all of them or none."
    )


def _group_sentence(where: str, error: ErrorDetails, tail: str) -> str:
    """Says what a validator of a whole group refused."""
    prefix = f"{where.rstrip('_')}{'_' if where.endswith('_') else '__'}"
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ContradictionError):
        return f"{cause.sentence(prefix)}{tail}: change one of them."
    return f"settings that begin with {prefix} cannot be used{tail}: {_why(error)}."


def _why(error: ErrorDetails) -> str:
    """What is wrong with a value, without the name of anything in the program."""
    phrase = _PHRASES.get(error["type"])
    if phrase is not None:
        return phrase.format_map(error.get("ctx", {}))
    why = error["msg"].removeprefix("Value error, ")
    why = re.sub(r"^(Input|Value|String|List|Tuple) should ", "it must ", why)
    # A name in capitals, such as that of a variable, stays as it is.
    return why if why[:2].isupper() else why[:1].lower() + why[1:]


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
    if isinstance(variable.default, bool):
        return f"set it to a value that is allowed, or leave it out for {variable.typed_default}."
    if isinstance(variable.default, str | int | float):
        return f"set it to a value that is allowed, or leave it out for {variable.default!r}."
    return "set it to a value that is allowed, or leave it out."
