"""Sending to a caller who may read slowly, but not never."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from voicemesh_tts.errors import StreamIdleError

if TYPE_CHECKING:
    import grpc.aio

    from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb

__all__ = ("Outlet",)


class Outlet:
    """Sends the messages of one stream. For one task.

    gRPC does not say what a caller has read; it holds up a write, and lets go when some MiB have
    been read. One who reads no faster than the speech plays is held up for as long as those MiB
    play, so time counts as idle only from when everything sent would have been heard.
    """

    def __init__(self, context: grpc.aio.ServicerContext[Any, Any], idle_timeout_s: float) -> None:
        """Takes the call and the longest time, in seconds, without progress."""
        self._context = context
        self._idle_timeout_s = idle_timeout_s
        self._heard_at = 0.0  # of the loop's clock: when a caller who listens has heard it all

    async def send(self, response: pb.StreamSynthesizeResponse) -> None:
        """Sends a message.

        Raises:
            StreamIdleError: if the caller takes nothing for too long.
        """
        self._heard_at = max(self._heard_at, asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout_at(self._heard_at + self._idle_timeout_s):
                await self._context.write(response)
        except TimeoutError as error:
            msg = f"the caller took nothing for {self._idle_timeout_s:g} s"
            raise StreamIdleError(msg) from error
        self._heard_at += response.audio.audio_duration.ToNanoseconds() / 1e9
