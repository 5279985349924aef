"""Puts tts together and runs it; the command `voicemesh-tts`."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from typing import TYPE_CHECKING

from voicemesh_chassis import app
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import ConfigurationError, Service, StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_models import ModelError, ModelStore, default_models_dir, load_catalogue
from voicemesh_tts.cloning.store import VoiceStore
from voicemesh_tts.cloning.workshop import CloningLimits, Workshop
from voicemesh_tts.dictionaries import Dictionaries
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.engines.kokoro import KokoroEngine, KokoroOptions
from voicemesh_tts.engines.piper import PiperEngine, PiperOptions
from voicemesh_tts.engines.silero import SileroSpeechDetector
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.rpc.servicer import api
from voicemesh_tts.settings import TtsSettings
from voicemesh_tts.streaming import StreamLimits
from voicemesh_tts.studio import Studio, StudioLimits
from voicemesh_tts.text.clauses import ClauseLimits
from voicemesh_tts.turns import TurnLimits

if TYPE_CHECKING:
    from voicemesh_tts.ports import VoiceEngine

__all__ = ("build", "main")

_SWITCH_S = 0.001


def build(settings: TtsSettings) -> Service:
    """The service; call it in the event loop that shall serve.

    Raises:
        StartupError: if the model catalogue cannot be read, or a package is missing.
    """
    try:
        store = ModelStore(default_models_dir(), load_catalogue())
    except ModelError as error:
        raise StartupError(str(error)) from error
    registry = new_registry()
    metrics = TtsMetrics(registry)
    kokoro, coqui = _kokoro(store, settings), _coqui(store, settings)
    engines: list[VoiceEngine] = [PiperEngine(store, PiperOptions(**dict(settings.piper)))]
    engines += [engine for engine in (kokoro, coqui) if engine is not None]
    mixers = [] if kokoro is None else [kokoro]
    studio = Studio(engines, settings.default_voice, limits(settings), metrics, mixers)
    detector = SileroSpeechDetector(store)
    workshop = None
    if coqui is not None and settings.data_dir is not None:
        cloned = VoiceStore(settings.data_dir)
        bounds = CloningLimits(**dict(settings.cloning))
        workshop = Workshop(coqui, detector, cloned, studio, bounds)

    async def start() -> None:
        await studio.open()
        if workshop is not None and coqui is not None:
            if await asyncio.to_thread(lambda: coqui.can_clone):
                await asyncio.to_thread(detector.check)
            await workshop.open()

    return Service(
        name="tts",
        apis=[api(studio, Dictionaries(settings.data_dir), workshop)],
        start=start,
        stop=studio.aclose,
        registry=registry,
        drain=studio.drain,
    )


def _kokoro(store: ModelStore, settings: TtsSettings) -> KokoroEngine | None:
    """The Kokoro engine, if its packages are installed."""
    if importlib.util.find_spec("onnxruntime") is None or importlib.util.find_spec("piper") is None:
        return None
    return KokoroEngine(store, KokoroOptions(**dict(settings.kokoro)))


def _coqui(store: ModelStore, settings: TtsSettings) -> CoquiEngine | None:
    """The coqui engine, if models of it are named.

    Raises:
        ConfigurationError: if they are, and its packages are not installed.
    """
    options = settings.coqui
    if not (options.models or options.model_dirs):
        return None
    if importlib.util.find_spec("TTS") is None or importlib.util.find_spec("torch") is None:
        msg = (
            "VOICEMESH_TTS_COQUI__MODELS or __MODEL_DIRS names models of coqui-tts, which is not "
            "installed; install it with `pip install 'voicemesh-tts[coqui]'` or unset them"
        )
        raise ConfigurationError(msg)
    return CoquiEngine(store.root / "coqui", CoquiOptions(**dict(options)))


def limits(settings: TtsSettings) -> StudioLimits:
    """The bounds of calls that the settings give."""
    clauses = settings.clauses
    return StudioLimits(
        text_chars=settings.max_text_chars,
        audio_bytes=settings.server.max_message_bytes,
        opus_bitrate=settings.opus_bitrate,
        cache_bytes=settings.cache_bytes,
        loudness_lufs=settings.loudness_lufs or None,
        clauses=ClauseLimits(
            first_letters=clauses.first_clause_letters,
            first_words=clauses.first_clause_words,
            min_chars=clauses.min_sentence_chars,
            max_chars=clauses.max_clause_chars,
        ),
        stream=StreamLimits(**dict(settings.stream)),
        turns=TurnLimits(**dict(settings.queue)),
        voices=ShelfLimits(**dict(settings.voices)),
    )


def main() -> None:
    """Runs the service until SIGTERM or SIGINT."""
    # A thread that reads a long text holds up the event loop for this long at each step of it; the
    # default, 5 ms, adds up to what a listener would notice.
    sys.setswitchinterval(_SWITCH_S)
    app.main(TtsSettings, build)


if __name__ == "__main__":
    main()
