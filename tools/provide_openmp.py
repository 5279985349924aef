"""Give llama.cpp the OpenMP runtime on systems that have none.

`xllamacpp` needs `libgomp.so.1`, which slim system images leave out. The wheel of CTranslate2,
which stt runs on, carries one under another name; a link to it in `.venv/openmp` is enough, because
the Makefile puts that directory on the loader's path. Where the system has its own, nothing is
done.
"""

from __future__ import annotations

import ctypes
import sys
import sysconfig
from pathlib import Path

NAME = "libgomp.so.1"


def main() -> int:
    """Run the check; the exit status is 1 if there is no runtime at all."""
    if not sys.platform.startswith("linux") or _loads(NAME):
        return 0
    link = Path(sys.prefix) / "openmp" / NAME
    packages = Path(sysconfig.get_path("purelib"))
    carried = next((path for path in sorted(packages.glob("*.libs/libgomp-*.so*"))), None)
    if carried is None or not _loads(str(carried)):
        print(
            f"llama.cpp needs {NAME}, which this system lacks: install it (Debian: libgomp1)",
            file=sys.stderr,
        )
        return 1
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(carried)
    return 0


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
