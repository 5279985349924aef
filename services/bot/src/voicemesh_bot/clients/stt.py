"""Speech recognition by the stt service: of samples, or of Discord's packets as they are."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import voicemesh_client as sdk
from voicemesh_bot.domain import (
    Final,
    FinishTurn,
    ListeningEvent,
    OpusPacket,
    Partial,
    SoftFinal,
    SpeechStarted,
    TurnResumed,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

__all__ = ("SttSpeechToText",)

_OPUS_RATE_HERTZ = 48_000

_HELD = sdk.TurnDetection(complete_silence_s=10, unsure_silence_s=10, incomplete_silence_s=10)
"""The longest silence that stt allows inside a turn."""


class SttSpeechToText:
    """`ports.SpeechToText` over the SDK.

    Args:
        client: of the service; closed by whoever made it.
        language_code: BCP-47 code of what people speak where a call names none; empty leaves it to
            the service.
        min_speech_s: shortest voice that opens a turn, in seconds; None leaves it to the service.
        soft_stop_s: silence that makes a guess, in seconds; None leaves it to the service.
    """

    def __init__(
        self,
        client: sdk.SpeechToText,
        *,
        language_code: str = "",
        min_speech_s: float | None = None,
        soft_stop_s: float | None = None,
    ) -> None:
        self._client = client
        self._language_code = language_code
        self._turns = sdk.TurnDetection(min_speech_s=min_speech_s, soft_stop_s=soft_stop_s)

    async def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        """Turns of live speech, as the port says."""
        form = (
            sdk.AudioFormat(sdk.AudioEncoding.OPUS_PACKETS, _OPUS_RATE_HERTZ)
            if sample_rate_hertz is None
            else sdk.AudioFormat(sdk.AudioEncoding.PCM_S16LE, sample_rate_hertz, 1)
        )
        turns = self._client.listen(
            _pieces(audio),
            format=form,
            options=sdk.TranscriptionOptions(language_code=language_code or self._language_code),
            turn_detection=_HELD if held else self._turns,
        )
        async with aclosing(turns) as events:
            async for event in events:
                yield _event(event)


async def _pieces(
    audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
) -> AsyncGenerator[bytes | sdk.OpusPacket | sdk.FinishTurn, None]:
    async for piece in audio:
        if isinstance(piece, OpusPacket):
            yield sdk.OpusPacket(piece.data, piece.sequence, piece.rtp_timestamp)
        elif isinstance(piece, FinishTurn):
            yield sdk.FinishTurn()
        else:
            yield piece


def _event(event: sdk.TurnEvent) -> ListeningEvent:
    number = (event.turn_id, event.revision)
    if isinstance(event, sdk.SpeechStarted):
        return SpeechStarted(*number)
    if isinstance(event, sdk.Partial):
        return Partial(*number, stable=event.stable_text, unstable=event.unstable_text)
    if isinstance(event, sdk.SoftFinal):
        likely = event.end_of_turn_probability
        return SoftFinal(*number, text=event.text, end_of_turn_probability=likely)
    if isinstance(event, sdk.TurnResumed):
        return TurnResumed(*number)
    return Final(
        *number,
        text=event.text,
        latency_s=event.latency_s,
        speech_s=max(0.0, event.speech_end_s - event.speech_start_s),
        queue_s=event.timings.queue_s,
        recognition_s=event.timings.decode_s + event.timings.inference_s,
    )
