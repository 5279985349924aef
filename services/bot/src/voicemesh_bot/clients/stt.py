"""Speech recognition by the stt service."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.domain import (
    Final,
    FinishTurn,
    ListeningEvent,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ("SttSpeechToText",)

_HELD = sdk.TurnDetection(complete_silence_s=10, unsure_silence_s=10, incomplete_silence_s=10)
"""The longest silence that stt allows inside a turn."""


class SttSpeechToText:
    """`ports.SpeechToText` over the SDK."""

    def __init__(self, client: sdk.SpeechToText, *, language_code: str = "") -> None:
        self._client = client
        self._options = sdk.TranscriptionOptions(language_code=language_code)

    async def listen(
        self,
        audio: AsyncIterable[bytes | FinishTurn],
        *,
        sample_rate_hertz: int,
        held: bool = False,
    ) -> AsyncGenerator[ListeningEvent, None]:
        """Turns of live speech, as the port says."""
        wanted = sdk.AudioFormat(sdk.AudioEncoding.PCM_S16LE, sample_rate_hertz, 1)
        turns = self._client.listen(
            _pieces(audio),
            format=wanted,
            options=self._options,
            turn_detection=_HELD if held else None,
        )
        async with aclosing(turns) as events:
            async for event in events:
                yield _event(event)


async def _pieces(
    audio: AsyncIterable[bytes | FinishTurn],
) -> AsyncGenerator[bytes | sdk.FinishTurn, None]:
    async for piece in audio:
        yield sdk.FinishTurn() if isinstance(piece, FinishTurn) else piece


def _event(event: sdk.TurnEvent) -> ListeningEvent:
    number = (event.turn_id, event.revision)
    if isinstance(event, sdk.SpeechStarted):
        return SpeechStarted(*number)
    if isinstance(event, sdk.Partial):
        return Partial(*number, stable=event.stable_text, unstable=event.unstable_text)
    if isinstance(event, sdk.SoftFinal):
        return SoftFinal(*number, text=event.text)
    if isinstance(event, sdk.TurnResumed):
        return TurnResumed(*number)
    return Final(*number, text=event.text, latency_s=event.latency_s)
