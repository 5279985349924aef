"""The coqui engine: `ports.VoiceEngine` and `ports.VoiceCloner` over the models that are set up."""

from __future__ import annotations

import gc
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_tts.engines.coqui.installed import CPML, CoquiFiles, find_models
from voicemesh_tts.engines.coqui.latents import Latents
from voicemesh_tts.engines.coqui.library import chosen_device, prepare
from voicemesh_tts.engines.coqui.published import Published, cpml_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from voicemesh_tts.domain import Utterance, Voice
    from voicemesh_tts.engines.coqui.options import CoquiModel, CoquiOptions
    from voicemesh_tts.engines.coqui.xtts import XttsModel
    from voicemesh_tts.ports import Piece, Samples

__all__ = ("CoquiEngine",)

_logger = get_logger(__name__)


@dataclass(frozen=True)
class _Clone:
    voice: Voice
    directory: Path
    model: str
    """Name of the model that made it, which alone can speak with it."""


class CoquiEngine:
    """Published models, models of one's own, and voices cloned with XTTS.

    Voices of one model share it: it is loaded with the first of them and given back with the last.
    """

    name = "coqui"

    def __init__(self, home: Path, options: CoquiOptions) -> None:
        """Reads nothing yet.

        Args:
            home: where published models lie unless the options say otherwise.
            options: which models there are and how they run.
        """
        self._options = options
        self._published = Published(
            options.models,
            options.home or home,
            download=options.download,
            accept_cpml=options.accept_cpml,
        )
        self._lock = threading.RLock()
        self._gates: dict[str, threading.Lock] = {}
        self._found: dict[str, CoquiFiles] | None = None
        self._models: dict[str, CoquiModel] = {}
        self._users: dict[str, set[str]] = {}
        self._clones: dict[str, _Clone] = {}
        self._latents: dict[str, Latents] = {}

    @property
    def can_clone(self) -> bool:
        """Whether there is an XTTS model to clone with. Reads files the first time."""
        return self._cloner() is not None

    def voices(self) -> Sequence[Voice]:
        """The voices of the models that are here, and the cloned ones that were added."""
        models = [files for files in list(self._all().values()) if self._is_allowed(files)]
        own = [voice for files in models for voice in files.voices.values()]
        return [*own, *(clone.voice for clone in list(self._clones.values()))]

    def is_loaded(self, voice: str) -> bool:
        """Whether the voice is in memory."""
        name = self._model_name(voice)
        return voice in self._users.get(name, ())

    def load(self, voice: str) -> None:
        """Loads the voice's model."""
        self._model(voice)

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        """The sound of the utterance, piece by piece."""
        voice = utterance.voice
        model = self._model(voice)
        clone = self._clones.get(voice)
        if clone is None:
            speaker = self._files(voice).speakers.get(voice, "")
            yield from model.speak(utterance, speaker)
            return
        cloner = cast("XttsModel", model)  # `_files` lets clones have no other kind
        language = utterance.language_code or next(iter(clone.voice.language_codes), "")
        latents = self._latents.get(voice) or Latents.load(clone.directory)
        yield from cloner.speak_as(replace(utterance, language_code=language), latents)

    def unload(self, voice: str) -> None:
        """Gives back a voice, and its model if no other voice of it is loaded."""
        self._latents.pop(voice, None)
        self._leave(self._model_name(voice), voice)

    def memory_bytes(self, voice: str) -> int:
        """The voice's share of its model's weights."""
        name = self._model_name(voice)
        model, users = self._models.get(name), self._users.get(name, set())
        return model.memory_bytes // len(users) if model and voice in users else 0

    def close(self) -> None:
        """Gives back all models."""
        with self._lock:
            self._models.clear()
            self._users.clear()

    def pattern(self) -> Voice:
        """What a cloned voice is like."""
        return self._require_cloner().pattern

    def create(self, reference: Samples, directory: Path) -> None:
        """Works out what XTTS needs of a recording, and writes it into a directory."""
        files = self._require_cloner()
        user = f"cloning with {files.name}"
        model = cast("XttsModel", self._opened(files, user))
        try:
            model.clone(reference).save(directory)
        finally:
            self._leave(files.name, user)

    def add(self, voice: Voice, directory: Path) -> None:
        """Makes a cloned voice known.

        Raises:
            StartupError: if its files cannot be read.
        """
        made = Latents.load(directory)
        self._clones[voice.id] = _Clone(voice, directory, made.model)

    def remove(self, voice: str) -> None:
        """Forgets a cloned voice."""
        self.unload(voice)
        self._clones.pop(voice, None)

    def _all(self) -> dict[str, CoquiFiles]:
        with self._lock:
            if self._found is None:
                here = [*self._published.find(), *find_models(self._options.model_dirs)]
                self._found = {}
                for files in here:
                    self._found.setdefault(files.name, files)
                    if not self._is_allowed(files):
                        _logger.warning("a coqui model is left out", cause=cpml_needed(files.name))
            return self._found

    def _is_allowed(self, files: CoquiFiles) -> bool:
        return self._options.accept_cpml or files.pattern.license != CPML

    def _cloner(self) -> CoquiFiles | None:
        wanted = self._options.cloning_model.removeprefix("coqui:")
        for files in list(self._all().values()):
            if files.kind == "xtts" and self._is_allowed(files) and wanted in {"", files.name}:
                return files
        return None

    def _require_cloner(self) -> CoquiFiles:
        files = self._cloner()
        if files is None:
            msg = (
                "no XTTS model is set up to clone with; name one in VOICEMESH_TTS_COQUI__MODELS "
                "(tts_models/multilingual/multi-dataset/xtts_v2) and accept its licence"
            )
            raise ConfigurationError(msg)
        return files

    def _model_name(self, voice: str) -> str:
        clone = self._clones.get(voice)
        if clone is not None:
            return clone.model
        return voice.partition(":")[2].partition("#")[0]

    def _files(self, voice: str) -> CoquiFiles:
        """The model of a voice.

        Raises:
            StartupError: if it is not here and cannot be fetched, or is not to be used.
        """
        name = self._model_name(voice)
        files = self._all().get(name)
        if files is None and name in self._published.names:
            with self._gate(name):
                files = self._all()[name] = self._published.get(name)
        if files is None or (voice not in files.voices and voice not in self._clones):
            msg = (
                f"there is no coqui voice {voice.partition(':')[2]!r}; name its model in "
                "VOICEMESH_TTS_COQUI__MODELS or its directory in VOICEMESH_TTS_COQUI__MODEL_DIRS"
            )
            raise ConfigurationError(msg)
        if not self._is_allowed(files):
            raise ConfigurationError(cpml_needed(name))
        if voice in self._clones and files.kind != "xtts":
            msg = f"the coqui model {name} is not the XTTS model that {voice!r} was cloned with"
            raise StartupError(msg)
        return files

    def _model(self, voice: str) -> CoquiModel:
        """The model of a voice, loaded if need be; the voice counts as loaded from now on."""
        name = self._model_name(voice)
        model = self._models.get(name)
        if model is None or voice not in self._users.get(name, ()):
            model = self._opened(self._files(voice), voice)
            clone = self._clones.get(voice)
            if clone is not None:
                self._latents[voice] = Latents.load(clone.directory)
        return model

    def _opened(self, files: CoquiFiles, user: str) -> CoquiModel:
        """A model in memory, which stays there until all its users have left it."""
        with self._gate(files.name):
            model = self._models.get(files.name) or self._open(files)
            with self._lock:
                self._models[files.name] = model
                self._users[files.name] = self._users.get(files.name, set()) | {user}
            return model

    def _leave(self, name: str, user: str) -> None:
        with self._gate(name), self._lock:
            users = self._users[name] = self._users.get(name, set()) - {user}
            if users:
                return
            self._users.pop(name)
            if self._models.pop(name, None) is None:
                return
        gc.collect()  # models have references to themselves
        _empty_gpu()

    def _gate(self, name: str) -> threading.Lock:
        """Held while a model is loaded or given back; others are not held up by it."""
        with self._lock:
            return self._gates.setdefault(name, threading.Lock())

    def _open(self, files: CoquiFiles) -> CoquiModel:
        prepare(self._options.threads)
        device = chosen_device(self._options.device)
        _logger.info("loading a coqui model", model=files.name, device=str(device))
        if files.kind == "xtts":
            from voicemesh_tts.engines.coqui.xtts import XttsModel

            return XttsModel(files, self._options, device)
        if files.kind == "vits":
            from voicemesh_tts.engines.coqui.vits import VitsModel

            return VitsModel(files, self._options, device)
        from voicemesh_tts.engines.coqui.spectrogram import SpectrogramModel

        return SpectrogramModel(files, self._published.vocoder(files.name), device)


def _empty_gpu() -> None:
    """Gives memory of the GPU back to the system, if there is one."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
