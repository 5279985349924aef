"""Where models lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ("MODELS_DIR_VARIABLE", "default_models_dir")

MODELS_DIR_VARIABLE = "VOICEMESH_MODELS_DIR"


def default_models_dir() -> Path:
    """Return VOICEMESH_MODELS_DIR, or `voicemesh/models` in the user's data directory.

    The data directory is XDG_DATA_HOME or `~/.local/share`. Nothing is created.
    """
    if chosen := os.environ.get(MODELS_DIR_VARIABLE):
        return Path(chosen).expanduser().absolute()
    data_home = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification says that a relative path here must be ignored.
    base = Path(data_home) if os.path.isabs(data_home) else Path.home() / ".local" / "share"
    return base / "voicemesh" / "models"
