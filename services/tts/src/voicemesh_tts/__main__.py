"""Puts tts together and runs it; the command `voicemesh-tts`."""

from __future__ import annotations

from voicemesh_chassis import app
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service, StartupError
from voicemesh_models import ModelError, ModelStore, default_models_dir, load_catalogue
from voicemesh_tts.clauses import ClauseLimits
from voicemesh_tts.engines.piper import PiperEngine, PiperOptions
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.rpc.servicer import api
from voicemesh_tts.settings import TtsSettings
from voicemesh_tts.streaming import StreamLimits
from voicemesh_tts.studio import Studio, StudioLimits
from voicemesh_tts.turns import TurnLimits

__all__ = ("build", "main")


def build(settings: TtsSettings) -> Service:
    """The service; call it in the event loop that shall serve.

    Raises:
        StartupError: if the model catalogue cannot be read.
    """
    try:
        store = ModelStore(default_models_dir(), load_catalogue())
    except ModelError as error:
        raise StartupError(str(error)) from error
    registry = new_registry()
    engine = PiperEngine(store, PiperOptions(**dict(settings.piper)))
    studio = Studio([engine], settings.default_voice, limits(settings), TtsMetrics(registry))
    return Service(
        name="tts",
        apis=[api(studio)],
        start=studio.open,
        stop=studio.aclose,
        registry=registry,
    )


def limits(settings: TtsSettings) -> StudioLimits:
    """The bounds of calls that the settings give."""
    clauses = settings.clauses
    return StudioLimits(
        text_chars=settings.max_text_chars,
        audio_bytes=settings.server.max_message_bytes,
        opus_bitrate=settings.opus_bitrate,
        clauses=ClauseLimits(
            first_letters=clauses.first_clause_letters,
            first_words=clauses.first_clause_words,
            min_chars=clauses.min_sentence_chars,
            max_chars=clauses.max_clause_chars,
        ),
        stream=StreamLimits(**dict(settings.stream)),
        turns=TurnLimits(**dict(settings.queue)),
    )


def main() -> None:
    """Runs the service until SIGTERM or SIGINT."""
    app.main(TtsSettings, build)


if __name__ == "__main__":
    main()
