"""Names of tenants, and where what belongs to them lies on disk: a directory for each."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("check_tenant", "tenant_directory")

_MOST_CHARS = 128
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST_NAME = 180
"""File systems take 255 bytes."""
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)
"""Names that Windows keeps for devices."""


def check_tenant(tenant: str, field: str) -> str:
    """The tenant's name, if it can be one; empty is nobody.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if len(tenant) > _MOST_CHARS:
        msg = f"{field} has {len(tenant)} characters; at most {_MOST_CHARS} are taken"
        raise InvalidArgumentError(msg, field=field)
    if not tenant.isprintable() or tenant != tenant.strip():
        msg = f"{field} has characters that cannot be printed, or blanks around it"
        raise InvalidArgumentError(msg, field=field)
    return tenant


def tenant_directory(data: Path, tenant: str) -> Path:
    """The directory of a tenant, which need not exist.

    No name leads out of `data`, and different names have different directories on every file
    system: all but small letters, digits, `_` and `-` is written as `%` and two digits a byte.

    Args:
        data: the directory of all tenants.
        tenant: a name that `check_tenant` has passed, not empty.
    """
    name = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"%{byte:02x}"
        for byte in tenant.encode("utf-8", "surrogatepass")
    )
    if name in _RESERVED:
        name = f"%{ord(name[0]):02x}{name[1:]}"
    if len(name) > _LONGEST_NAME:
        name = "%%" + hashlib.sha256(name.encode()).hexdigest()
    return data / name
