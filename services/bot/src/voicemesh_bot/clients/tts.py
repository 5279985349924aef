"""A voice by the tts service: samples for the console, Opus packets for Discord."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.domain import VoiceAudio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ("TtsTextToSpeech", "TtsVoices")

_OPUS_RATE_HERTZ = 48_000


class TtsVoices:
    """`ports.VoiceCatalogue` over the SDK."""

    def __init__(self, client: sdk.TextToSpeech) -> None:
        """Ask `client`, which is closed by whoever made it."""
        self._client = client

    async def voice_ids(self, *, tenant: str) -> tuple[str, ...]:
        """Ids of voices, as the port says."""
        return tuple(voice.id for voice in await self._client.voices(tenant=tenant))


class TtsTextToSpeech:
    """`ports.TextToSpeech` over the SDK.

    Args:
        client: of the service; closed by whoever made it.
        sample_rate_hertz: of the samples, 8000 to 48000; None for bare Opus packets of 20 ms, which
            are one channel at 48 kHz and need no further encoding to be sent on.
        voice: id of the voice where a call names none; empty for the service's default.
    """

    def __init__(
        self, client: sdk.TextToSpeech, *, sample_rate_hertz: int | None, voice: str = ""
    ) -> None:
        self._client = client
        self._voice = voice
        # No leading silence: only the player knows how much the listeners still need.
        self._format = (
            sdk.AudioFormat(sdk.AudioEncoding.OPUS_PACKETS, _OPUS_RATE_HERTZ, 1)
            if sample_rate_hertz is None
            else sdk.AudioFormat(sdk.AudioEncoding.PCM_S16LE, sample_rate_hertz, 1)
        )

    async def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        """The sound of a text while it is written, as the port says."""
        options = sdk.SynthesisOptions(
            voice=voice or self._voice,
            language_code=language_code,
            format=self._format,
            tenant=tenant,
            word_timings=True,  # What was heard of a clause that is cut; costs nothing to know.
        )
        rate = self._format.sample_rate_hertz
        async with aclosing(self._client.speak(text, options=options)) as events:
            async for event in events:
                if isinstance(event, sdk.SynthesisStarted):
                    rate = event.format.sample_rate_hertz or rate
                elif isinstance(event, sdk.SpeechAudio) and (event.audio or event.packets):
                    yield VoiceAudio(
                        audio=event.audio,
                        sample_rate_hertz=rate,
                        duration_s=event.duration_s,
                        span=(event.span.start, event.span.end),
                        clause_end=event.clause_end,
                        packets=tuple(packet.data for packet in event.packets),
                        word_ends=tuple((word.end_s, word.span.end) for word in event.words),
                    )
