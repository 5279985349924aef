"""Text in, speech out."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1.text_to_speech_service_pb2_grpc import TextToSpeechServiceStub
from voicemesh_client.calls import refusing_bad_values, single
from voicemesh_client.exchange import Exchange
from voicemesh_client.service_client import ServiceClient
from voicemesh_client.speech import Speech, SpeechEvent, SynthesisOptions
from voicemesh_client.wire import speech

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable

    from voicemesh.tts.v1.text_to_speech_service_pb2_grpc import (
        TextToSpeechServiceAsyncStub,  # noqa: F401 - named in a string below
    )
    from voicemesh_client.connection import Connection
    from voicemesh_client.voices import Voice

__all__ = ("TextToSpeech",)

_DEFAULTS = SynthesisOptions()


class TextToSpeech(ServiceClient["TextToSpeechServiceAsyncStub"]):
    """A client of the tts service.

    Example:
        async with TextToSpeech("127.0.0.1:50052") as tts:
            Path("hello.wav").write_bytes((await tts.synthesize("Hello!")).audio)
    """

    def __init__(self, connection: Connection | str) -> None:
        super().__init__(connection, TextToSpeechServiceStub)

    async def synthesize(
        self, text: str, *, ssml: bool = False, options: SynthesisOptions = _DEFAULTS
    ) -> Speech:
        """A whole text, spoken; a WAV file unless `options.format` asks for something else.

        Args:
            text: what to speak, not blank, at most 5,000 characters unless the server allows more.
            ssml: whether `text` is a document, `<speak>...</speak>`, in the subset of SSML that
                the server's README names, and not plain text.
            options: how to speak.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an unknown voice,
                `InvalidArgumentError` for a document that cannot be read, naming the place.
        """
        with refusing_bad_values():
            config = speech.options_to_wire(options)
            request = (
                pb.SynthesizeRequest(config=config, ssml=text)
                if ssml
                else pb.SynthesizeRequest(config=config, text=text)
            )
        response = await single(self._stub().Synthesize(request), self._peer)
        return speech.speech_from_wire(response)

    async def speak(
        self,
        text: AsyncIterable[speech.TextPiece],
        *,
        options: SynthesisOptions = _DEFAULTS,
    ) -> AsyncGenerator[SpeechEvent, None]:
        """A text spoken while it is being written.

        `SynthesisStarted` comes first, then audio clause by clause in order, with `Flushed` and
        `Cancelled` between, and `SynthesisFinished` last. Close it (`contextlib.aclosing`) to stop
        earlier; that cancels the call and closes `text`, if that is an async generator.

        Args:
            text: characters cut anywhere, with `Flush` and `Cancel` between them.
            options: how to speak.

        Raises:
            ServiceError: as the service answers; `NotFoundError` for an unknown voice.
        """
        with refusing_bad_values():
            config = pb.StreamSynthesizeRequest(config=speech.options_to_wire(options))
        call = self._stub().StreamSynthesize()
        exchange = Exchange(call, config, text, speech.piece_to_wire, self._peer)
        async with aclosing(exchange.responses()) as responses:
            async for response in responses:
                event = speech.event_from_wire(response)
                if event is not None:
                    yield event

    async def voices(self, *, language_code: str = "", tenant: str = "") -> tuple[Voice, ...]:
        """The voices that `SynthesisOptions.voice` may name.

        Args:
            language_code: only voices of this BCP-47 language; empty for all.
            tenant: also the cloned voices of this tenant; empty for the shared ones only.

        Raises:
            ServiceError: as the service answers.
        """
        found: list[Voice] = []
        request = pb.ListVoicesRequest(language_code=language_code, tenant=tenant)
        while True:
            response = await single(self._stub().ListVoices(request), self._peer)
            found.extend(speech.voice_from_wire(voice) for voice in response.voices)
            request.page_token = response.next_page_token
            if not request.page_token:
                return tuple(found)

    async def create_voice(
        self,
        reference_audio: bytes,
        *,
        tenant: str,
        display_name: str,
        language_code: str,
        speaker_consents: bool,
    ) -> Voice:
        """Makes a voice that sounds like somebody who was recorded.

        Args:
            reference_audio: 6 to 30 s of one person speaking, in any container.
            tenant: whom the voice shall belong to; calls that name another do not get it.
            display_name: name for people, 1 to 64 characters.
            language_code: BCP-47 code of the language spoken in the recording.
            speaker_consents: that the person recorded agreed to it; the service refuses otherwise.

        Returns:
            The voice; its `id` is what `SynthesisOptions.voice` takes, together with `tenant`.

        Raises:
            ServiceError: as the service answers; `InvalidArgumentError` for a recording that is
                too short, too long, too quiet or without speech, `FailedPreconditionError` if no
                engine of the server can clone.
        """
        with refusing_bad_values():
            request = pb.CreateVoiceRequest(
                tenant=tenant,
                display_name=display_name,
                language_code=language_code,
                reference_audio=reference_audio,
                speaker_consents=speaker_consents,
            )
        response = await single(self._stub().CreateVoice(request), self._peer)
        return speech.voice_from_wire(response.voice)

    async def delete_voice(self, voice: str, *, tenant: str) -> None:
        """Deletes a voice that `create_voice` made, with its recording.

        Args:
            voice: its id.
            tenant: whom it belongs to.

        Raises:
            ServiceError: as the service answers; `NotFoundError` if the tenant has no such voice.
        """
        with refusing_bad_values():
            request = pb.DeleteVoiceRequest(tenant=tenant, voice=voice)
        await single(self._stub().DeleteVoice(request), self._peer)
