"""Voices as styles: tables of numbers that tell the network how somebody sounds.

A style is float32 [510, 1, 256]: one row for each count of symbols. Rows can be added, so a voice
may be a blend, "jf_alpha+jf_gongitsune", with weights if it is wished: "jf_alpha*0.7+jm_kumo*0.3".
"""

from __future__ import annotations

import math
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ("MOST_SYMBOLS", "Blend", "StyleError", "find_styles", "read_style")

_logger = get_logger(__name__)

MOST_SYMBOLS = 510
"""Most symbols that the network takes at once, without those at both ends."""

_WIDTH = 256
_NAME = r"[A-Za-z][A-Za-z0-9_]{0,63}"
_PART = re.compile(rf"({_NAME})(?:\*(\d{{1,3}}(?:\.\d{{1,3}})?|\.\d{{1,3}}))?")
_MOST_PARTS = 8
_LEAST_SHARE = 0.001


class StyleError(Exception):
    """A file of styles that cannot be used; the text says why."""


@dataclass(frozen=True)
class Blend:
    """Styles with the share that each has, together 1."""

    shares: tuple[tuple[str, float], ...]
    """Names and shares, in the order in which they were given."""

    @classmethod
    def parse(cls, name: str) -> Blend | None:
        """The blend of that name; one style alone is one too. None if it is no such name."""
        weights: dict[str, float] = {}
        parts = name.split("+")
        for part in parts:
            match = _PART.fullmatch(part)
            if match is None:
                return None
            weights[match[1]] = weights.get(match[1], 0.0) + float(match[2] or 1)
        total = sum(weights.values())
        if len(parts) > _MOST_PARTS or min(weights.values()) < _LEAST_SHARE * total or not total:
            return None
        return cls(tuple((style, weight / total) for style, weight in weights.items()))

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles."""
        return tuple(style for style, _ in self.shares)

    @property
    def name(self) -> str:
        """The same blend always has the same name, whatever its weights are multiples of."""
        shares = [share for _, share in self.shares]
        if math.isclose(min(shares), max(shares), abs_tol=_LEAST_SHARE / 2):
            return "+".join(self.styles)
        return "+".join(f"{style}*{share:.3f}".rstrip("0") for style, share in self.shares)


def find_styles(files: Iterable[Path]) -> dict[str, Path]:
    """The names of the styles in `.npz` files, each with its file; the first of a name counts.

    Reads the lists of contents only. What cannot be read is left out, with a warning.
    """
    found: dict[str, Path] = {}
    for file in files:
        try:
            with zipfile.ZipFile(file) as archive:
                names = [name.removesuffix(".npy") for name in archive.namelist()]
        except (OSError, zipfile.BadZipFile) as error:
            _logger.warning("a file of Kokoro voices cannot be read", error=type(error).__name__)
            continue
        for name in names:
            if re.fullmatch(_NAME, name):
                found.setdefault(name, file)
    return found


def read_style(blend: Blend, files: Mapping[str, Path]) -> NDArray[np.float32]:
    """The style of a blend, float32 [510, 256].

    Args:
        blend: its parts.
        files: the file of each style.

    Raises:
        StyleError: if a style is not there, or is not one.
    """
    style = np.zeros((MOST_SYMBOLS, _WIDTH), np.float32)
    for name, share in blend.shares:
        style += np.float32(share) * _read(name, files)
    return style


def _read(name: str, files: Mapping[str, Path]) -> NDArray[np.float32]:
    if name not in files:
        msg = f"there is no Kokoro voice {name!r}"
        raise StyleError(msg)
    try:
        # Never with pickles: a file of voices may come from anywhere.
        with np.load(files[name], allow_pickle=False) as archive:
            table = np.asarray(archive[name], np.float32)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        msg = f"the Kokoro voice {name!r} in {files[name]} cannot be read ({type(error).__name__})"
        raise StyleError(msg) from error
    if table.size % _WIDTH or table.size // _WIDTH < MOST_SYMBOLS or not np.isfinite(table).all():
        msg = f"the Kokoro voice {name!r} in {files[name]} is not a style of Kokoro v1.0"
        raise StyleError(msg)
    return table.reshape(-1, _WIDTH)[:MOST_SYMBOLS]
