"""Finds what Kokoro needs: the network, and the styles of its voices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_models import ModelState
from voicemesh_tts.engines.kokoro.styles import find_styles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from voicemesh_models import ModelStore

__all__ = ("ENGINE", "KokoroFiles", "find_files")

ENGINE = "kokoro"
_SPEECH, _STYLES = "text-to-speech", "voice-styles"
"""Kinds of models in the catalogue."""


@dataclass(frozen=True)
class KokoroFiles:
    """What lies on disk."""

    model: Path | None
    """The ONNX file; None if there is none."""

    styles: Mapping[str, Path]
    """The names of the styles, each with its file."""

    licenses: Mapping[Path, str]
    """The licence of each file of styles, where it is known."""

    needed: tuple[str, ...]
    """Names in the catalogue of what the settings leave to it."""

    def license_of(self, styles: Iterable[str]) -> str:
        """The licences of some styles; empty if one is not known."""
        found = {self.licenses.get(self.styles[style], "") for style in styles}
        return "" if "" in found else " AND ".join(sorted(found))


def find_files(store: ModelStore, model: Path | None, voice_files: Sequence[Path]) -> KokoroFiles:
    """The files of the settings, and those of the catalogue that are installed.

    Args:
        store: the models.
        model: the network to take; None for that of the catalogue.
        voice_files: files of styles, before those of the catalogue.
    """
    entries = [entry for entry in store.catalogue.models.values() if entry.engine == ENGINE]
    there = [entry for entry in entries if store.state(entry.name) is ModelState.INSTALLED]
    licenses = {
        store.root / entry.name / file.path: entry.licence
        for entry in there
        if entry.kind == _STYLES
        for file in entry.files
        if file.path.endswith(".npz")
    }
    networks = [
        store.root / entry.name / file.path
        for entry in there
        if entry.kind == _SPEECH and model is None
        for file in entry.files
        if file.path.endswith(".onnx")
    ]
    needed = [entry.name for entry in entries if entry.kind == _STYLES and not voice_files]
    needed += [entry.name for entry in entries if entry.kind == _SPEECH and model is None]
    return KokoroFiles(
        model=model or next(iter(networks), None),
        styles=find_styles((*voice_files, *licenses)),
        licenses=licenses,
        needed=tuple(needed),
    )
