"""From settings to loaded models; whatever is missing becomes one sentence."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelError, ModelStore, default_models_dir, load_catalogue
from voicemesh_stt.engines.silero import SileroModel
from voicemesh_stt.engines.whisper import WhisperEngine, WhisperPlace

if TYPE_CHECKING:
    from voicemesh_stt.settings import SttSettings

__all__ = ("LoadedModels", "load_models")

_VOICE_MODEL = "silero-vad"
_VOICE_FILE = "silero_vad_16k_op15.onnx"
_NEEDED_FILES = ("model.bin", "config.json", "tokenizer.json")


@dataclass(frozen=True)
class LoadedModels:
    """What the service works with."""

    engine: WhisperEngine
    """Words."""
    voices: SileroModel
    """Voice activity."""


def load_models(settings: SttSettings) -> LoadedModels:
    """Loads and warms both models; blocks for as long as that takes.

    Raises:
        StartupError: saying what is missing or damaged, and how to mend it.
    """
    try:
        catalogue = load_catalogue()
        store = ModelStore(settings.models_dir or default_models_dir(), catalogue)
        named = [] if os.sep in settings.model else [settings.model]
        store.require_all([*named, _VOICE_MODEL])
        place = _place(settings, store)
        voices = SileroModel(store.require(_VOICE_MODEL) / _VOICE_FILE)
    except ModelError as error:
        raise StartupError(str(error)) from error
    try:
        engine = WhisperEngine(place)
        engine.warm()
    except (RuntimeError, ValueError) as error:
        msg = (
            f"model {place.name} in {place.directory} cannot be loaded on device "
            f"{settings.device!r} as {settings.compute_type!r}: {error}"
        )
        raise StartupError(msg) from error
    return LoadedModels(engine, voices)


def _place(settings: SttSettings, store: ModelStore) -> WhisperPlace:
    if os.sep in settings.model:
        directory = Path(settings.model).expanduser().absolute()
        name, licence = directory.name, "unknown"
        _check_directory(directory)
    else:
        name = settings.model
        directory = store.require(name)
        model = store.catalogue.get(name)
        licence = model.licence
        if model.engine != "faster-whisper":
            msg = (
                f"VOICEMESH_STT_MODEL = {name!r} is a model for {model.kind}, not for speech; "
                "name a Whisper model, such as whisper-tiny.en"
            )
            raise ConfigurationError(msg)
    return WhisperPlace(
        name, directory, licence, settings.device, settings.compute_type, settings.threads
    )


def _check_directory(directory: Path) -> None:
    for file in _NEEDED_FILES:
        if not (directory / file).is_file():
            msg = (
                f"VOICEMESH_STT_MODEL = {directory} holds no {file}; name the directory of a "
                "CTranslate2 Whisper model, or a model of the catalogue"
            )
            raise ConfigurationError(msg)
