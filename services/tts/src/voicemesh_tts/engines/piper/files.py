"""Finds Piper voices: pairs of NAME.onnx and NAME.onnx.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_models import ModelState, ModelStore
from voicemesh_tts.domain import Gender, Voice
from voicemesh_tts.engines.piper.config import speakers_of
from voicemesh_tts.engines.piper.genders import gender_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ("PREFIX", "PiperFiles", "find_voices")

_logger = get_logger(__name__)

PREFIX = "piper-"
"""What catalogue names of Piper voices begin with; the rest is the voice's name."""

_PHONEME_TYPES = frozenset({"espeak", "text"})
"""What can be spoken without fetching anything further at run time."""

_LONGEST_LICENSE = 200


@dataclass(frozen=True)
class PiperFiles:
    """One voice as it lies on disk."""

    voice: Voice
    """What is known of it without loading it."""

    model: Path
    """The ONNX file."""

    config: Path
    """Its JSON file."""

    entry: str | None
    """Name in the model catalogue, if that is where it comes from."""

    speaker: int | None = None
    """Number of the speaker, if the id names one of several."""


def find_voices(store: ModelStore, directories: Sequence[Path]) -> dict[str, PiperFiles]:
    """Every usable voice by id: the installed ones of the catalogue, then those of directories.

    A file with several speakers gives a voice for the first of them, and one for each,
    `piper:NAME#SPEAKER`.
    A voice that cannot be read is left out and logged.
    """
    found: dict[str, PiperFiles] = {}
    for files in (*_of_catalogue(store), *_of_directories(directories)):
        found.setdefault(files.voice.id, files)
    return found


def _of_catalogue(store: ModelStore) -> Iterator[PiperFiles]:
    for name, model in store.catalogue.models.items():
        if model.engine == "piper" and store.state(name) is ModelState.INSTALLED:
            yield from _of_directory(store.root / name, model.licence, name)


def _of_directories(directories: Sequence[Path]) -> Iterator[PiperFiles]:
    for directory in directories:
        if not directory.is_dir():
            _logger.warning("a directory of voices is not there", directory=str(directory))
        yield from _of_directory(directory, "", None)


def _of_directory(directory: Path, license_name: str, entry: str | None) -> Iterator[PiperFiles]:
    models = sorted(directory.glob("*.onnx"))
    if not license_name and len(models) == 1:
        license_name = _license_of_card(directory)
    for model in models:
        config = model.with_name(model.name + ".json")
        try:
            content = json.loads(config.read_bytes())
            voice = _voice(model.stem, content, license_name)
            speakers = speakers_of(content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _logger.warning("not a Piper voice", file=str(model), cause=repr(error))
            continue
        if voice is None:
            continue
        files = PiperFiles(voice, model, config, entry)
        yield files
        for name, number in speakers.items():
            yield replace(files, voice=_spoken_by(voice, name), speaker=number)


def _voice(name: str, config: dict[str, object], license_name: str) -> Voice | None:
    phonemes = config.get("phoneme_type", "espeak")
    if phonemes not in _PHONEME_TYPES:
        _logger.warning("a voice needs phonemes that are not supported", phoneme_type=phonemes)
        return None
    audio, espeak, language = config["audio"], config["espeak"], config.get("language")
    if not (isinstance(audio, dict) and isinstance(espeak, dict)):
        msg = "audio and espeak are not objects"
        raise TypeError(msg)
    code = language.get("code") if isinstance(language, dict) else None
    # "en_US-joe-medium": language, speaker, quality, as the published voices are named.
    parts = name.split("-")
    speaker = parts[1] if len(parts) == 3 else name
    return Voice(
        id=f"piper:{name}",
        display_name=speaker.replace("_", " ").title(),
        language_codes=(_bcp47(str(code or espeak["voice"])),),
        sample_rate_hertz=int(audio["sample_rate"]),
        gender=gender_of(speaker),
        license=license_name,
        takes_phonemes=phonemes == "espeak",
        has_word_times=True,
    )


def _spoken_by(voice: Voice, speaker: str) -> Voice:
    gender = gender_of(speaker)
    return replace(
        voice,
        id=f"{voice.id}#{speaker}",
        display_name=f"{voice.display_name} ({speaker})",
        gender=voice.gender if gender is Gender.UNKNOWN else gender,
    )


def _bcp47(code: str) -> str:
    language, _, region = code.replace("_", "-").partition("-")
    return f"{language.lower()}-{region.upper()}" if len(region) == 2 else code


def _license_of_card(directory: Path) -> str:
    """The licence of the one voice of a directory, from the card that published voices have."""
    try:
        card = (directory / "MODEL_CARD").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(
        r"^[\s*-]*licen[cs]e:[ \t]*(\S.*?)[ \t]*$", card, re.IGNORECASE | re.MULTILINE
    )
    return found[1][:_LONGEST_LICENSE] if found else ""
