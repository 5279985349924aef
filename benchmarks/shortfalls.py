"""Prints every check of `results/*.json` that does not hold: `python -m benchmarks.shortfalls`."""

from __future__ import annotations

import json
import sys

from benchmarks.report import RESULTS, print_table

__all__ = ("main",)


def main() -> int:
    """Prints what falls short; 1 if anything does or nothing was measured."""
    files = sorted(RESULTS.glob("*.json"))
    short = [
        (found["benchmark"], check["name"], f"{check['value']:g}", check["target"])
        for found in (json.loads(file.read_text(encoding="utf-8")) for file in files)
        for check in found["checks"]
        if not check["holds"]
    ]
    if not files:
        print("no results; run a benchmark first, such as make bench-stt")
        return 1
    if not short:
        print(f"all checks of {len(files)} benchmark(s) hold")
        return 0
    print_table(("benchmark", "falls short", "value", "target"), short)
    return 1


if __name__ == "__main__":
    sys.exit(main())
