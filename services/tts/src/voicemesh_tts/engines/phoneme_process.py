"""The child process that runs espeak-ng; `phonemiser` starts it and talks to it.

A line of JSON comes in, `[path of a voice's config, text]`, and a line of JSON goes out, a list of
sentences that are lists of phonemes. It ends when its input does. What goes wrong ends it too: the
parent says what that means.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from piper import PiperVoice
from piper.config import PiperConfig

__all__ = ("main",)


def main() -> None:
    """Answers lines until there are no more."""
    if sys.platform != "win32":
        import resource

        # An image of this process would hold what people said.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    voices: dict[str, PiperVoice] = {}
    for line in sys.stdin:
        path, text = json.loads(line)
        if path not in voices:
            voices[path] = _voice(path)
        sys.stdout.write(json.dumps(voices[path].phonemize(text)) + "\n")
        sys.stdout.flush()


def _voice(path: str) -> PiperVoice:
    config = PiperConfig.from_dict(json.loads(Path(path).read_bytes()))
    # Only the parent runs the network; phonemes need the voice's config alone.
    return PiperVoice(config=config, session=None)


if __name__ == "__main__":
    main()
