"""Speech in, words out."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1.speech_to_text_service_pb2_grpc import SpeechToTextServiceStub
from voicemesh_client.calls import refusing_bad_values, single
from voicemesh_client.exchange import Exchange
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.transcripts import SpeechModel, Transcript, TranscriptionOptions
from voicemesh_client.wire import recognition, turns
from voicemesh_client.wire.audio import format_to_wire

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from voicemesh.stt.v1.speech_to_text_service_pb2_grpc import (
        SpeechToTextServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.audio import AudioFormat
    from voicemesh_client.connection import Connection
    from voicemesh_client.turns import TurnDetection, TurnEvent

__all__ = ("SpeechToText",)

_DEFAULTS = TranscriptionOptions()


class SpeechToText(ServiceClient["SpeechToTextServiceAsyncStub"]):
    """A client of the stt service.

    Example:
        async with SpeechToText("127.0.0.1:50051") as stt:
            print((await stt.transcribe(Path("talk.mp3").read_bytes())).text)
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
            ServiceError: as the service answers.
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
