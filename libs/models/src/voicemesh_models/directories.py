"""Where models lie on this machine."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("MODELS_DIR_VARIABLE", "default_models_dir", "pull_command")

MODELS_DIR_VARIABLE = "VOICEMESH_MODELS_DIR"


def default_models_dir() -> Path:
    """Return VOICEMESH_MODELS_DIR, or `voicemesh/models` in the user's data directory.

    The data directory is XDG_DATA_HOME or `~/.local/share`. Nothing is created.
    """
    if chosen := os.environ.get(MODELS_DIR_VARIABLE):
        return Path(chosen).expanduser().absolute()
    return _users_models_dir()


def pull_command(root: Path, names: Iterable[str]) -> str:
    """Return what to type, in any terminal, to pull models into `root`.

    The directory is left out only if it is the user's, since VOICEMESH_MODELS_DIR may have been set
    for one program alone.
    """
    directory = () if root.absolute() == _users_models_dir() else ("--dir", str(root.absolute()))
    return shlex.join(("voicemesh-models", "pull", *directory, *names))


def _users_models_dir() -> Path:
    data_home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path here must be ignored.
    base = Path(data_home) if os.path.isabs(data_home) else Path.home() / ".local" / "share"
    return base / "voicemesh" / "models"
