"""Which models the services will ask for, by their settings.

Read here rather than by the services' settings classes for the same reason as in `programs`. What
cannot be told from here, such as a voice in a directory of one's own, is left to the service.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ("NeededModel", "needed_models")

_WHISPER = "whisper-tiny.en"
_VOICE_ACTIVITY = "silero-vad"
_VOICE = "piper:en_US-joe-medium"
_LANGUAGE_MODEL = "gemma-3-270m"
_PIPER = "piper:"


@dataclass(frozen=True)
class NeededModel:
    """A model that a service does not start without."""

    name: str
    """Its name; one that the catalogue does not have is for the service to explain."""

    root: Path | None = None
    """Its model directory; None is the usual one."""


def needed_models(environ: Mapping[str, str]) -> tuple[NeededModel, ...]:
    """The models of stt, tts and trainer under these variables."""
    return (*_of_stt(environ), *_of_tts(environ), *_of_trainer(environ))


def _of_stt(environ: Mapping[str, str]) -> Iterator[NeededModel]:
    own = environ.get("VOICEMESH_STT_MODELS_DIR")
    root = Path(own).absolute() if own else None
    model = environ.get("VOICEMESH_STT_MODEL") or _WHISPER
    if os.sep not in model:  # else it is a directory
        yield NeededModel(model, root)
    yield NeededModel(_VOICE_ACTIVITY, root)


def _of_tts(environ: Mapping[str, str]) -> Iterator[NeededModel]:
    voice = environ.get("VOICEMESH_TTS_DEFAULT_VOICE") or _VOICE
    # A directory of the person's own may hold any voice, also one of the catalogue.
    if voice.startswith(_PIPER) and not environ.get("VOICEMESH_TTS_PIPER__VOICE_DIRS"):
        yield NeededModel(f"piper-{voice.removeprefix(_PIPER)}")


def _of_trainer(environ: Mapping[str, str]) -> Iterator[NeededModel]:
    backend = (environ.get("VOICEMESH_TRAINER_BACKEND") or "auto").lower()
    if backend == "auto":
        remote = environ.get("OPENAI_API_KEY") or environ.get("OPENAI_BASE_URL")
        backend = "openai" if remote else "local"
    if backend == "local" and not environ.get("VOICEMESH_TRAINER_LOCAL__MODEL_FILE"):
        yield NeededModel(environ.get("VOICEMESH_TRAINER_LOCAL__MODEL") or _LANGUAGE_MODEL)
