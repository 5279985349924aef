"""From settings to models; whatever is missing becomes one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import (
    ModelError,
    ModelMissingError,
    ModelStore,
    default_models_dir,
    load_catalogue,
)
from voicemesh_models.silero import SILERO_FILE, SILERO_MODEL, SileroModel
from voicemesh_stt.engines.library import WhisperLibrary, is_installed
from voicemesh_stt.engines.smart_turn import SmartTurnModel

if TYPE_CHECKING:
    from voicemesh_stt.settings import SttSettings

__all__ = ("OpenedModels", "open_models")

_logger = get_logger(__name__)

_END_OF_TURN_KIND = "end-of-turn"
_NO_MODEL = "none"
"""An empty variable means the default, so that off needs a word."""


@dataclass(frozen=True)
class OpenedModels:
    """What the service works with."""

    library: WhisperLibrary
    """Words: what may be loaded."""
    voices: SileroModel
    """Voice activity, loaded."""
    end_of_turn: SmartTurnModel | None
    """The end of turns, loaded; None if timing alone is to decide."""


def open_models(settings: SttSettings) -> OpenedModels:
    """Finds the speech models and loads the small ones; blocks for as long as that takes.

    Raises:
        StartupError: saying what is missing or damaged, and how to mend it.
    """
    try:
        store = ModelStore(settings.models_dir or default_models_dir(), load_catalogue())
        library = WhisperLibrary(settings, store)
        _check_pulled(store, (*library.pinned, SILERO_MODEL))
        voices = SileroModel(store.require(SILERO_MODEL) / SILERO_FILE)
        return OpenedModels(library, voices, _end_of_turn(settings.end_of_turn_model, store))
    except ModelError as error:
        raise StartupError(str(error)) from error


def _check_pulled(store: ModelStore, names: tuple[str, ...]) -> None:
    """One error names all that are missing, so that one pull is enough."""
    models = [store.catalogue.get(name) for name in names]
    missing = [model.name for model in models if not is_installed(model, store.root)]
    if missing:
        raise ModelMissingError(missing, store.root)


def _end_of_turn(name: str, store: ModelStore) -> SmartTurnModel | None:
    """The model that judges turns, if there is to be one and it was pulled."""
    if name == _NO_MODEL:
        return None
    model = store.catalogue.get(name)
    if model.kind != _END_OF_TURN_KIND:
        msg = (
            f"VOICEMESH_STT_END_OF_TURN_MODEL = {name!r} is a model for {model.kind}; name one for "
            f"{_END_OF_TURN_KIND}, or `none`"
        )
        raise ConfigurationError(msg)
    try:
        directory = store.require(name)
    except ModelMissingError as error:
        _logger.warning("timing alone decides when a turn is over", cause=str(error))
        return None
    file = next(file.path for file in model.files if file.path.endswith(".onnx"))
    return SmartTurnModel(directory / file)
