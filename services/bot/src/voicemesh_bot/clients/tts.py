"""A voice by the tts service."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.domain import VoiceAudio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ("TtsTextToSpeech",)


class TtsTextToSpeech:
    """`ports.TextToSpeech` over the SDK."""

    def __init__(
        self, client: sdk.TextToSpeech, *, sample_rate_hertz: int, voice: str = ""
    ) -> None:
        self._client = client
        self._sample_rate_hertz = sample_rate_hertz
        self._voice = voice

    async def speak(
        self, text: AsyncIterable[str], *, tenant: str = ""
    ) -> AsyncGenerator[VoiceAudio, None]:
        """The sound of a text while it is written, as the port says."""
        wanted = sdk.AudioFormat(sdk.AudioEncoding.PCM_S16LE, self._sample_rate_hertz, 1)
        options = sdk.SynthesisOptions(voice=self._voice, format=wanted, tenant=tenant)
        rate = self._sample_rate_hertz
        async with aclosing(self._client.speak(text, options=options)) as events:
            async for event in events:
                if isinstance(event, sdk.SynthesisStarted):
                    rate = event.format.sample_rate_hertz or rate
                elif isinstance(event, sdk.SpeechAudio) and event.audio:
                    yield VoiceAudio(
                        audio=event.audio,
                        sample_rate_hertz=rate,
                        duration_s=event.duration_s,
                        span=(event.span.start, event.span.end),
                        clause_end=event.clause_end,
                    )
