"""Pin every third-party dependency of the workspace, with hashes, in `requirements/`.

Usage: `python tools/lock_requirements.py [--upgrade | --check]`.

The ranges stay where they belong, in the `pyproject.toml` of each package; this reads them, follows
the workspace's own packages (which are never pinned) and lets `uv pip compile` find one set of
versions for all platforms. `dev.txt` is made first and binds the others, so an image runs the
versions that the tests ran. Pins that still fit are kept; `--upgrade` takes the newest instead.

`--check` writes nothing and needs no network: it fails if a dependency is missing from a file that
needs it, is pinned outside its range, has no hash, or differs between two files.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.11"
OWN = "voicemesh-"
EVERYTHING = (
    "voicemesh-launcher",
    "voicemesh-stt",
    "voicemesh-tts[piper]",
    "voicemesh-trainer",
    "voicemesh-bot",
)
SIMULATOR = "discordsim[pytest]"
HEADER = "# Made by tools/lock_requirements.py from the pyproject.toml files; do not edit.\n"
PIN = re.compile(
    r"^(?P<name>[\w.\-]+)==(?P<version>[\w.+!\-]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?$"
)


@dataclass(frozen=True)
class Lock:
    """One file of `requirements/` and what has to be in it."""

    name: str
    """File name without `.txt`."""
    packages: tuple[str, ...] = ()
    """Packages of the workspace whose dependencies it holds, as requirements."""
    ranges: tuple[str, ...] = ()
    """Names, without `.in`, of files with further ranges."""
    without: tuple[str, ...] = ()
    """Packages that are left to whoever installs it, because the right build differs by machine."""
    apart: bool = False
    """Whether it may have other versions than dev.txt, because it needs them."""

    @property
    def is_peer(self) -> bool:
        """Whether it is for an environment of its own, with packages that dev.txt has not."""
        return self.name.startswith("peers-") or self.name in {"coqui", "lora"}


LOCKS = (
    Lock("dev", (*EVERYTHING, SIMULATOR), ("dev", "build")),  # first: its pins bind the others
    Lock("run", EVERYTHING, ("build",)),  # our packages are installed from their sources
    Lock("stt", ("voicemesh-stt",)),
    Lock("tts", ("voicemesh-tts[piper]",)),
    Lock("trainer", ("voicemesh-trainer[s3]",)),  # replicas share files in a bucket
    Lock("bot", ("voicemesh-bot",)),
    Lock("models", ("voicemesh-models",)),
    Lock("build", (), ("build",)),
    Lock("coqui", ("voicemesh-tts[coqui]",), ("coqui",), without=("torch",)),
    Lock("lora", ("voicemesh-trainer[lora]",), ("lora",), without=("torch",)),
    Lock("peers-stt", (), ("peers-stt",)),  # what `make bench-stt` compares with
    Lock("peers-tts", (), ("peers-tts",)),  # and `make bench-tts`
    Lock("peers-voice", (), ("peers-voice",), apart=True),  # and `make bench-voice`: other soxr
)


def projects() -> dict[str, dict[str, object]]:
    """Return the `[project]` table of every package of the workspace, by name."""
    tables: dict[str, dict[str, object]] = {}
    for path in sorted(ROOT.glob("libs/*/pyproject.toml")) + sorted(
        ROOT.glob("services/*/pyproject.toml")
    ):
        table = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        tables[canonicalize_name(table["name"])] = table
    return tables


def third_party(packages: Iterable[str]) -> list[Requirement]:
    """Return what `packages` and those of ours that they stand on need from elsewhere.

    Raises:
        SystemExit: a package or an extra that is asked for is not in the workspace.
    """
    known = projects()
    waiting = [Requirement(package) for package in packages]
    seen: set[tuple[str, str]] = set()
    found: dict[str, Requirement] = {}
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if not name.startswith(OWN) and name not in known:
            found[str(wanted)] = wanted
            continue
        if name not in known:
            raise SystemExit(f"{name} is required but has no pyproject.toml in libs or services")
        for part in {"", *wanted.extras} - {part for owner, part in seen if owner == name}:
            seen.add((name, part))
            waiting.extend(Requirement(text) for text in _needs(known[name], part))
    return [found[text] for text in sorted(found, key=str.lower)]


def _needs(project: dict[str, object], extra: str) -> list[str]:
    if not extra:
        listed = project.get("dependencies", [])
    else:
        extras = project.get("optional-dependencies", {})
        if not isinstance(extras, dict) or extra not in extras:
            raise SystemExit(f"{project['name']} has no extra called {extra}")
        listed = extras[extra]
    return [str(text) for text in listed] if isinstance(listed, list) else []


def requirements(lock: Lock) -> list[Requirement]:
    """Return every range that the pins of `lock` have to satisfy."""
    found = third_party(lock.packages)
    for name in lock.ranges:
        text = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8")
        lines = (line.split("#")[0].strip() for line in text.splitlines())
        found.extend(Requirement(line) for line in lines if line)
    return [each for each in found if canonicalize_name(each.name) not in lock.without]


def compile_lock(lock: Lock, *, upgrade: bool) -> None:
    """Write `requirements/<lock>.txt`.

    Raises:
        SystemExit: uv found no solution (it has printed why), or its output names an address.
    """
    name = f"requirements/{lock.name}.txt"
    command = [sys.executable, "-m", "uv", "pip", "compile", "--universal", "--generate-hashes"]
    command += ["--quiet", "--no-header", "--no-annotate", "--no-config"]
    command += ["--fork-strategy", "fewest", "--python-version", PYTHON]
    if lock is not LOCKS[0] and not lock.apart:
        command += ["--constraint", f"requirements/{LOCKS[0].name}.txt"]
    elif upgrade:
        command += ["--upgrade"]
    wanted = "\n".join(str(requirement) for requirement in requirements(lock))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        # What is left out is so also where other packages depend on it, with all that it needs.
        overrides.writelines(f"{each} ; sys_platform == 'none'\n" for each in lock.without)
        overrides.flush()
        command += ["--override", overrides.name, "--output-file", name, "-"]
        done = subprocess.run(command, input=wanted, text=True, cwd=ROOT)
    if done.returncode:
        raise SystemExit(f"{name}: no set of versions fits")
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[^\s#])", text)
    text = "\n".join(block for block in blocks if block.split("==")[0] not in lock.without)
    for forbidden in ("://", "index-url", "find-links", str(ROOT)):
        if forbidden in text:
            raise SystemExit(f"{name}: {forbidden!r} in what uv wrote")
    (ROOT / name).write_text(HEADER + text, encoding="utf-8")


def pins(name: str) -> Iterator[tuple[str, str, str]]:
    """Yield (canonical name, version, marker or "") of each pin of `requirements/<name>.txt`."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[^\s#])", text):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        match = PIN.match(lines[0])
        if match is None or not any("--hash=sha256:" in line for line in lines[1:]):
            raise SystemExit(f"requirements/{name}.txt: not a pin with a hash: {lines[0]}")
        yield canonicalize_name(match["name"]), match["version"], match["marker"] or ""


def faults(lock: Lock) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong with the file of `lock`."""
    pinned = list(pins(lock.name))
    versions = {name: version for name, version, _ in pinned}
    bound: dict[str, set[str]] = {}
    for name, version, _ in pins(LOCKS[0].name):
        bound.setdefault(name, set()).add(version)
    for name, version, _ in pinned:
        # A peer stands on packages that we do not; what both use must be the same.
        allowed = bound.get(name, {version} if lock.is_peer else set())
        if version not in allowed and not lock.apart:
            yield f"{lock.name}.txt: {name} {version} is not what {LOCKS[0].name}.txt pins"
    for requirement in requirements(lock):
        name = canonicalize_name(requirement.name)
        if name not in versions:
            yield f"{lock.name}.txt: {requirement} is not pinned"
        elif not requirement.specifier.contains(versions[name], prereleases=True):
            yield f"{lock.name}.txt: {name} {versions[name]} does not satisfy {requirement}"


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if stale")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    options = parser.parse_args()
    if options.check:
        found = [fault for lock in LOCKS for fault in faults(lock)]
        for fault in found:
            print(f"{fault}; run `python tools/lock_requirements.py`", file=sys.stderr)
        return 1 if found else 0
    for lock in LOCKS:
        compile_lock(lock, upgrade=options.upgrade)
        print(f"requirements/{lock.name}.txt: {len(list(pins(lock.name)))} pins")
    return 0


if __name__ == "__main__":
    sys.exit(main())
