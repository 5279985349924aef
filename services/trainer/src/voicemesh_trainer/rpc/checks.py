"""Bounds of request fields; each refusal names its field by its path in the message."""

from __future__ import annotations

import math

from voicemesh_chassis.errors import InvalidArgumentError

__all__ = ("check_count", "check_number", "check_printable", "check_tenant", "check_text")

_MAX_TENANT = 128


def check_tenant(tenant: str) -> str:
    """The tenant's name, if it is one."""
    if not tenant.strip():
        msg = "tenant is missing: name whose models and memory to use"
        raise InvalidArgumentError(msg, field="tenant")
    return check_printable(tenant, "tenant", _MAX_TENANT)


def check_text(text: str, field: str, most: int, *, required: bool = False) -> str:
    """The text, if it has at most `most` characters and, if `required`, is not blank."""
    if required and not text.strip():
        msg = f"{field} is blank"
        raise InvalidArgumentError(msg, field=field)
    if len(text) > most:
        msg = f"{field} has {len(text)} characters; at most {most} are taken"
        raise InvalidArgumentError(msg, field=field)
    return text


def check_printable(name: str, field: str, most: int, *, required: bool = False) -> str:
    """The id or name, as `check_text`, if all of it can be printed."""
    check_text(name, field, most, required=required)
    if not name.isprintable():
        msg = f"{field} has characters that cannot be printed"
        raise InvalidArgumentError(msg, field=field)
    return name


def check_count(count: int, field: str, least: int, most: int, *, of: str = "") -> int:
    """The number of things (`of` what, if the field is a list), if it is `least` to `most`."""
    if not least <= count <= most:
        msg = (
            f"{field} has {count} {of}; it may have {least} to {most}"
            if of
            else f"{field} is {count}; it must be {least} to {most}"
        )
        raise InvalidArgumentError(msg, field=field)
    return count


def check_number(
    number: float, field: str, least: float, most: float, *, above_least: bool = False
) -> float:
    """The number, if it lies between `least` (not on it, if `above_least`) and `most`."""
    low = number > least if above_least else number >= least
    if not (math.isfinite(number) and low and number <= most):
        lower = f"above {least:g}" if above_least else f"{least:g}"
        msg = f"{field} is {number:g}; it must be {lower} to {most:g}"
        raise InvalidArgumentError(msg, field=field)
    return number
