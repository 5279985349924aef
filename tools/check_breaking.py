"""Check that the protos do not break callers of the last release.

Compares `protos/` with the newest `v*` tag by `buf breaking`. Before the first release there is
nothing to break, and the check says so.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = Path(sys.executable).parent / "buf"


def last_release() -> str | None:
    """Return the newest version tag that this commit descends from, if there is one."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v*"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def main() -> int:
    """Run the check; the exit status is buf's own."""
    tag = last_release()
    if tag is None:
        print("protos: no release yet, nothing to compare with")
        return 0
    command = ["git", "archive", tag, "buf.yaml", "protos", "third_party/protos"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as released:
        with tarfile.open(fileobj=BytesIO(archive)) as contents:
            contents.extractall(released, filter="data")
        image = str(Path(released) / "released.binpb")
        subprocess.run([BUF, "build", "protos", "-o", image], cwd=released, check=True)
        result = subprocess.run(
            [BUF, "breaking", "protos", "--against", image], cwd=ROOT, check=False
        )
    print(f"protos: compared with {tag}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
