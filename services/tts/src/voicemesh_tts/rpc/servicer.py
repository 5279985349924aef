"""TextToSpeechService on gRPC: translation only."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc.aio

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.errors import InvalidArgumentError, UnimplementedError
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_chassis.service import Api
from voicemesh_tts.domain import CancelText, Encoding, FlushText, TextEvent, TextPiece
from voicemesh_tts.errors import CloningUnavailableError, StreamIdleError, TextTooLongError
from voicemesh_tts.rpc import convert
from voicemesh_tts.rpc.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from voicemesh_tts.studio import Studio

__all__ = ("TextToSpeechServicer", "api")

_Context = grpc.aio.ServicerContext[Any, Any]
_PAGES = PageLimits(default=100, largest=500)
_NO_CLONING = "no engine of this server can clone voices"


def api(studio: Studio) -> Api:
    """TextToSpeechService of a studio, for the chassis to serve."""
    name: str = pb.DESCRIPTOR.services_by_name["TextToSpeechService"].full_name

    def register(server: grpc.aio.Server) -> None:
        pb_grpc.add_TextToSpeechServiceServicer_to_server(TextToSpeechServicer(studio), server)

    return Api(name, register)


class TextToSpeechServicer(pb_grpc.TextToSpeechServiceServicer):
    """Serves a studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    async def Synthesize(  # noqa: N802 - the name is the contract's
        self, request: pb.SynthesizeRequest, context: _Context
    ) -> pb.SynthesizeResponse:
        """Speaks a whole text."""
        text = self._whole_text(request)
        wanted = convert.request(request.config, self._studio.voices, Encoding.WAV)
        speech = await self._studio.speak(text, wanted)
        return pb.SynthesizeResponse(
            audio=speech.audio.data,
            packets=convert.packets(speech.audio, 0),
            format=convert.format_to_pb(wanted.format),
            audio_duration=convert.duration(
                speech.audio.sample_count / wanted.format.sample_rate_hertz
            ),
            voice=wanted.voice.id,
            timings=convert.timings(speech.timings),
        )

    # The contract's types know only generators; grpc.aio and the chassis take a coroutine as well,
    # and only a coroutine can bound its writes.
    async def StreamSynthesize(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamSynthesizeRequest], context: _Context
    ) -> None:
        """Speaks a text while it is written."""
        requests = aiter(request_iterator)
        config = await self._config(requests)
        wanted = convert.request(config, self._studio.voices, Encoding.PCM_S16LE)
        started = pb.SynthesisStarted(
            format=convert.format_to_pb(wanted.format), voice=wanted.voice.id
        )
        outlet = Outlet(context, self._studio.limits.stream.idle_timeout_s)
        await outlet.send(pb.StreamSynthesizeResponse(started=started))
        async with (
            aclosing(self._texts(requests)) as texts,
            aclosing(self._studio.stream(wanted).run(texts)) as events,
        ):
            async for event in events:
                await outlet.send(convert.event_to_pb(event, wanted.format))

    async def ListVoices(  # noqa: N802
        self, request: pb.ListVoicesRequest, context: _Context
    ) -> pb.ListVoicesResponse:
        """Lists the voices; there are no tenants' own ones."""
        voices = self._studio.voices
        page = page_of(
            voices.all(request.language_code),
            lambda voice: voice.id,
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        listed = [
            convert.voice_to_pb(
                voice, loaded=voices.is_loaded(voice), default=voice.id == voices.default
            )
            for voice in page.entries
        ]
        return pb.ListVoicesResponse(voices=listed, next_page_token=page.next_token)

    async def CreateVoice(  # noqa: N802
        self, request: pb.CreateVoiceRequest, context: _Context
    ) -> pb.CreateVoiceResponse:
        """Refuses: Piper voices are trained, not cloned."""
        raise CloningUnavailableError(_NO_CLONING)

    async def DeleteVoice(  # noqa: N802
        self, request: pb.DeleteVoiceRequest, context: _Context
    ) -> pb.DeleteVoiceResponse:
        """Refuses: there is no cloned voice."""
        msg = f"{_NO_CLONING}, so there is none to delete"
        raise CloningUnavailableError(msg)

    def _whole_text(self, request: pb.SynthesizeRequest) -> str:
        if request.WhichOneof("input") == "ssml":
            msg = "SSML is not served yet; send plain text"
            raise UnimplementedError(msg, metadata={"field": "ssml"})
        if not request.text.strip():
            msg = "there is no text to speak"
            raise InvalidArgumentError(msg, field="text")
        return self._within_limit(request.text)

    def _within_limit(self, text: str) -> str:
        most = self._studio.limits.text_chars
        if len(text) > most:
            msg = f"the text has {len(text)} characters; at most {most} are taken at once"
            raise TextTooLongError(msg, field="text")
        return text

    async def _texts(
        self, requests: AsyncIterator[pb.StreamSynthesizeRequest]
    ) -> AsyncGenerator[TextEvent, None]:
        async for request in requests:
            match request.WhichOneof("payload"):
                case "text":
                    yield TextPiece(self._within_limit(request.text))
                case "flush":
                    yield FlushText(request.flush.flush_id)
                case "cancel":
                    yield CancelText(request.cancel.cancel_id)
                case "config":
                    msg = "config may come only once, in the first message"
                    raise InvalidArgumentError(msg, field="config")
                case None:
                    msg = "the message is empty; send text, flush or cancel"
                    raise InvalidArgumentError(msg, field="payload")

    async def _config(
        self, requests: AsyncIterator[pb.StreamSynthesizeRequest]
    ) -> pb.SynthesisConfig:
        idle_s = self._studio.limits.stream.idle_timeout_s
        try:
            async with asyncio.timeout(idle_s):
                first = await anext(requests, None)
        except TimeoutError as error:
            msg = f"no message came for {idle_s:g} s"
            raise StreamIdleError(msg) from error
        if first is None or first.WhichOneof("payload") != "config":
            msg = "the first message must be config"
            raise InvalidArgumentError(msg, field="config")
        return first.config
