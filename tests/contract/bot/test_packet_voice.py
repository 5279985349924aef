"""The voice as Discord hears it: real packets of tts, played, cut, and heard by real ears."""

from __future__ import annotations

import re
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio
from discord import opus

import voicemesh_client as sdk
from voicemesh_bot.clients.connections import Connections
from voicemesh_bot.conversation.playback import Playback
from voicemesh_bot.discord_front.opus_codec import OpusCodec, load_libopus
from voicemesh_bot.domain import VoiceAudio
from voicemesh_bot.ports import TextToSpeech
from voicemesh_bot.settings import BackendSettings, BotSettings
from voicemesh_bot.voice.celt import frame_shape
from voicemesh_bot.voice.ducking import Ducker
from voicemesh_bot.voice.frames import FRAME_S, PassageId, PassageKind
from voicemesh_bot.voice.player import Player
from voicemesh_chassis.errors import NotFoundError
from voicemesh_chassis.settings import load_settings
from voicemesh_chassis.testing import running
from voicemesh_stt.__main__ import build as build_stt
from voicemesh_stt.settings import SttSettings
from voicemesh_tts.__main__ import build as build_tts
from voicemesh_tts.settings import TtsSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

TEXT = (
    "The old bridge was closed for the winter. Many people had to walk around the lake, "
    "and most of them did not mind. In the spring it was opened again with music and cake."
)
ANSWER = PassageId(PassageKind.ANSWER, 1)


@dataclass(frozen=True)
class Services:
    """What the tests speak and listen with."""

    tts: TextToSpeech
    stt: sdk.SpeechToText


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def services(models_dir: object) -> AsyncIterator[Services]:
    assert load_libopus()
    tts_settings, stt_settings = load_settings(TtsSettings), load_settings(SttSettings)
    async with AsyncExitStack() as stack:
        tts = await stack.enter_async_context(running(build_tts(tts_settings), tts_settings))
        stt = await stack.enter_async_context(running(build_stt(stt_settings), stt_settings))
        connections = Connections(BotSettings(tts=BackendSettings(target=tts.target)))
        stack.push_async_callback(connections.aclose)
        ears = await stack.enter_async_context(sdk.SpeechToText(stt.target))
        yield Services(connections.packet_backends.tts, ears)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech_packets(services: Services) -> list[VoiceAudio]:
    return [sound async for sound in services.tts.speak(written(TEXT))]


async def written(text: str) -> AsyncGenerator[str, None]:
    for start in range(0, len(text), 9):
        yield text[start : start + 9]


def as_heard(packets: Sequence[bytes]) -> bytes:
    decoder = opus.Decoder()  # type: ignore[no-untyped-call]
    sound = array("h")
    for packet in packets:
        sound.extend(array("h", decoder.decode(packet, fec=False))[::2])
    return sound.tobytes()


async def words_in(services: Services, packets: Sequence[bytes]) -> list[str]:
    form = sdk.AudioFormat(sdk.AudioEncoding.PCM_S16LE, 48_000, 1)
    transcript = await services.stt.transcribe(as_heard(packets), format=form)
    return words(transcript.text)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


async def test_the_voice_comes_as_packets_of_20_ms_with_what_they_speak(
    speech_packets: list[VoiceAudio],
) -> None:
    spans = [sound.span for sound in speech_packets]
    assert spans == sorted(spans)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(TEXT)
    for sound in speech_packets:
        assert sound.audio == b""
        assert sound.sample_rate_hertz == 48_000
        assert sound.duration_s == pytest.approx(FRAME_S * len(sound.packets))
        for packet in sound.packets:
            assert opus.Decoder.packet_get_nb_frames(packet) == 1
            assert opus.Decoder.packet_get_samples_per_frame(packet) == 960
            # Ducking knows how to take over from such packets without a jump.
            assert frame_shape(packet) is not None


async def test_a_voice_that_is_not_there_is_said_so(services: Services) -> None:
    with pytest.raises(NotFoundError):
        await anext(services.tts.speak(written(TEXT), voice="piper:nobody"))


@pytest.mark.parametrize("seconds", [0.2, 1.0, 2.3, 3.1, 4.7, 6.2, 7.9])
async def test_what_is_remembered_of_a_cut_answer_is_what_was_heard(
    services: Services, speech_packets: list[VoiceAudio], seconds: float
) -> None:
    player, playback = Player(), Playback()
    for sound in speech_packets:
        player.append(ANSWER, sound.packets)
        playback.add(sound, now_s=0.0)
    player.end(ANSWER)
    playback.end(now_s=0.0)

    sent: list[bytes] = []
    while len(sent) < round(seconds / FRAME_S):
        frame = player.next_frame()
        assert frame is not None
        if frame.entry is not None:
            sent.append(frame.packet)
    player.cut(ANSWER)
    while (frame := player.next_frame()) is not None:
        assert frame.entry is None
    (progress,) = player.take_progress()

    assert progress.frames == len(sent)
    remembered = words(playback.heard_text(TEXT, progress.played_s))
    heard = await words_in(services, sent) if remembered else []
    # Ears guess at half a word, and sometimes at one more.
    assert abs(len(remembered) - len(heard)) <= 2
    assert remembered == words(TEXT)[: len(remembered)]


async def test_a_whole_answer_is_understood_also_where_it_was_ducked_and_paused(
    services: Services, speech_packets: list[VoiceAudio]
) -> None:
    player, ducker = Player(), Ducker(OpusCodec)
    for sound in speech_packets:
        player.append(ANSWER, sound.packets)
    player.end(ANSWER)
    sent: list[bytes] = []
    while (frame := player.next_frame()) is not None:
        sent.append(ducker.render(frame))
        player.duck(len(sent) // 40 % 2 == 1)
        if len(sent) == 150:
            player.pause(ANSWER)
        elif len(sent) == 180:
            player.resume(ANSWER)
    assert ducker.counts.frames > 100
    assert ducker.counts.failures == 0
    heard = await words_in(services, sent)
    wrong = set(words(TEXT)) ^ set(heard)
    assert len(wrong) <= 4, wrong
