"""TextToSpeechService on gRPC: translation only."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import grpc.aio

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.pages import PageLimits, page_of
from voicemesh_chassis.service import Api
from voicemesh_tts.calls import Call, Stopwatch
from voicemesh_tts.domain import CancelText, Encoding, FlushText, TextEvent, TextPiece
from voicemesh_tts.errors import (
    CloningUnavailableError,
    StreamIdleError,
    TextTooLongError,
)
from voicemesh_tts.rpc import convert, parsing
from voicemesh_tts.rpc.outlet import Outlet
from voicemesh_tts.schedule import Lane
from voicemesh_tts.tenants import check_tenant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from voicemesh_tts.cloning.workshop import Workshop
    from voicemesh_tts.dictionaries import Dictionaries
    from voicemesh_tts.studio import Studio

__all__ = ("TextToSpeechServicer", "api")

_Context = grpc.aio.ServicerContext[Any, Any]
_PAGES = PageLimits(default=100, largest=500)
_NO_CLONING = "no engine of this server can clone voices"


def api(studio: Studio, dictionaries: Dictionaries, workshop: Workshop | None) -> Api:
    """TextToSpeechService of a studio, for the chassis to serve; see `TextToSpeechServicer`."""
    name: str = pb.DESCRIPTOR.services_by_name["TextToSpeechService"].full_name

    def register(server: grpc.aio.Server) -> None:
        servicer = TextToSpeechServicer(studio, dictionaries, workshop)
        pb_grpc.add_TextToSpeechServiceServicer_to_server(servicer, server)

    return Api(name, register)


class TextToSpeechServicer(pb_grpc.TextToSpeechServiceServicer):
    """Serves a studio."""

    def __init__(
        self, studio: Studio, dictionaries: Dictionaries, workshop: Workshop | None
    ) -> None:
        """Takes what speaks, what tenants' words sound like, and what clones, if there is any."""
        self._studio = studio
        self._dictionaries = dictionaries
        self._workshop = workshop

    async def Synthesize(  # noqa: N802 - the name is the contract's
        self, request: pb.SynthesizeRequest, context: _Context
    ) -> pb.SynthesizeResponse:
        """Speaks a whole text or document."""
        kind = request.WhichOneof("input") or "text"
        source = self._checked_text(getattr(request, kind), kind)
        call = await self._call(request.config, context, Encoding.WAV, source)
        wanted = call.request
        speech = await self._studio.speak(call, ssml=kind == "ssml")
        return pb.SynthesizeResponse(
            audio=speech.audio.data,
            packets=convert.packets(speech.audio, 0),
            format=convert.format_to_pb(wanted.format),
            audio_duration=convert.duration(
                speech.audio.sample_count / wanted.format.sample_rate_hertz
            ),
            voice=wanted.voice.id,
            words=convert.words(speech.words),
            timings=convert.timings(speech.timings),
        )

    # The contract's types know only generators; grpc.aio and the chassis take a coroutine as well,
    # and only a coroutine can bound its writes.
    async def StreamSynthesize(  # type: ignore[override]  # noqa: N802
        self, request_iterator: AsyncIterator[pb.StreamSynthesizeRequest], context: _Context
    ) -> None:
        """Speaks a text while it is written."""
        requests = aiter(request_iterator)
        call = await self._call(await self._config(requests), context, Encoding.PCM_S16LE)
        wanted = call.request
        async with self._studio.stream(call) as stream:
            started = pb.SynthesisStarted(
                format=convert.format_to_pb(wanted.format), voice=wanted.voice.id
            )
            outlet = Outlet(context, self._studio.limits.stream.idle_timeout_s)
            await outlet.send(pb.StreamSynthesizeResponse(started=started))
            async with (
                aclosing(self._texts(requests)) as texts,
                aclosing(stream.run(texts)) as events,
            ):
                async for event in events:
                    await outlet.send(convert.event_to_pb(event, wanted.format))

    async def ListVoices(  # noqa: N802
        self, request: pb.ListVoicesRequest, context: _Context
    ) -> pb.ListVoicesResponse:
        """Lists the voices: those for everyone, and the tenant's own."""
        await self._look(check_tenant(request.tenant, "tenant"))
        await self._studio.look()
        cast = self._studio.cast
        page = page_of(
            cast.all(request.language_code, request.tenant),
            lambda voice: voice.id,
            size=request.page_size,
            token=request.page_token,
            limits=_PAGES,
        )
        listed = [
            convert.voice_to_pb(
                voice,
                loaded=self._studio.is_loaded(voice),
                default=voice.id == cast.default,
            )
            for voice in page.entries
        ]
        return pb.ListVoicesResponse(voices=listed, next_page_token=page.next_token)

    async def CreateVoice(  # noqa: N802
        self, request: pb.CreateVoiceRequest, context: _Context
    ) -> pb.CreateVoiceResponse:
        """Makes a voice of a recording."""
        wish = parsing.clone_wish(request)
        voice = await self._require_workshop().create(wish)
        return pb.CreateVoiceResponse(voice=convert.voice_to_pb(voice, loaded=False, default=False))

    async def DeleteVoice(  # noqa: N802
        self, request: pb.DeleteVoiceRequest, context: _Context
    ) -> pb.DeleteVoiceResponse:
        """Deletes a voice that was made of a recording."""
        tenant = parsing.required_tenant(request.tenant)
        await self._require_workshop().delete(tenant, request.voice)
        return pb.DeleteVoiceResponse()

    async def _call(
        self,
        config: pb.SynthesisConfig,
        context: _Context,
        encoding: Encoding,
        source: str | None = None,
    ) -> Call:
        """What is wanted, checked, with every default filled in."""
        tenant = check_tenant(config.tenant, "config.tenant")
        own = parsing.pronunciations(config)
        await self._look(tenant)
        voice = await self._studio.choose(config.voice, config.language_code, tenant)
        whole = source is not None
        return Call(
            parsing.speech_request(config, voice, encoding),
            Stopwatch(self._studio.metrics, "Synthesize" if whole else "StreamSynthesize"),
            Lane.BULK if whole else Lane.LIVE,
            # A bot speaks for many guilds over one connection; each has its share.
            tenant or context.peer(),
            await self._dictionaries.of(tenant, own, phonemes=voice.takes_phonemes),
            source,
        )

    async def _look(self, tenant: str) -> None:
        if tenant and self._workshop is not None:
            await self._workshop.look(tenant)

    def _require_workshop(self) -> Workshop:
        if self._workshop is None:
            raise CloningUnavailableError(_NO_CLONING)
        return self._workshop

    def _checked_text(self, text: str, field: str) -> str:
        if not text.strip():
            msg = "there is no text to speak"
            raise InvalidArgumentError(msg, field=field)
        return self._within_limit(text, field)

    def _within_limit(self, text: str, field: str) -> str:
        most = self._studio.limits.text_chars
        if len(text) > most:
            msg = f"the {field} has {len(text)} characters; at most {most} are taken at once"
            raise TextTooLongError(msg, field=field)
        return text

    async def _texts(
        self, requests: AsyncIterator[pb.StreamSynthesizeRequest]
    ) -> AsyncGenerator[TextEvent, None]:
        async for request in requests:
            match request.WhichOneof("payload"):
                case "text":
                    yield TextPiece(self._within_limit(request.text, "text"))
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
