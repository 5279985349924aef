"""All connections of the bot, opened and closed together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.clients.readiness import HealthReadiness
from voicemesh_bot.clients.stt import SttSpeechToText
from voicemesh_bot.clients.trainer import TrainerLanguageModel
from voicemesh_bot.clients.tts import TtsTextToSpeech, TtsVoices
from voicemesh_bot.domain import Backend
from voicemesh_bot.ports import Backends

if TYPE_CHECKING:
    from voicemesh_bot.settings import BackendSettings, BotSettings

__all__ = ("NOTICED_S", "Connections")

NOTICED_S = 0.096
"""Speech on Discord after which somebody is noticed, in seconds: three of the recogniser's frames.
Microphones there are gated, so there is less noise to be taken for a voice."""

_SOFT_STOP_S = 0.064
"""Silence on Discord after which an answer is begun on a guess, in seconds: two of the recogniser's
frames, so that words, answer and voice are there when the turn is over. stt cannot know how long
the last two take."""


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
        self.packet_backends = replace(
            self.backends,
            stt=SttSpeechToText(
                self._stt,
                language_code=speech.language_code,
                min_speech_s=NOTICED_S,
                soft_stop_s=_SOFT_STOP_S,
            ),
            tts=TtsTextToSpeech(self._tts, sample_rate_hertz=None, voice=speech.voice),
        )
        """The same for Discord: the voice makes Opus packets, and who speaks is noticed sooner."""

        self.voices = TtsVoices(self._tts)

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
