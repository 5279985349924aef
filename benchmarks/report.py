"""What a benchmark found: rows for people, JSON for scripts, and checks against its targets."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ("RESULTS", "Check", "Report", "print_table")

RESULTS = Path(__file__).parent / "results"
"""Where every benchmark leaves its results."""


@dataclass(frozen=True)
class Check:
    """A figure and what it should be."""

    name: str
    """What was measured."""
    value: float
    """The figure."""
    target: str
    """What it should be, such as `<= 0.5`."""
    holds: bool
    """Whether it is."""

    @classmethod
    def at_most(cls, name: str, value: float, most: float) -> Check:
        """A figure that should be small."""
        return cls(name, round(value, 4), f"<= {most:g}", value <= most)

    @classmethod
    def at_least(cls, name: str, value: float, least: float) -> Check:
        """A figure that should be large."""
        return cls(name, round(value, 4), f">= {least:g}", value >= least)


@dataclass
class Report:
    """The results of one benchmark."""

    name: str
    """Name of the benchmark and of its file."""
    packages: Sequence[str]
    """Distributions whose versions matter."""
    measurements: dict[str, Any] = field(default_factory=dict)
    """Everything that was measured, by part."""
    checks: list[Check] = field(default_factory=list)
    """What should hold."""
    peers: Mapping[str, str] = field(default_factory=dict)
    """Versions of peers that are installed elsewhere."""

    def write(self) -> Path:
        """Writes `results/<name>.json`; returns where.

        Parts that were measured before, on the same machine with the same versions, are kept, so
        that one part can be measured again.
        """
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{self.name}.json"
        setting = {
            "benchmark": self.name,
            "machine": _machine(),
            "versions": {name: version(name) for name in self.packages} | dict(self.peers),
        }
        before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if any(before.get(name) != value for name, value in setting.items()):
            before = {"measurements": {}, "checks": []}
        self.measurements = before["measurements"] | self.measurements
        checks = {check["name"]: check for check in before["checks"]}
        checks |= {check.name: asdict(check) for check in self.checks}
        content = {**setting, "measurements": self.measurements, "checks": list(checks.values())}
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        return file

    def print_checks(self) -> None:
        """Prints what should hold and whether it does."""
        rows = [(c.name, f"{c.value:g}", c.target, "yes" if c.holds else "NO") for c in self.checks]
        print_table(("check", "value", "target", "holds"), rows)


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows under a head, columns aligned."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print()
    for index, line in enumerate(lines):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
        if index == 0:
            print("  ".join("-" * width for width in widths))


def _machine() -> dict[str, object]:
    """What the figures depend on; no name by which a machine could be known."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
