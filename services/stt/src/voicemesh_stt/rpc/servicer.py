"""The rpcs of `voicemesh.stt.v1.SpeechToTextService`; translation only."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc
from voicemesh_chassis.deadlines import remaining_s
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_chassis.service import Api
from voicemesh_stt.errors import (
    JobExpiredError,
    MessageOrderError,
    QueueFullError,
    StreamIdleError,
    UnreadableAudioError,
)
from voicemesh_stt.files.recordings import Recording, Recordings
from voicemesh_stt.live.stream import LiveConfig, LiveStreams
from voicemesh_stt.rpc.convert import event_message, model_message, transcript_message
from voicemesh_stt.rpc.files import file_config, file_message, file_parts, file_request
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
    from voicemesh_stt.files.uploads import Files
    from voicemesh_stt.models.shelf import ModelShelf
    from voicemesh_stt.ports import Admission

    Context = grpc.aio.ServicerContext[Any, Any]

M = TypeVar("M")

__all__ = ("WEIGHTS", "RpcDefaults", "SpeechToTextServicer", "Work", "api")

_NAME = pb.DESCRIPTOR.services_by_name["SpeechToTextService"].full_name
_RECORDING_WEIGHT = 4
"""A recording may hold as much memory as many live streams."""
_PAGES = PageLimits(default=50, largest=100)

WEIGHTS = {
    f"/{_NAME}/Transcribe": _RECORDING_WEIGHT,
    f"/{_NAME}/TranscribeFile": _RECORDING_WEIGHT,
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
    file_timeout_s: float
    """Longest time for one uploaded file, in seconds."""
    idle_timeout_s: float
    """Longest time until a stream's config, in seconds."""


@dataclass(frozen=True)
class Work:
    """What does the work behind the rpcs."""

    shelf: ModelShelf
    """The models."""
    recordings: Recordings
    """Transcribes whole recordings."""
    files: Files
    """Transcribes uploaded files."""
    streams: LiveStreams
    """Opens live streams."""
    admission: Admission
    """Whether there is room for one more of them."""


class SpeechToTextServicer(pb_grpc.SpeechToTextServiceServicer):
    """Serves the contract; see the protos for what each rpc promises."""

    def __init__(
        self, work: Work, defaults: RpcDefaults, recording_heard: Callable[[float], None]
    ) -> None:
        """Makes a servicer.

        Args:
            work: what does the work.
            defaults: what holds where a request is silent.
            recording_heard: told the seconds of each recording transcribed.
        """
        self._shelf = work.shelf
        self._recordings = work.recordings
        self._files = work.files
        self._streams = work.streams
        self._admission = work.admission
        self._defaults = defaults
        self._recording_heard = recording_heard

    async def Transcribe(  # noqa: N802 - the name is the contract's
        self, request: pb.TranscribeRequest, context: Context
    ) -> pb.TranscribeResponse:
        """Transcribes one whole recording."""
        # The request is judged before a model is loaded for it.
        model = await self._shelf.find(request.config.model, field="config.model")
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
            async with (
                asyncio.timeout(timeout_s),
                self._shelf.lease(model.name, field="config.model"),
            ):
                transcript = await self._recordings.transcribe(recording, model, timeout_s)
        except TimeoutError as error:
            msg = f"the recording could not be transcribed within {timeout_s:.1f} s"
            raise JobExpiredError(msg) from error
        self._recording_heard(transcript.audio_s)
        return transcript_message(transcript)

    async def TranscribeFile(  # noqa: N802
        self, requests: AsyncIterator[pb.TranscribeFileRequest], context: Context
    ) -> AsyncIterator[pb.TranscribeFileResponse]:
        """Transcribes a file of any length while it is being uploaded."""
        incoming = aiter(requests)
        message = file_config(await self._streams.before_drain(self._first(incoming)))
        field = "config.transcription.model"
        model = await self._shelf.find(message.transcription.model, field=field)
        request = file_request(message, model, self._defaults.beam_size)
        async with (
            self._shelf.lease(model.name, field=field),
            aclosing(file_parts(incoming)) as parts,
        ):
            timeout_s = remaining_s(context, self._defaults.file_timeout_s)
            draining = self._streams.draining
            async with aclosing(
                self._files.events(parts, request, model, timeout_s, draining)
            ) as events:
                async for event in events:
                    yield file_message(event)

    async def StreamTranscribe(  # noqa: N802
        self, requests: AsyncIterator[pb.StreamTranscribeRequest], _context: Context
    ) -> AsyncIterator[pb.StreamTranscribeResponse]:
        """Transcribes live speech and detects turns."""
        self._admit()
        incoming = aiter(requests)
        message = config_of(await self._streams.before_drain(self._first(incoming)))
        field = "config.transcription.model"
        model = await self._shelf.find(message.transcription.model, field=field)
        config = self._live_config(message, model)
        stream = self._streams.open(config, model)
        async with (
            self._shelf.lease(model.name, field=field),
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
            await self._shelf.models(),
            lambda model: model.name,
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        return pb.ListModelsResponse(
            models=[model_message(model) for model in page.entries],
            next_page_token=page.next_token,
        )

    def _admit(self) -> None:
        """Refuses a live stream whose words would come too late to be of use."""
        retry_after_s = self._admission.overloaded()
        if retry_after_s is not None:
            msg = "words for one more live stream would come too late; try again later"
            raise QueueFullError(msg, retry_after_s=retry_after_s)

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

    async def _first(self, incoming: AsyncIterator[M]) -> M:
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
