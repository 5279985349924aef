"""Checks requests against the published schema of OpenAI's API.

The `openai` package's TypedDicts are generated from that schema, so they are it: each key is
known or the request is wrong, required ones are there, and values are of the types and among the
literals that they say. Loaded by tests/conftest.py.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

import typing_extensions

MARKS: tuple[Any, ...] = (typing.Required, typing.NotRequired, typing_extensions.Required)


class SchemaError(ValueError):
    """A request is not as the API wants it."""


def check(value: Any, wanted: Any, path: str = "") -> None:
    """Raises `SchemaError` if a JSON value is not of a type."""
    origin = get_origin(wanted)
    if origin in MARKS or origin is typing.Annotated:
        check(value, get_args(wanted)[0], path)
    elif wanted is Any or wanted is object:
        return
    elif origin in (Union, types.UnionType):
        _check_any(value, get_args(wanted), path)
    elif origin is Literal:
        _require(value in get_args(wanted), value, wanted, path)
    elif typing_extensions.is_typeddict(wanted):
        _check_object(value, wanted, path)
    elif isinstance(wanted, type) and origin is None:
        _check_plain(value, wanted, path)
    elif isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        _require(isinstance(value, dict), value, wanted, path)
        for name, each in value.items():
            check(each, get_args(wanted)[1], f"{path}.{name}")
    else:
        # List, Iterable, and the package's own sequence that is no str.
        _require(isinstance(value, list), value, wanted, path)
        for index, each in enumerate(value):
            check(each, get_args(wanted)[0], f"{path}[{index}]")


def _check_any(value: Any, choices: tuple[Any, ...], path: str) -> None:
    told = []
    for choice in choices:
        try:
            check(value, choice, path)
        except SchemaError as error:
            told.append(str(error))
        else:
            return
    raise SchemaError("; or ".join(told))


def _check_object(value: Any, wanted: Any, path: str) -> None:
    _require(isinstance(value, dict), value, wanted, path)
    hints: dict[str, Any] = typing_extensions.get_type_hints(wanted, include_extras=True)
    for name in value:
        _require(name in hints, name, "a known field", path)
    for name, hint in hints.items():
        required = name in wanted.__required_keys__ or get_origin(hint) in MARKS
        if name in value:
            check(value[name], hint, f"{path}.{name}")
        else:
            _require(not required, None, f"the field {name}", path)


def _check_plain(value: Any, wanted: type, path: str) -> None:
    if wanted is type(None):
        _require(value is None, value, None, path)
    elif wanted is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(number, value, wanted, path)
    elif wanted is int:
        _require(isinstance(value, int) and not isinstance(value, bool), value, wanted, path)
    else:
        _require(isinstance(value, wanted), value, wanted, path)


def _require(holds: object, value: Any, wanted: Any, path: str) -> None:
    if not holds:
        msg = f"{path or 'the request'}: {value!r} is not {wanted}"
        raise SchemaError(msg)
