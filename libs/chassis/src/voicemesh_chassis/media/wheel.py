"""The libraries that PyAV's wheel carries beside the package, for those who load them by ctypes."""

from __future__ import annotations

from pathlib import Path

import av

__all__ = ("bundled",)


def bundled(name: str) -> list[str]:
    """Files whose name contains `name`: `av.libs` on Linux and Windows, `.dylibs` on macOS."""
    package = Path(av.__file__).parent
    found: list[str] = []
    for directory in (package.parent / "av.libs", package / ".dylibs"):
        if directory.is_dir():
            found += sorted(str(file) for file in directory.iterdir() if name in file.name)
    return found
