"""Keeps the halves of voices: made once, beside the voice's file or else in the user's cache.

They are named by the content of the voice's file, and appear whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from onnx import ModelProto

    from voicemesh_tts.engines.piper.graph import Halves

__all__ = ("AFTER", "BEFORE", "HOP", "SplitVoice", "kept_split", "make_split")

_logger = get_logger(__name__)

HOP, BEFORE, AFTER = "voicemesh.hop", "voicemesh.frames_before", "voicemesh.frames_after"
"""Names in the encoder's metadata, of what `graph.Halves` calls alike."""

_VERSION = "2"
"""Of how voices are split; another one makes them anew."""

_DIRECTORY = ".voicemesh-split"


@dataclass(frozen=True)
class SplitVoice:
    """The two halves of a voice: files, or if none could be written the bytes themselves."""

    encoder: Path | bytes
    """From phonemes to frames."""

    decoder: Path | bytes
    """From frames to sound."""

    planes: Path | bytes
    """The decoder once more, in two dimensions: see `planes`."""


def kept_split(model: Path) -> SplitVoice | None:
    """The halves that were made before, if they were.

    Raises:
        OSError: if the voice's file cannot be read.
    """
    name = _name(model)
    for directory in _directories(model):
        paths = _paths(directory, name)
        if all(path.is_file() for path in paths):
            return SplitVoice(*paths)
    return None


def make_split(model: Path) -> SplitVoice | None:
    """The halves, made now, in place of those that were kept; None if it cannot be split.

    Raises:
        OSError: if the voice's file cannot be read.
    """
    halves = _halves(model)
    if halves is None:
        return None
    models = (halves.encoder, halves.decoder, _planes(halves, model))
    parts = [each.SerializeToString() for each in models]
    name = _name(model)
    for directory in _directories(model):
        paths = _paths(directory, name)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for path, part in zip(paths, parts, strict=True):
                _write(path, part)
        except OSError:
            # A read-only model directory is a normal way to run.
            continue
        return SplitVoice(*paths)
    _logger.warning("a split voice cannot be kept and is made at each start", file=str(model))
    return SplitVoice(*parts)


def _halves(model: Path) -> Halves | None:
    try:
        import onnx

        from voicemesh_tts.engines.piper.graph import split
    except ImportError:
        _logger.warning("voices are spoken whole, because the package onnx is not installed")
        return None
    try:
        halves = split(onnx.load(model, load_external_data=False))
    except Exception as error:  # a damaged file makes the library raise all sorts
        _logger.warning(
            "a voice is spoken whole, because it cannot be split",
            file=str(model),
            cause=str(error) or type(error).__name__,
        )
        return None
    facts = {HOP: halves.hop, BEFORE: halves.before, AFTER: halves.after}
    onnx.helper.set_model_props(halves.encoder, {name: str(fact) for name, fact in facts.items()})
    return halves


def _planes(halves: Halves, model: Path) -> ModelProto:
    from voicemesh_tts.engines.piper.planes import in_planes

    try:
        return in_planes(halves.decoder)
    except Exception as error:  # as with the splitting: what is odd about it may be anything
        cause = str(error) or type(error).__name__
        _logger.warning("a voice is decoded in one dimension", file=str(model), cause=cause)
        return halves.decoder


def _paths(directory: Path, name: str) -> tuple[Path, Path, Path]:
    """Where the encoder, the decoder, and the decoder in planes are kept."""
    encoder, decoder, planes = (
        directory / f"{name}.{part}.onnx" for part in ("encoder", "decoder", "planes")
    )
    return encoder, decoder, planes


def _name(model: Path) -> str:
    with model.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(_VERSION.encode())
    return f"{model.stem}-{digest.hexdigest()[:32]}"


def _directories(model: Path) -> Iterator[Path]:
    yield model.parent / _DIRECTORY
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification says that a relative path here must be ignored.
    base = Path(cache) if os.path.isabs(cache) else Path(os.path.expanduser("~")) / ".cache"
    yield base / "voicemesh" / "piper"


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
