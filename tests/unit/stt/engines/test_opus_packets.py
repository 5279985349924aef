"""Real Opus packets through libopus: what comes out if all, some or damaged ones come in."""

from __future__ import annotations

import ctypes
import ctypes.util
import gc
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from faster_whisper.audio import decode_audio

from voicemesh_chassis.service import StartupError
from voicemesh_stt.domain import Lost, Packet, Silence
from voicemesh_stt.engines import libopus
from voicemesh_stt.engines.libopus import LibOpus, OpusError, load_libopus
from voicemesh_stt.engines.opus import OpusLiveDecoder
from voicemesh_stt.errors import UnreadableAudioError
from voicemesh_stt.live.packets import Ordered, PacketSequencer, packet_samples

pytestmark = pytest.mark.unit

Audio = npt.NDArray[np.float32]
Encode = Callable[..., list[bytes]]
SILENCE_FRAME = b"\xf8\xff\xfe"
DAMAGED = b"\xff\xff\xff\x07" * 5


@pytest.fixture(scope="module")
def said(speech: Path) -> Audio:
    """Two seconds of speech."""
    audio: Audio = decode_audio(str(speech / "librivox-0930.wav"), sampling_rate=16_000)
    return audio[:32_000]


def numbered(data: Collection[bytes], samples: int = 960) -> list[Packet]:
    return [Packet(each, i % 65_536, i * samples) for i, each in enumerate(data)]


def decoded(items: list[Any]) -> Audio:
    decoder = OpusLiveDecoder()
    return np.concatenate([decoder.decode(item) for item in items] + [decoder.flush()])


def through(data: list[bytes], lost: Collection[int] = ()) -> Audio:
    """What is heard if the packets with these numbers do not come."""
    sequencer = PacketSequencer()
    items: list[Ordered] = []
    for packet in numbered(data):
        if packet.sequence not in lost:
            items += sequencer.push(packet)
    return decoded(items + sequencer.flush())


def likeness(heard: Audio, said: Audio) -> float:
    """The correlation of two recordings, the first up to 20 ms behind."""
    length = min(len(heard), len(said)) - 800
    at = range(320)
    return max(float(np.corrcoef(heard[d : d + length], said[:length])[0, 1]) for d in at)


def distance_db(heard: Audio, clean: Audio) -> float:
    """How far two recordings are apart, as the mean log-spectral distance of 25 ms frames."""
    spectra = []
    for audio in (heard, clean):
        frames = np.lib.stride_tricks.sliding_window_view(audio, 400)[::160] * np.hanning(400)
        spectra.append(10 * np.log10(np.abs(np.fft.rfft(frames)) ** 2 + 1e-4))
    return float(np.sqrt(((spectra[0] - spectra[1]) ** 2).mean(axis=1)).mean())


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60, 80, 100, 120])
def test_packets_of_every_length_are_heard(
    said: Audio, opus: Encode, layout: str, frame_ms: float
) -> None:
    packets = opus(said, layout=layout, frame_ms=frame_ms)

    heard = decoded(numbered(packets, round(48 * frame_ms)))

    assert {packet_samples(packet) for packet in packets} == {round(48 * frame_ms)}
    assert len(heard) == len(packets) * round(16 * frame_ms)
    assert likeness(heard, said) > 0.75  # the encoder takes out what is below the voice


def test_a_stereo_packet_is_mixed(opus: Encode) -> None:
    tone = (0.25 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.float32)

    one, two = (decoded(numbered(opus(tone, layout=layout))) for layout in ("mono", "stereo"))

    assert np.abs(one[4_000:12_000]).max() == pytest.approx(0.25, abs=0.03)
    # FFmpeg shares the sound of one channel between two at equal power.
    assert np.abs(two[4_000:12_000]).max() == pytest.approx(0.25 / 2**0.5, abs=0.02)


def test_the_length_of_every_first_byte_is_that_of_libopus() -> None:
    length_of = ctypes.CDLL(libopus.candidates()[0]).opus_packet_get_nb_samples
    for first in range(256):
        for second in (0, 1, 2, 6, 48, 63):
            data = bytes((first, second)) + bytes(60)
            length = length_of(data, len(data), 48_000)
            assert packet_samples(data) == (length if length > 0 else 960)  # else it is damaged


def test_a_copy_in_the_next_packet_is_better_than_a_guess_and_a_guess_than_nothing(
    said: Audio, opus: Encode
) -> None:
    lost = range(7, 95, 7)
    with_copies, without = opus(said, fec=True), opus(said)
    silenced = decoded([Silence(960) if p.sequence in lost else p for p in numbered(with_copies)])

    clean = through(with_copies)
    copied = distance_db(through(with_copies, lost), clean)
    guessed = distance_db(through(without, lost), through(without))
    nothing = distance_db(silenced, clean)

    assert copied < 0.7 * guessed
    assert guessed < 0.85 * nothing


@pytest.mark.parametrize("fec", [False, True])
@pytest.mark.parametrize("lost", [[50], [50, 51], range(50, 55), range(50, 75), range(10, 90)])
def test_what_is_lost_leaves_no_gap_in_time(
    said: Audio, opus: Encode, fec: bool, lost: Collection[int]
) -> None:
    packets = opus(said, fec=fec)

    assert len(through(packets, lost)) == len(packets) * 320


def test_nothing_is_made_up_for_longer_than_a_tenth_of_a_second(said: Audio, opus: Encode) -> None:
    heard = through(opus(said), range(50, 70))

    assert heard[50 * 320 : 55 * 320].any()
    assert not heard[55 * 320 : 70 * 320].any()


def test_nothing_goes_on_in_a_silence(said: Audio, opus: Encode) -> None:
    packets = numbered(opus(said))
    items = [*packets[:50], Silence(48_000), Lost(1_920, packets[98]), packets[98]]

    heard = decoded(items)

    assert not heard[50 * 320 : 50 * 320 + 16_000 + 640].any()


@pytest.mark.parametrize(
    "damaged", [DAMAGED, b"\xfb", b"\xfb\x00", b"\xfb\xff" * 3, b"\x7b\x3f\xff"]
)
def test_a_damaged_packet_is_concealed_and_the_next_one_is_heard(
    said: Audio, opus: Encode, damaged: bytes
) -> None:
    packets = opus(said)
    clean = through(packets)
    packets[50] = damaged

    heard = through(packets)

    moved = len(heard) - len(clean)  # as long as it says itself to be
    assert moved == packet_samples(damaged) // 3 - 320
    assert np.isfinite(heard).all()
    after = slice(56 * 320, 90 * 320)
    assert np.corrcoef(heard[after.start + moved : after.stop + moved], clean[after])[0, 1] > 0.98


def test_a_whole_stream_of_damage_is_only_silence() -> None:
    chance = np.random.default_rng(5)
    packets = [b"\xff\x3f" + chance.bytes(30) for _ in range(200)]

    heard = through(packets)

    assert len(heard) == 200 * 320
    assert not heard.any()


def test_a_silence_frame_is_silent_at_once(said: Audio, opus: Encode) -> None:
    loudest = int(np.abs(said).argmax()) // 320 + 2  # the encoder is 6.5 ms behind
    packets = [*opus(said)[:loudest], SILENCE_FRAME, SILENCE_FRAME]

    heard = through(packets)

    assert np.abs(heard[-960:-640]).max() > 0.05
    assert not heard[-640:].any()


def test_bytes_are_refused() -> None:
    with pytest.raises(UnreadableAudioError) as caught:
        OpusLiveDecoder().decode(b"bytes")

    assert caught.value.field == "audio"


def test_a_decoder_is_freed_with_its_stream() -> None:
    freed: list[int] = []

    class Counted(LibOpus):
        def destroy(self, state: int) -> None:
            freed.append(state)
            super().destroy(state)

    decoder = Counted(libopus.candidates()[0]).decoder(16_000)
    assert not freed

    del decoder
    gc.collect()

    assert len(freed) == 1


def test_libopus_says_what_is_wrong() -> None:
    library = load_libopus()

    with pytest.raises(OpusError, match="corrupted stream"):
        library.decoder(16_000).decode_float(b"\xff\xff\xff")
    with pytest.raises(OpusError, match="invalid argument"):
        library.decoder(44_100)


def test_without_libopus_the_service_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "av").mkdir()
    (tmp_path / "av.libs").mkdir()
    (tmp_path / "av.libs" / "libopus-0.so").write_bytes(b"not a library")
    monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: None)

    with pytest.raises(StartupError, match="pip install") as caught:
        load_libopus.__wrapped__()

    assert "libopus-0.so" in str(caught.value)


def test_the_systems_library_comes_after_that_of_pyav(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    libraries = tmp_path / "av.libs"
    (tmp_path / "av").mkdir()
    libraries.mkdir()
    for name in ("libopusfile.so", "libopus-1.so", "libavutil.so"):
        (libraries / name).touch()
    monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))
    monkeypatch.setattr(ctypes.util, "find_library", lambda _name: "libopus.so.0")

    assert libopus.candidates() == [str(libraries / "libopus-1.so"), "libopus.so.0"]
