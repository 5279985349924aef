"""Runs the benchmark: `make bench-trainer`, or `python -m benchmarks.trainer [--only PART ...]`.

The parts `training` and `taught` run in the environment of local training (`make lora-setup`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import Check, Report, print_table
from benchmarks.trainer.generation import measure_generation
from benchmarks.trainer.retrieval import measure_retrieval

if TYPE_CHECKING:
    from collections.abc import Sequence

_PARTS = ("generation", "retrieval", "training", "taught")
_PACKAGES = ("voicemesh-trainer", "xllamacpp", "grpcio", "SQLAlchemy", "aiosqlite", "numpy")
_ROOT = Path(__file__).parents[2]
_LORA_PYTHON = _ROOT / ".venv-lora" / "bin" / "python"
_MOST_BEFORE, _LEAST_AFTER, _MOST_TRAINING_S = 0.1, 0.7, 300


async def _measure(report: Report, parts: Sequence[str]) -> None:
    if "generation" in parts:
        await measure_generation(report)
    if "retrieval" in parts:
        await measure_retrieval(report)


def _in_lora(*arguments: str) -> dict[str, Any]:
    """What `benchmarks.trainer.training` prints last: a line of JSON."""
    command = [str(_LORA_PYTHON), "-m", "benchmarks.trainer.training", *arguments]
    ran = subprocess.run(command, check=True, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def _measure_training(report: Report) -> None:
    """Tokens a second beside a plain loop of `peft` and `transformers`."""
    found = _in_lora()
    report.measurements["training"] = found
    speeds = found["tokens_per_second"]
    print_table(("training", "tokens a second"), [(name, f"{speeds[name]:.0f}") for name in speeds])
    name = "training tokens a second, times those of a plain peft loop"
    report.checks.append(Check.at_least(name, found["ratio"], 1.0))


def _measure_taught(report: Report) -> None:
    """What an adapter alone knows after it was trained on 30 pairs, of each of two sets."""
    report.measurements["taught"] = {}
    for name in ("guild", "observatory"):
        found = report.measurements["taught"][name] = _in_lora("--teach", name)
        report.checks += [
            Check.at_most(f"training on 30 pairs, {name}, s", found["seconds"], _MOST_TRAINING_S),
            Check.at_most(f"key phrases before training, {name}", found["before"], _MOST_BEFORE),
            Check.at_least(f"key phrases after training, {name}", found["after"], _LEAST_AFTER),
        ]


def main() -> None:
    """Measures, prints, and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, metavar="PART")
    parts: Sequence[str] = parser.parse_args().only
    report = Report("trainer", _PACKAGES)
    asyncio.run(_measure(report, parts))
    if "training" in parts:
        _measure_training(report)
    if "taught" in parts:
        _measure_taught(report)
    report.print_checks()
    print(f"\nwritten to {report.write()}")


if __name__ == "__main__":
    main()
