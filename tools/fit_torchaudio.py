"""Let torchaudio run beside a torch without CUDA.

The package registry has torchaudio built for CUDA only, and its compiled part does not load beside
a torch built for the CPU. That part serves beam search and alignment, which coqui-tts does not use,
and torchaudio runs without it if the files are not there: so they are removed. Where they load, or
torch has CUDA, nothing is done.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import torch


def main() -> int:
    """Run the check; the exit status is 1 if torchaudio is not installed."""
    spec = importlib.util.find_spec("torchaudio")
    if spec is None or spec.origin is None:
        print("torchaudio is not installed", file=sys.stderr)
        return 1
    libraries = sorted((Path(spec.origin).parent / "lib").glob("*.so"))
    if torch.version.cuda is None and not all(map(_loads, libraries)):
        for library in libraries:
            library.unlink()
    return 0


def _loads(library: Path) -> bool:
    try:
        torch.ops.load_library(str(library))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
