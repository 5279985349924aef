"""Speech in, words out."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1.speech_to_text_service_pb2_grpc import SpeechToTextServiceStub
from voicemesh_client.calls import refusing_bad_values, single
from voicemesh_client.errors import InternalError, ServiceError
from voicemesh_client.exchange import Exchange
from voicemesh_client.file_pieces import can_be_sent_again, opened
from voicemesh_client.files import FileSummary
from voicemesh_client.resumption import Resumption
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.transcripts import SpeechModel, Transcript, TranscriptionOptions
from voicemesh_client.wire import files, recognition, turns
from voicemesh_client.wire.audio import format_to_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from voicemesh.stt.v1.speech_to_text_service_pb2_grpc import (
        SpeechToTextServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.audio import AudioFormat
    from voicemesh_client.connection import Connection
    from voicemesh_client.files import FileEvent, FileSource
    from voicemesh_client.turns import TurnDetection, TurnEvent

__all__ = ("SpeechToText",)

_DEFAULTS = TranscriptionOptions()


class SpeechToText(ServiceClient["SpeechToTextServiceAsyncStub"]):
    """A client of the stt service.

    Example:
        async with SpeechToText("127.0.0.1:50051") as stt:
            print((await stt.transcribe(Path("note.mp3").read_bytes())).text)
            async for event in stt.transcribe_file("talk.mp3"):
                if isinstance(event, Segment):
                    print(f"{event.start_s:7.1f} s  {event.text}")
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, SpeechToTextServiceStub)

    async def transcribe(
        self,
        audio: bytes,
        *,
        format: AudioFormat | None = None,
        options: TranscriptionOptions = _DEFAULTS,
    ) -> Transcript:
        """What is said in one whole recording.

        Args:
            audio: the recording, in any container or, with `format`, headerless.
            format: how headerless audio is encoded; None for a container that says it itself.
            options: how to recognise.

        Raises:
            ServiceError: as the service answers; `InvalidArgumentError` for audio that cannot be
                decoded, `NotFoundError` for an unknown model.
        """
        with refusing_bad_values():
            request = pb.TranscribeRequest(
                config=recognition.options_to_wire(options),
                format=None if format is None else format_to_wire(format),
                audio=audio,
            )
        response = await single(self._stub().Transcribe(request), self._peer)
        return recognition.transcript_from_wire(response)

    async def transcribe_file(
        self,
        source: FileSource,
        *,
        format: AudioFormat | None = None,
        options: TranscriptionOptions = _DEFAULTS,
        resume_s: float = 0.0,
        retries: int = 3,
    ) -> AsyncGenerator[FileEvent, None]:
        """What is said in a recording of any length, while it is being uploaded.

        Segments come in order of time, `FileProgress` between them and `FileSummary` last. Only
        as much is uploaded as the service takes. Close it (`contextlib.aclosing`) to stop earlier;
        that cancels the call, closes a file that was opened here, and `source`, if it is a
        generator. An open file that was given stays open.

        If the service drains, is overloaded or out of reach, and `source` is a path or bytes, the
        call is made again after as long as the service asks for, or else after 0.5 s, doubling to
        10 s, and goes on behind the last segment: no segment comes twice. The file must not
        change meanwhile. Any other source cannot be read twice, and the error is raised; the end
        of the last segment is what `resume_s` takes next time.

        Args:
            source: the recording, in any container or, with `format`, headerless.
            format: how headerless audio is encoded; None for a container that says it itself.
            options: how to recognise.
            resume_s: speech before this time is left out, in seconds; the whole recording is
                uploaded all the same.
            retries: failures without a new segment in between that are forgiven; 0 for none.

        Raises:
            OSError: if the source cannot be read.
            ServiceError: as the service answers; `InvalidArgumentError` for audio that cannot be
                decoded, `NotFoundError` for an unknown model, `DeadlineExceededError` if for
                `Connection.timeout_s` nothing came back and nothing was taken.
        """
        resumption = Resumption(resume_s, options.separate_channels, retries)
        while True:
            with refusing_bad_values():
                config = files.config_to_wire(format, options, resumption.offset_s)
            try:
                async with aclosing(self._file_events(source, config)) as events:
                    async for event in events:
                        fresh = resumption.fresh(event)
                        if fresh is not None:
                            yield fresh
            except ServiceError as error:
                wait_s = resumption.wait_s(error)
                if wait_s is None or self._is_closed or not await can_be_sent_again(source):
                    raise
            else:
                return
            await asyncio.sleep(wait_s)

    async def _file_events(
        self, source: FileSource, config: pb.TranscribeFileRequest
    ) -> AsyncGenerator[FileEvent, None]:
        """The events of one call, the summary included."""
        is_finished = False
        async with opened(source) as pieces:
            call = self._stub().TranscribeFile()
            exchange = Exchange(call, config, pieces, files.piece_to_wire, self._peer)
            try:
                async with aclosing(exchange.responses()) as responses:
                    async for response in responses:
                        event = files.event_from_wire(response)
                        is_finished = is_finished or isinstance(event, FileSummary)
                        if event is not None:
                            yield event
            except ServiceError:
                if not is_finished:  # what breaks after the summary takes nothing back
                    raise
        if not is_finished:
            msg = f"the service at {self._peer.target} ended the transcription without a summary"
            raise InternalError(msg)

    async def listen(
        self,
        audio: AsyncIterable[turns.LiveAudio],
        *,
        format: AudioFormat,
        options: TranscriptionOptions = _DEFAULTS,
        turn_detection: TurnDetection | None = None,
        partials: bool = True,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Turns of live speech of one speaker, as they are heard.

        Ends when `audio` has ended and the last turn is over. Close it (`contextlib.aclosing`) to
        stop earlier; that cancels the call and closes `audio`, if that is an async generator.

        Args:
            audio: samples cut anywhere, or Opus packets, with `FinishTurn` between them where a
                talk button is let go. Sent as they come: pace a recording in real time.
            format: how the samples are encoded, or `AudioEncoding.OPUS_PACKETS`.
            options: how to recognise.
            turn_detection: when a turn begins and ends; None leaves it to the server.
            partials: whether `Partial` events are wanted.

        Raises:
            ServiceError: as the service answers. A service that stops lets open turns end, and
                then ends the stream with a retryable `UnavailableError`: listen again with the
                audio since the last `Final`, after `error.retry_after_s`. Turn numbers and times
                begin anew. A stream that is refused under load is an `OverloadedError`.
        """
        with refusing_bad_values():
            config = turns.config_to_wire(format, options, turn_detection, partials=partials)
        call = self._stub().StreamTranscribe()
        exchange = Exchange(call, config, audio, turns.piece_to_wire, self._peer)
        async with aclosing(exchange.responses()) as responses:
            async for response in responses:
                event = turns.event_from_wire(response)
                if event is not None:
                    yield event

    async def models(self) -> tuple[SpeechModel, ...]:
        """The models that `TranscriptionOptions.model` may name.

        Raises:
            ServiceError: as the service answers.
        """
        found: list[SpeechModel] = []
        page_token = ""
        while True:
            request = pb.ListModelsRequest(page_token=page_token)
            response = await single(self._stub().ListModels(request), self._peer)
            found.extend(recognition.model_from_wire(model) for model in response.models)
            page_token = response.next_page_token
            if not page_token:
                return tuple(found)
