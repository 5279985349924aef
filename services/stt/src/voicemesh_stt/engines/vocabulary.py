"""Which languages a Whisper model knows, told by its files without loading it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from voicemesh_stt.engines.prompts import bcp47

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("language_codes",)

_CONFIG = "config.json"
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_LEAST_MULTILINGUAL = 51_865
"""Tokens of a multilingual vocabulary; English-only models have one fewer (CTranslate2)."""
_START = "<|startoftranscript|>"
"""The token after which those of the languages come."""


def language_codes(directory: Path) -> tuple[str, ...]:
    """BCP-47 codes of the languages a model knows, in order; none if its files do not say.

    Args:
        directory: of a CTranslate2 Whisper model.
    """
    files = (directory / _CONFIG, *(directory / name for name in _VOCABULARIES))
    try:
        changed = tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
        return _read(directory, changed)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


@lru_cache(maxsize=64)
def _read(directory: Path, _changed: tuple[int, ...]) -> tuple[str, ...]:
    tokens = _tokens(directory)
    if len(tokens) < _LEAST_MULTILINGUAL:
        return ("en",)
    config = json.loads((directory / _CONFIG).read_text(encoding="utf-8"))
    first = tokens.index(_START) + 1
    codes = [token.strip("<|>") for token in tokens[first : first + len(config["lang_ids"])]]
    return tuple(sorted(bcp47(code) for code in codes))


def _tokens(directory: Path) -> list[str]:
    """The vocabulary in the order of its numbers."""
    as_json, as_text = (directory / name for name in _VOCABULARIES)
    if not as_json.is_file():
        return as_text.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    tokens = json.loads(as_json.read_text(encoding="utf-8"))
    if not isinstance(tokens, list):
        msg = f"{as_json} is not a list"
        raise TypeError(msg)
    return tokens
