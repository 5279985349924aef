"""All connections of the bot, opened and closed together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.clients.readiness import HealthReadiness
from voicemesh_bot.clients.stt import SttSpeechToText
from voicemesh_bot.clients.trainer import TrainerLanguageModel
from voicemesh_bot.clients.tts import TtsTextToSpeech
from voicemesh_bot.domain import Backend
from voicemesh_bot.ports import Backends

if TYPE_CHECKING:
    from voicemesh_bot.settings import BackendSettings, BotSettings

__all__ = ("Connections",)


class Connections:
    """Clients of the three services. Connecting is gRPC's business: nobody need be there yet."""

    def __init__(self, settings: BotSettings) -> None:
        connections = {
            Backend.STT: _connection(settings.stt),
            Backend.TTS: _connection(settings.tts),
            Backend.TRAINER: _connection(settings.trainer),
        }
        self.readiness = HealthReadiness(connections)
        self._stt = sdk.SpeechToText(connections[Backend.STT])
        self._tts = sdk.TextToSpeech(connections[Backend.TTS])
        self._trainer = sdk.Trainer(connections[Backend.TRAINER])
        speech = settings.speech
        self.backends = Backends(
            stt=SttSpeechToText(self._stt, language_code=speech.language_code),
            tts=TtsTextToSpeech(
                self._tts, sample_rate_hertz=speech.sample_rate_hertz, voice=speech.voice
            ),
            model=TrainerLanguageModel(
                self._trainer, max_output_tokens=settings.conversation.max_output_tokens
            ),
        )

    async def aclose(self) -> None:
        """Ends all calls and connections."""
        async with AsyncExitStack() as stack:
            for client in (self._stt, self._tts, self._trainer, self.readiness):
                stack.push_async_callback(client.aclose)


def _connection(settings: BackendSettings) -> sdk.Connection:
    token = None if settings.token is None else settings.token.get_secret_value()
    tls = None
    if settings.tls is not None:
        tls = sdk.ClientTls(**settings.tls.model_dump())
    return sdk.Connection(settings.target, token=token, tls=tls, timeout_s=settings.timeout_s)
