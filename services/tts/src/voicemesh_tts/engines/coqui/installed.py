"""Finds coqui models on disk: directories with config.json and a checkpoint. Needs no torch."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.logs import get_logger
from voicemesh_tts.domain import Voice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("CPML", "CoquiFiles", "checkpoint_of", "find_models", "read_model")

_logger = get_logger(__name__)

CPML = "CPML"
"""Licence of XTTS and of what is tuned from it: no commercial use."""

_CONFIG = "config.json"
_CHECKPOINTS = (
    "model.pth",
    "model_file.pth",
    "model_file.pth.tar",
    "checkpoint.pth",
    "best_model.pth",
)
_NOT_CHECKPOINTS = ("speaker", "language", "model_se", "dvae", "mel_stats", "voices")
_COMMENTS = re.compile(r"(\"(?:[^\"\\]|\\.)*\")|(/\*.*?\*/|//[^\n]*)", re.DOTALL)


@dataclass(frozen=True)
class CoquiFiles:
    """One model as it lies on disk."""

    name: str
    """What ids call it, without `coqui:`."""

    kind: str
    """What it is: `vits`, `xtts`, or another of coqui's models."""

    directory: Path
    """Where its files are."""

    config: Path
    """Its config.json."""

    checkpoint: Path
    """Its weights."""

    pattern: Voice
    """What its voices have in common: languages, rate, licence, capabilities."""

    voices: Mapping[str, Voice]
    """Its voices by id, one for each speaker; none if it can only clone."""

    speakers: Mapping[str, str]
    """The model's own names of the speakers, by id; empty if it has one only."""


def find_models(directories: Sequence[Path]) -> list[CoquiFiles]:
    """The models in directories, or one level below them; what is none is logged."""
    found: dict[str, CoquiFiles] = {}
    for directory in directories:
        if not directory.is_dir():
            _logger.warning("a directory of coqui models is not there", directory=str(directory))
        for place in (directory, *sorted(each for each in directory.glob("*") if each.is_dir())):
            if not (place / _CONFIG).is_file():
                continue
            try:
                files = read_model(place.resolve().name, place)
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                _logger.warning("not a coqui model", directory=str(place), cause=repr(error))
                continue
            found.setdefault(files.name, files)
    return list(found.values())


def read_model(
    name: str, directory: Path, license_name: str = "", language: str = ""
) -> CoquiFiles:
    """What the files of a model say.

    Args:
        name: what ids call it; blanks become `_`.
        directory: where its files are.
        license_name: its licence, if it is known.
        language: its language, if its own files do not say it.

    Raises:
        OSError: if a file cannot be read.
        ValueError: if there is no checkpoint, or a file is not what it should be.
    """
    config = _config(directory / _CONFIG)
    kind = str(config["model"]).lower()
    audio = config["audio"]
    name = _slug(name)
    voice = Voice(
        id=f"coqui:{name}",
        display_name=_display(name),
        language_codes=tuple(_bcp47(code) for code in _languages(config, language)),
        sample_rate_hertz=int(audio.get("output_sample_rate") or audio["sample_rate"]),
        license=license_name or (CPML if kind == "xtts" else ""),
        takes_phonemes=kind == "vits" and bool(config.get("use_phonemes")),
        has_word_times=kind == "vits",
    )
    speakers = _speakers(config, kind, directory)
    can_speak = kind != "xtts" or bool(speakers)
    voices, named = _voices(voice, speakers) if can_speak else ({}, {})
    return CoquiFiles(
        name=name,
        kind=kind,
        directory=directory,
        config=directory / _CONFIG,
        checkpoint=checkpoint_of(directory),
        pattern=voice,
        voices=voices,
        speakers=named,
    )


def _config(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    try:
        config = json.loads(text)
    except json.JSONDecodeError:
        # Models of 2021 have comments in theirs.
        config = json.loads(_COMMENTS.sub(lambda match: match[1] or "", text))
    if not isinstance(config, dict):
        msg = f"{_CONFIG} is not an object"
        raise TypeError(msg)
    return config


def checkpoint_of(directory: Path) -> Path:
    """The file of weights in a directory.

    Raises:
        ValueError: if there is none, or more than one and none by a usual name.
    """
    for name in _CHECKPOINTS:
        if (directory / name).is_file():
            return directory / name
    others = [
        path
        for path in sorted(directory.glob("*.pth*"))
        if not path.name.startswith(_NOT_CHECKPOINTS)
    ]
    if len(others) != 1:
        msg = f"{len(others)} checkpoints; call the one that counts model.pth"
        raise ValueError(msg)
    return others[0]


def _languages(config: dict[str, Any], known: str) -> list[str]:
    named = [str(code) for code in config.get("languages") or ()]
    named += [str(dataset.get("language") or "") for dataset in config.get("datasets") or ()]
    found = list(dict.fromkeys(code for code in named if code))
    return found or [known or str(config.get("phoneme_language") or "en")]


def _speakers(config: dict[str, Any], kind: str, directory: Path) -> list[str]:
    """The names of the speakers in the model's own order; none if there is nothing to choose."""
    if kind == "xtts":
        path = directory / "speakers_xtts.pth"
        return [str(name) for name in _unpickled(path)] if path.is_file() else []
    arguments = config.get("model_args") or {}

    def of_both(field: str) -> Any:
        return arguments.get(field) or config.get(field)

    if of_both("use_d_vector_file"):
        table = _table(directory, of_both("d_vector_file"), ("speakers.json", "speakers.pth"))
        return sorted({str(entry["name"]) for entry in table.values()})
    if not of_both("use_speaker_embedding"):
        return []
    if config.get("speakers"):
        return [str(name) for name in config["speakers"]]
    named = of_both("speakers_file") or of_both("speaker_file")
    table = _table(directory, named, ("speaker_ids.json", "speaker_ids.pth", "speakers.json"))
    return [str(name) for name in table]


def _table(directory: Path, named: Any, usual: tuple[str, ...]) -> dict[str, Any]:
    """The file of speakers: where the config says, beside the config, or by its usual name."""
    first = named[0] if isinstance(named, list) and named else named
    candidates = [directory / name for name in usual]
    if isinstance(first, str) and first:
        candidates[:0] = [Path(first), directory / Path(first).name]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        msg = f"no file of speakers ({', '.join(usual)})"
        raise ValueError(msg)
    table = json.loads(path.read_bytes()) if path.suffix == ".json" else _unpickled(path)
    if not isinstance(table, dict):
        msg = f"{path.name} is not a table"
        raise TypeError(msg)
    return table


def _unpickled(path: Path) -> dict[str, Any]:
    """A table that torch wrote; only tensors and plain values are let in."""
    try:
        import torch

        table: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (ImportError, pickle.UnpicklingError, RuntimeError) as error:
        msg = f"{path.name} cannot be read ({type(error).__name__})"
        raise ValueError(msg) from error
    return table


def _voices(voice: Voice, speakers: list[str]) -> tuple[dict[str, Voice], dict[str, str]]:
    """A voice for each speaker, and one without a speaker's name that is the first of them."""
    if len(speakers) < 2:
        return {voice.id: voice}, dict.fromkeys([voice.id][: len(speakers)], "".join(speakers))
    voices, named = {voice.id: voice}, {voice.id: speakers[0]}
    for speaker in speakers:
        id_ = f"{voice.id}#{_slug(speaker)}"
        shown = f"{voice.display_name} {' '.join(speaker.split())}"
        voices[id_] = replace(voice, id=id_, display_name=shown)
        named[id_] = speaker
    return voices, named


def _slug(name: str) -> str:
    """A name as it can stand in an id: ids have no blanks."""
    return "_".join(name.split())


def _display(name: str) -> str:
    # "tts_models/en/ljspeech/vits": type, language, data set, architecture.
    parts = name.split("/")
    plain = parts[2] if len(parts) == 4 else name
    return plain.replace("_", " ").replace("-", " ").title()


def _bcp47(code: str) -> str:
    language, _, region = code.replace("_", "-").partition("-")
    return f"{language.lower()}-{region.upper()}" if len(region) == 2 else code.lower()
