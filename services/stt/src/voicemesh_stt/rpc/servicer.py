"""The rpcs of `voicemesh.stt.v1.SpeechToTextService`; translation only."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc
from voicemesh_chassis.deadlines import remaining_s
from voicemesh_chassis.errors import InvalidArgumentError, UnimplementedError
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_chassis.service import Api
from voicemesh_stt.errors import (
    JobExpiredError,
    MessageOrderError,
    StreamIdleError,
    UnreadableAudioError,
)
from voicemesh_stt.live_stream import LiveConfig, LiveStreams
from voicemesh_stt.recordings import Recording, Recordings
from voicemesh_stt.rpc.convert import event_message, model_message, transcript_message
from voicemesh_stt.rpc.incoming import config_of, live_items
from voicemesh_stt.rpc.parsing import (
    live_format,
    recognition_options,
    recording_format,
    turn_detection,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import grpc.aio

    from voicemesh_stt.domain import SpeechModel, TurnDetection
    from voicemesh_stt.shelf import Shelf

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ("WEIGHTS", "RpcDefaults", "SpeechToTextServicer", "api")

_NAME = pb.DESCRIPTOR.services_by_name["SpeechToTextService"].full_name
_RECORDING_WEIGHT = 4
"""A recording may hold as much memory as many live streams."""
_PAGES = PageLimits(default=50, largest=100)

WEIGHTS = {
    f"/{_NAME}/Transcribe": _RECORDING_WEIGHT,
    f"/{_NAME}/StreamTranscribe": 1,
    f"/{_NAME}/ListModels": 0,
}
"""Admission weight of each rpc."""


@dataclass(frozen=True)
class RpcDefaults:
    """What holds where a request is silent."""

    beam_size: int
    """Width of the beam search."""
    detection: TurnDetection
    """Turn detection."""
    recording_timeout_s: float
    """Longest time for one recording, in seconds."""
    idle_timeout_s: float
    """Longest time until a stream's config, in seconds."""


class SpeechToTextServicer(pb_grpc.SpeechToTextServiceServicer):
    """Serves the contract; see the protos for what each rpc promises."""

    def __init__(
        self,
        shelf: Shelf,
        recordings: Recordings,
        streams: LiveStreams,
        defaults: RpcDefaults,
        recording_heard: Callable[[float], None],
    ) -> None:
        """Makes a servicer.

        Args:
            shelf: the models.
            recordings: transcribes whole recordings.
            streams: opens live streams.
            defaults: what holds where a request is silent.
            recording_heard: told the seconds of each recording transcribed.
        """
        self._shelf = shelf
        self._recordings = recordings
        self._streams = streams
        self._defaults = defaults
        self._recording_heard = recording_heard

    async def Transcribe(  # noqa: N802 - the name is the contract's
        self, request: pb.TranscribeRequest, context: Context
    ) -> pb.TranscribeResponse:
        """Transcribes one whole recording."""
        model = self._shelf.find(request.config.model, field="config.model")
        beam_size = self._defaults.beam_size
        options = recognition_options(request.config, model, beam_size, path="config")
        audio_format = recording_format(request.format)
        if not request.audio:
            msg = "audio is empty"
            raise UnreadableAudioError(msg, field="audio")
        separate = request.config.separate_channels
        recording = Recording(request.audio, audio_format, options, separate)
        timeout_s = remaining_s(context, self._defaults.recording_timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                transcript = await self._recordings.transcribe(recording, model, timeout_s)
        except TimeoutError as error:
            msg = f"the recording could not be transcribed within {timeout_s:.1f} s"
            raise JobExpiredError(msg) from error
        self._recording_heard(transcript.audio_s)
        return transcript_message(transcript)

    def TranscribeFile(  # noqa: N802
        self, _requests: AsyncIterator[pb.TranscribeFileRequest], _context: Context
    ) -> AsyncIterator[pb.TranscribeFileResponse]:
        """Is not served yet, and says what to use instead."""
        msg = (
            "TranscribeFile is not served by this version; send a recording that fits in one "
            "message to Transcribe, or its samples to StreamTranscribe"
        )
        raise UnimplementedError(msg)

    async def StreamTranscribe(  # noqa: N802
        self, requests: AsyncIterator[pb.StreamTranscribeRequest], _context: Context
    ) -> AsyncIterator[pb.StreamTranscribeResponse]:
        """Transcribes live speech and detects turns."""
        incoming = aiter(requests)
        message = config_of(await self._first(incoming))
        model = self._shelf.find(message.transcription.model, field="config.transcription.model")
        config = self._live_config(message, model)
        stream = self._streams.open(config, model)
        async with (
            aclosing(live_items(incoming, config.audio_format.encoding)) as items,
            aclosing(stream.events(items)) as events,
        ):
            async for event in events:
                yield event_message(event)

    async def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, _context: Context
    ) -> pb.ListModelsResponse:
        """Lists the models that requests may name."""
        page = page_of(
            self._shelf.models(),
            lambda model: model.name,
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        return pb.ListModelsResponse(
            models=[model_message(model) for model in page.entries],
            next_page_token=page.next_token,
        )

    def _live_config(self, message: pb.StreamTranscribeConfig, model: SpeechModel) -> LiveConfig:
        path = "config.transcription"
        if message.transcription.separate_channels:
            msg = f"{path}.separate_channels: one stream is one speaker; open one for each channel"
            raise InvalidArgumentError(msg, field=f"{path}.separate_channels")
        beam_size = self._defaults.beam_size
        return LiveConfig(
            audio_format=live_format(message.format),
            options=recognition_options(message.transcription, model, beam_size, path=path),
            detection=turn_detection(message.turn_detection, self._defaults.detection),
            partials=message.partials,
        )

    async def _first(
        self, incoming: AsyncIterator[pb.StreamTranscribeRequest]
    ) -> pb.StreamTranscribeRequest:
        try:
            async with asyncio.timeout(self._defaults.idle_timeout_s):
                return await anext(incoming)
        except TimeoutError as error:
            msg = f"no config came for {self._defaults.idle_timeout_s:g} s"
            raise StreamIdleError(msg) from error
        except StopAsyncIteration:
            msg = "the first message must have config, but the stream has none"
            raise MessageOrderError(msg, field="config") from None


def api(servicer: SpeechToTextServicer) -> Api:
    """The servicer as the chassis takes it."""
    return Api(
        _NAME,
        lambda server: pb_grpc.add_SpeechToTextServiceServicer_to_server(servicer, server),
    )
