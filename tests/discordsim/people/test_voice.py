"""Two people in a call without any bot, and what becomes of what they say."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from discordsim.certificates import Certificates
from discordsim.errors import NotInVoiceError, NotSeenError, UnreadableAudioError
from discordsim.people.encryption import SILENCE
from discordsim.people.speech import FRAME_S, FRAME_SAMPLES, OpusSettings, Speech
from discordsim.people.voice import PersonVoice
from discordsim.voice import VoiceServer

pytestmark = pytest.mark.integration

GUILD, CHANNEL, OTHER_CHANNEL, ALICE, BORIS = 1, 20, 21, 301, 302
OPUS_DELAY = 312  # samples at 48 kHz


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.generate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def server(certificates: Certificates) -> AsyncIterator[VoiceServer]:
    made = VoiceServer(certificates)
    await made.start()
    yield made
    await made.aclose()


@pytest.fixture
async def pair(server: VoiceServer) -> tuple[PersonVoice, PersonVoice]:
    alice, boris = PersonVoice(ALICE, name="Alice"), PersonVoice(BORIS, name="Boris")
    await server.join_person(alice, GUILD, CHANNEL)
    await server.join_person(boris, GUILD, CHANNEL)
    return alice, boris


def sine(seconds: float, *, hertz: float = 330.0) -> NDArray[np.float32]:
    time = np.arange(round(seconds * 48_000)) / 48_000
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


@pytest.fixture(scope="module")
def tone() -> Speech:
    return Speech.from_samples(sine(0.4), 48_000)


def levels_above_hum(samples: NDArray[np.float32], rate_hertz: int) -> NDArray[np.float64]:
    """Loudness of each 20 ms but the first and last, dB, of what is above 200 Hz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate_hertz) < 200] = 0
    size = round(rate_hertz * FRAME_S)
    whole = np.fft.irfft(spectrum, len(samples))[: len(samples) // size * size]
    decibels: NDArray[np.float64] = 10 * np.log10(np.mean(whole.reshape(-1, size) ** 2, axis=1))
    return decibels[1:-1]  # where the recording is cut off there is sound of any frequency


async def test_what_one_says_the_other_hears_as_it_was(
    pair: tuple[PersonVoice, PersonVoice], speech: Path
) -> None:
    alice, boris = pair
    with wave.open(str(speech / "librivox-0870.wav")) as file:
        rate = file.getframerate()
        frames = np.frombuffer(file.readframes(3 * rate), "<i2")
    recorded: NDArray[np.float32] = np.divide(frames, 32768, dtype=np.float32)
    said = await alice.speak(Speech.from_samples(recorded, rate))

    heard = boris.heard(ALICE)

    assert [frame.opus for frame in heard.frames] == [*said.speech.packets, *[SILENCE] * 5]
    assert alice.privacy_code == boris.privacy_code
    # Opus looks ahead 6.5 ms, and for voice its encoder takes away the hum below the voice.
    wanted = levels_above_hum(recorded, rate)
    heard_part = heard.samples()[OPUS_DELAY : OPUS_DELAY + 3 * 48_000]
    got = levels_above_hum(heard_part, 48_000)
    voiced = wanted > wanted.max() - 40
    assert np.corrcoef(wanted[voiced], got[voiced])[0, 1] > 0.99
    assert np.abs(wanted - got)[voiced].max() < 4.0


async def test_speech_leaves_in_its_own_time_and_ends_with_silence(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair

    said = await alice.speak(tone)

    assert said.is_whole
    frames = boris.heard().frames
    # A loop that was late with the first packet has made up for it since.
    lasted = said.sent_times[-1] - said.sent_times[0]
    assert lasted > (len(tone.packets) - 2) * FRAME_S
    assert [each.timestamp - frames[0].timestamp for each in frames] == [
        FRAME_SAMPLES * index for index in range(len(frames))
    ]
    assert [frame.opus for frame in frames[-5:]] == [SILENCE] * 5
    assert said.last_voiced_time == said.sent_times[tone.last_voiced]


async def test_a_pause_moves_the_clock_and_not_the_numbers(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair
    await alice.speak(tone)
    await asyncio.sleep(0.3)
    await alice.speak(tone)

    frames = boris.heard().frames
    count = len(tone.packets) + 5
    last, first = frames[count - 1], frames[count]

    assert (first.sequence - last.sequence) & 0xFFFF == 1
    pause = ((first.timestamp - last.timestamp) & 0xFFFFFFFF) / 48_000
    assert pause == pytest.approx(first.time - last.time, abs=0.05)
    assert len(boris.heard().samples()) / 48_000 == pytest.approx(2 * 0.5 + 0.3, abs=0.1)


async def test_who_is_hushed_ends_with_silence_at_once(
    pair: tuple[PersonVoice, PersonVoice],
) -> None:
    alice, boris = pair
    speaking = asyncio.create_task(alice.speak(Speech.from_samples(sine(3.0), 48_000)))
    await boris.wait_for_sound(ALICE)

    alice.hush()
    said = await speaking

    assert not said.is_whole
    assert len(said.sent_times) < 140
    assert [frame.opus for frame in boris.heard(ALICE).frames[-5:]] == [SILENCE] * 5
    assert not alice.is_speaking


async def test_who_stops_waiting_stops_speaking(pair: tuple[PersonVoice, PersonVoice]) -> None:
    alice, boris = pair
    speaking = asyncio.create_task(alice.speak(Speech.from_samples(sine(3.0), 48_000)))
    await boris.wait_for_sound(ALICE)

    speaking.cancel()
    await asyncio.wait([speaking])

    assert [frame.opus for frame in boris.heard(ALICE).frames[-5:]] == [SILENCE] * 5
    assert not alice.is_speaking


async def test_one_interrupts_the_other(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair
    interrupting = asyncio.create_task(boris.interrupt(tone, user_id=ALICE, after_s=0.1))

    said, interruption = await asyncio.gather(alice.speak(tone), interrupting)

    assert said.started_time + 0.1 <= interruption.started_time <= said.sent_times[-1] + 0.2
    assert alice.heard(BORIS)


async def test_silence_is_told_from_sound(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair
    await alice.speak(Speech.silence(0.3))

    assert len(boris.heard(ALICE).frames) == 20
    assert boris.heard(ALICE).audible() == ()
    with pytest.raises(NotSeenError, match="sound from user 301"):
        await boris.wait_for_sound(ALICE, since=0.0, timeout_s=0.05)
    await alice.speak(tone)
    assert len(boris.heard(ALICE).audible()) >= len(tone.packets) - 1
    first = await boris.wait_for_sound(ALICE, since=0.0)
    assert first == boris.heard(ALICE).audible()[0]
    await boris.wait_for_quiet(ALICE, for_s=0.05)


async def test_nobody_hears_the_muted_and_the_deafened_hear_nobody(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair
    alice.muted, alice.deafened = True, True

    said, _ = await asyncio.gather(alice.speak(tone), boris.speak(tone))

    assert said.unsent == len(tone.packets)
    assert not boris.heard(ALICE)
    assert not alice.heard(BORIS)


async def test_people_hear_only_whom_they_listen_to(server: VoiceServer, tone: Speech) -> None:
    people = [PersonVoice(user_id, listens_to={3}) for user_id in (1, 2, 3)]
    for person in people:
        await server.join_person(person, GUILD, CHANNEL)

    await asyncio.gather(*(person.speak(tone) for person in people))

    assert people[0].heard(3)
    assert not people[0].heard(2)


async def test_two_calls_do_not_hear_each_other_and_a_move_ends_one(
    server: VoiceServer, pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, boris = pair
    await server.join_person(boris, GUILD, OTHER_CHANNEL)

    await alice.speak(tone)

    assert not boris.heard(ALICE)
    assert server.call(GUILD, CHANNEL).user_ids == (ALICE,)
    assert server.call(GUILD, OTHER_CHANNEL).user_ids == (BORIS,)


async def test_who_is_in_no_call_cannot_speak(
    server: VoiceServer, pair: tuple[PersonVoice, PersonVoice], tone: Speech
) -> None:
    alice, _ = pair
    await server.leave_person(alice)
    await server.leave_person(alice)

    with pytest.raises(NotInVoiceError, match="Alice"):
        await alice.speak(tone)
    assert not alice.is_ready
    assert alice.epoch == 0
    assert alice.privacy_code is None


async def test_what_is_said_on_the_way_out_is_unsent(
    server: VoiceServer, pair: tuple[PersonVoice, PersonVoice]
) -> None:
    alice, boris = pair
    speaking = asyncio.create_task(alice.speak(Speech.from_samples(sine(0.6), 48_000)))
    await boris.wait_for_sound(ALICE)
    await server.leave_person(alice)

    said = await speaking

    assert said.unsent > 0
    assert not said.is_whole


async def test_what_was_heard_can_be_written_as_a_file(
    pair: tuple[PersonVoice, PersonVoice], tone: Speech, tmp_path: Path
) -> None:
    alice, boris = pair
    await alice.speak(tone)

    boris.heard(ALICE).write_wav(tmp_path / "heard.wav")

    again = Speech.from_file(tmp_path / "heard.wav")
    assert again.duration_s == pytest.approx(0.5, abs=0.03)
    assert again.levels_db[5] == pytest.approx(tone.levels_db[5], abs=1.5)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("stereo", [False, True])
def test_samples_of_any_rate_become_packets_of_20_ms(rate: int, stereo: bool) -> None:
    time = np.arange(rate) / rate
    samples = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)

    speech = Speech.from_samples(samples, rate, OpusSettings(stereo=stereo))

    assert speech.duration_s == pytest.approx(1.0, abs=0.03)
    assert all(bool(packet[0] & 0x04) == stereo for packet in speech.packets)
    assert speech.levels_db[10] == pytest.approx(20 * np.log10(0.3 / np.sqrt(2)), abs=0.2)


def test_the_last_voiced_packet_is_found_before_the_silence() -> None:
    samples = np.concatenate([sine(0.5), np.zeros(24_000, np.float32)])

    speech = Speech.from_samples((samples * 32767).astype(np.int16), 48_000)

    assert speech.last_voiced == 24
    assert len(speech.packets) == 50


@pytest.mark.parametrize(
    "samples",
    [np.zeros(0, np.float32), np.zeros((2, 10), np.float32), np.zeros(10, np.int64)],
)
def test_what_is_no_audio_is_refused(samples: NDArray[np.float32]) -> None:
    with pytest.raises(UnreadableAudioError):
        Speech.from_samples(samples, 48_000)


def test_a_file_that_is_no_audio_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("no sound at all")

    with pytest.raises(UnreadableAudioError, match=r"notes\.wav"):
        Speech.from_file(tmp_path / "notes.wav")
    with pytest.raises(UnreadableAudioError, match=r"missing\.wav"):
        Speech.from_file(tmp_path / "missing.wav")


@pytest.mark.parametrize("wrong", [{"bitrate_bps": 10}, {"expected_loss_percent": 101}])
def test_settings_of_opus_have_bounds(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        OpusSettings(**wrong)  # type: ignore[arg-type]
