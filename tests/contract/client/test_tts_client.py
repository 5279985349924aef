"""The tts client over real gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh_chassis.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
)
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Cancel,
    Cancelled,
    Flush,
    Flushed,
    OpusPacket,
    Pronunciation,
    SpeechAudio,
    SynthesisFinished,
    SynthesisOptions,
    SynthesisStarted,
    SynthesisTimings,
    TextSpan,
    TextToSpeech,
    VoiceGender,
    WordTiming,
)

pytestmark = pytest.mark.contract


async def pieces(*given: Any) -> AsyncIterator[Any]:
    for piece in given:
        yield piece


async def test_a_text_comes_back_as_audio(script: Any) -> None:
    async def synthesize(_request: Any, _context: Any) -> pb.SynthesizeResponse:
        return pb.SynthesizeResponse(
            audio=b"RIFF",
            format=audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_WAV),
            voice="piper:en_US-joe-medium",
        )

    script.Synthesize = synthesize
    options = SynthesisOptions(
        format=AudioFormat(AudioEncoding.WAV, 24_000),
        speaking_rate=1.5,
        pronunciations=(Pronunciation("nginx", "engine ex"), Pronunciation("x", "ɛks", True)),
    )
    async with TextToSpeech(script.target) as tts:
        speech = await tts.synthesize("Hello.", options=options)

    assert (speech.audio, speech.format.encoding) == (b"RIFF", AudioEncoding.WAV)
    assert speech.voice == "piper:en_US-joe-medium"
    (request,) = script.requests
    assert request.text == "Hello."
    assert request.config.speaking_rate == 1.5
    assert not request.config.HasField("volume_gain_db")
    assert not request.config.HasField("leading_silence_duration")
    respelling, phonemes = request.config.pronunciations
    assert (respelling.respelling, phonemes.phonemes) == ("engine ex", "ɛks")


async def test_a_text_being_written_is_spoken_as_it_comes(script: Any) -> None:
    async def speak(requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        async for request in requests:
            script.requests.append(request)
            match request.WhichOneof("payload"):
                case "config":
                    yield pb.StreamSynthesizeResponse(started=pb.SynthesisStarted(voice="v"))
                case "text":
                    packet = audio_pb2.OpusPacket(data=b"op", sequence=1, rtp_timestamp=960)
                    audio = pb.SynthesizedAudio(
                        audio=b"ab", packets=[packet], span=pb.TextSpan(start=0, end=5)
                    )
                    yield pb.StreamSynthesizeResponse(audio=audio)
                case "flush":
                    flushed = pb.Flushed(flush_id=request.flush.flush_id)
                    yield pb.StreamSynthesizeResponse(flushed=flushed)
                case "cancel":
                    cancelled = pb.Cancelled(cancel_id=request.cancel.cancel_id)
                    yield pb.StreamSynthesizeResponse(cancelled=cancelled)
        yield pb.StreamSynthesizeResponse(finished=pb.SynthesisFinished(character_count=5))

    script.StreamSynthesize = speak
    async with TextToSpeech(script.target) as tts:
        text = pieces("Hello", "", Flush(7), Cancel(8))
        events = [event async for event in tts.speak(text)]

    assert events == [
        SynthesisStarted(AudioFormat(AudioEncoding.UNSPECIFIED), "v"),
        SpeechAudio(b"ab", (OpusPacket(b"op", 1, 960),), TextSpan(0, 5), 0, False, 0.0, 0.0),
        Flushed(7),
        Cancelled(8),
        SynthesisFinished(5, 0.0, SynthesisTimings()),
    ]


async def test_a_long_piece_of_text_is_cut_into_messages(script: Any) -> None:
    async def speak(requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        texts = [request.text async for request in requests if request.HasField("text")]
        finished = pb.SynthesisFinished(character_count=sum(map(len, texts)))
        script.requests = [len(text) for text in texts]
        yield pb.StreamSynthesizeResponse(finished=finished)

    script.StreamSynthesize = speak
    async with TextToSpeech(script.target) as tts:
        (finished,) = [event async for event in tts.speak(pieces("ä" * 12_000))]

    assert script.requests == [5_000, 5_000, 2_000]
    assert isinstance(finished, SynthesisFinished)
    assert finished.character_count == 12_000


async def test_an_unknown_voice_is_not_found(script: Any) -> None:
    async def speak(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        for voice in ["piper:nobody"]:
            if voice:
                raise NotFoundError("there is no voice of that name")
            yield pb.StreamSynthesizeResponse()

    script.StreamSynthesize = speak
    async with TextToSpeech(script.target) as tts, aclosing(tts.speak(pieces("Hi."))) as events:
        with pytest.raises(NotFoundError, match="no voice of that name"):
            await anext(events)


async def test_voices_are_listed_page_by_page_with_the_same_filter(script: Any) -> None:
    async def voices(request: Any, _context: Any) -> pb.ListVoicesResponse:
        assert (request.language_code, request.tenant) == ("en", "42")
        if not request.page_token:
            voice = pb.Voice(id="a", gender=pb.VOICE_GENDER_FEMALE)
            return pb.ListVoicesResponse(voices=[voice], next_page_token="2")
        cloned = pb.Voice(id="b")
        cloned.create_time.FromSeconds(1_000_000_000)
        return pb.ListVoicesResponse(voices=[cloned])

    script.ListVoices = voices
    async with TextToSpeech(script.target) as tts:
        first, second = await tts.voices(language_code="en", tenant="42")

    assert (first.id, first.gender, first.create_time) == ("a", VoiceGender.FEMALE, None)
    assert second.create_time is not None
    assert second.create_time.isoformat() == "2001-09-09T01:46:40+00:00"


async def test_a_document_is_sent_as_a_document(script: Any) -> None:
    async def synthesize(_request: Any, _context: Any) -> pb.SynthesizeResponse:
        return pb.SynthesizeResponse(audio=b"RIFF")

    script.Synthesize = synthesize
    async with TextToSpeech(script.target) as tts:
        await tts.synthesize("<speak>Hello.</speak>", ssml=True)
        await tts.synthesize("<speak>Hello.</speak>")

    document, text = script.requests
    assert (document.WhichOneof("input"), text.WhichOneof("input")) == ("ssml", "text")
    assert document.ssml == text.text == "<speak>Hello.</speak>"


async def test_words_come_back_with_their_times_and_places(script: Any) -> None:
    word = pb.WordTiming(word="Hello.", span=pb.TextSpan(start=2, end=8))
    word.start_offset.FromMilliseconds(250)
    word.end_offset.FromMilliseconds(700)

    async def synthesize(request: Any, _context: Any) -> pb.SynthesizeResponse:
        return pb.SynthesizeResponse(words=[word] if request.config.word_timings else [])

    async def speak(_requests: Any, _context: Any) -> AsyncIterator[pb.StreamSynthesizeResponse]:
        yield pb.StreamSynthesizeResponse(audio=pb.SynthesizedAudio(words=[word]))

    script.Synthesize = synthesize
    script.StreamSynthesize = speak
    wanted = SynthesisOptions(word_timings=True)
    async with TextToSpeech(script.target) as tts:
        whole = await tts.synthesize("  Hello.", options=wanted)
        (piece,) = [event async for event in tts.speak(pieces("  Hello."), options=wanted)]

    expected = (WordTiming("Hello.", 0.25, 0.7, TextSpan(2, 8)),)
    assert whole.words == expected
    assert isinstance(piece, SpeechAudio)
    assert piece.words == expected


async def test_a_voice_is_cloned_and_deleted(script: Any) -> None:
    made = pb.Voice(id="coqui:cloned-7f", display_name="Ann", tenant="42", engine="coqui")
    made.create_time.FromSeconds(1_000_000_000)

    async def create(_request: Any, _context: Any) -> pb.CreateVoiceResponse:
        return pb.CreateVoiceResponse(voice=made)

    async def delete(_request: Any, _context: Any) -> pb.DeleteVoiceResponse:
        return pb.DeleteVoiceResponse()

    script.CreateVoice = create
    script.DeleteVoice = delete
    async with TextToSpeech(script.target) as tts:
        voice = await tts.create_voice(
            b"RIFF",
            tenant="42",
            display_name="Ann",
            language_code="en",
            speaker_consents=True,
        )
        await tts.delete_voice(voice.id, tenant=voice.tenant)

    assert (voice.id, voice.tenant, voice.display_name) == ("coqui:cloned-7f", "42", "Ann")
    assert voice.create_time is not None
    created, deleted = script.requests
    assert (created.reference_audio, created.language_code) == (b"RIFF", "en")
    assert created.speaker_consents
    assert (deleted.voice, deleted.tenant) == ("coqui:cloned-7f", "42")


@pytest.mark.parametrize("speaker_consents", [True, False])
async def test_what_the_service_says_of_a_recording_is_raised(
    script: Any, speaker_consents: bool
) -> None:
    async def create(request: Any, _context: Any) -> pb.CreateVoiceResponse:
        field = "reference_audio" if request.speaker_consents else "speaker_consents"
        raise InvalidArgumentError("no", field=field)

    script.CreateVoice = create
    async with TextToSpeech(script.target) as tts:
        with pytest.raises(InvalidArgumentError) as failure:
            await tts.create_voice(
                b"",
                tenant="42",
                display_name="Ann",
                language_code="en",
                speaker_consents=speaker_consents,
            )

    assert failure.value.field == ("reference_audio" if speaker_consents else "speaker_consents")


async def test_a_server_that_cannot_clone_says_so(script: Any) -> None:
    async def create(_request: Any, _context: Any) -> pb.CreateVoiceResponse:
        raise FailedPreconditionError("no engine of this server can clone voices")

    script.CreateVoice = create
    async with TextToSpeech(script.target) as tts:
        with pytest.raises(FailedPreconditionError, match="no engine"):
            await tts.create_voice(
                b"", tenant="42", display_name="A", language_code="en", speaker_consents=True
            )
