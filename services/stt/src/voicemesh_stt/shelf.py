"""Which models are loaded, and by which name requests reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.errors import UnavailableError
from voicemesh_stt.errors import UnknownModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_stt.domain import SpeechModel
    from voicemesh_stt.ports import VoiceDetector

__all__ = ("Shelf",)


class Shelf:
    """Empty until the start has loaded something."""

    def __init__(self) -> None:
        self._models: dict[str, SpeechModel] = {}
        self._new_detector: Callable[[], VoiceDetector] | None = None

    def place(self, model: SpeechModel, new_detector: Callable[[], VoiceDetector]) -> None:
        """Puts a loaded model, and what makes voice detectors, on the shelf."""
        self._models[model.name] = model
        self._new_detector = new_detector

    def models(self) -> tuple[SpeechModel, ...]:
        """All models, by name."""
        return tuple(self._models[name] for name in sorted(self._models))

    def find(self, name: str, *, field: str) -> SpeechModel:
        """The model of that name; the default one if it is empty.

        Raises:
            UnknownModelError: naming `field`, if there is none.
            UnavailableError: if nothing is loaded yet.
        """
        if not self._models:
            msg = "no model is loaded yet"
            raise UnavailableError(msg)
        if not name:
            return next(model for model in self._models.values() if model.is_default)
        if name not in self._models:
            raise UnknownModelError(name, tuple(self._models), field=field)
        return self._models[name]

    def detector(self) -> VoiceDetector:
        """A voice detector for one stream.

        Raises:
            UnavailableError: if nothing is loaded yet.
        """
        if self._new_detector is None:
            msg = "no voice detector is loaded yet"
            raise UnavailableError(msg)
        return self._new_detector()
