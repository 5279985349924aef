"""The version of this client."""

from __future__ import annotations

from importlib.metadata import version

__all__ = ("installed_version",)


def installed_version() -> str:
    """The version of the installed distribution."""
    return version("voicemesh-client")
