"""Generate `libs/contracts` from `protos/`, or check that it is fresh.

Usage: `python tools/generate_protos.py [--check]`. With `--check` nothing is written and the exit
status is 1 if a file differs from what would be generated.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
THIRD_PARTY = ROOT / "third_party" / "protos"
PACKAGE = ROOT / "libs" / "contracts" / "src" / "voicemesh"


def generate(destination: Path) -> None:
    """Write messages, stubs and type stubs of every proto below `destination`.

    Raises:
        SystemExit: a proto does not compile; protoc has printed why.
    """
    scripts = str(Path(sys.executable).parent)  # protoc finds mypy-protobuf's plugins by PATH
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", os.defpath)])
    well_known = files("grpc_tools") / "_proto"
    protos = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    status = protoc.main(
        [
            "protoc",
            f"-I{PROTOS}",
            f"-I{THIRD_PARTY}",
            f"-I{well_known}",
            f"--python_out={destination}",
            f"--grpc_python_out={destination}",
            f"--mypy_out={destination}",
            f"--mypy_grpc_out={destination}",
            *protos,
        ]
    )
    if status:
        raise SystemExit(status)
    (destination / "voicemesh" / "py.typed").touch()


def stale_files(fresh: Path) -> list[str]:
    """Return the paths, relative to the package, that differ from `fresh`."""

    def listing(root: Path) -> set[str]:
        return {
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    here, there = listing(PACKAGE), listing(fresh)
    _, differing, unreadable = filecmp.cmpfiles(PACKAGE, fresh, here & there, shallow=False)
    return sorted((here ^ there) | set(differing) | set(unreadable))


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if stale")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = Path(scratch) / "voicemesh"
        stale = stale_files(fresh) if PACKAGE.exists() else ["everything"]
        if check:
            for name in stale:
                print(f"stale: {name}; run `make protos`", file=sys.stderr)
            return 1 if stale else 0
        if stale:
            shutil.rmtree(PACKAGE, ignore_errors=True)
            shutil.copytree(fresh, PACKAGE)
        print(f"libs/contracts: {len(stale)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
