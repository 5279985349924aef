"""Where the log files of one launch go."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

__all__ = ("new_log_dir",)

_KEPT = 5


def new_log_dir() -> Path:
    """A new directory for one launch, in the user's state directory; old ones are removed.

    The state directory is XDG_STATE_HOME or `~/.local/state`.
    """
    state_home = os.environ.get("XDG_STATE_HOME", "")
    # The XDG specification says that a relative path here must be ignored.
    base = Path(state_home) if os.path.isabs(state_home) else Path.home() / ".local" / "state"
    root = base / "voicemesh" / "logs"
    now = datetime.now().astimezone()
    directory = root / f"{now:%Y-%m-%d-%H%M%S}-{os.getpid()}"
    directory.mkdir(parents=True)
    for old in sorted(root.iterdir())[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return directory
