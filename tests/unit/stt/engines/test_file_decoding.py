"""Files that are decoded as they come, against the same ones decoded as a whole."""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from voicemesh_stt.domain import AudioFormat, Encoding
from voicemesh_stt.engines.containers import BoundedRecordingDecoder
from voicemesh_stt.engines.file_decoding import ProgressiveFileDecoder
from voicemesh_stt.errors import UnreadableAudioError
from voicemesh_stt.files.ports import AudioBlock
from voicemesh_stt.files.spool import Spool

pytestmark = pytest.mark.unit

CONTAINER = AudioFormat(Encoding.CONTAINER)
RATE = 48_000
LENGTH_S = 20
KINDS = {
    "wav": ("wav", "pcm_s16le", {}),
    "flac": ("flac", "flac", {}),
    "mp3": ("mp3", "libmp3lame", {}),
    "ogg": ("ogg", "libopus", {}),
    "webm": ("webm", "libopus", {}),
    "adts": ("adts", "aac", {}),
    "m4a": ("ipod", "aac", {}),
    "m4a, index first": ("ipod", "aac", {"movflags": "+faststart"}),
    "m4a, in fragments": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
}


def sweep() -> npt.NDArray[np.float32]:
    """A tone whose pitch says when it is."""
    time_s = np.arange(RATE * LENGTH_S) / RATE
    return (0.5 * np.sin(2 * np.pi * (200 + 5 * time_s) * time_s)).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The sweep in every kind of file."""
    return {kind: encoded(tmp_path_factory.mktemp("kind"), *how) for kind, how in KINDS.items()}


def encoded(path: Path, container: str, codec: str, options: dict[str, str]) -> bytes:
    file = path / "sweep"
    with av.open(str(file), "w", format=container, options=options) as output:
        stream: Any = output.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(sweep()[np.newaxis], format="fltp", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(stream.format, "mono", RATE, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return file.read_bytes()


def whole(data: bytes, audio_format: AudioFormat = CONTAINER) -> npt.NDArray[np.float32]:
    stop = threading.Event()
    decoder = BoundedRecordingDecoder(600)
    return np.stack(decoder.decode(data, audio_format, separate=True, stop=stop))


def blocks(
    data: bytes, audio_format: AudioFormat = CONTAINER, skip_s: float = 0.0
) -> list[AudioBlock]:
    source = io.BytesIO(data)
    decoder = ProgressiveFileDecoder()
    return list(decoder.blocks(source, audio_format, separate=True, skip_s=skip_s))


def joined(found: list[AudioBlock]) -> npt.NDArray[np.float32]:
    for before, after in pairwise(found):
        assert after.first_sample == before.first_sample + before.planes.shape[1]
    return np.concatenate([block.planes for block in found], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_sounds_the_same_in_parts(files: dict[str, bytes], kind: str) -> None:
    expected = whole(files[kind])
    found = joined(blocks(files[kind]))

    assert abs(found.shape[1] - expected.shape[1]) <= 1_000  # what an encoder pads the end with
    np.testing.assert_allclose(found[:, : 19 * 16_000], expected[:, : 19 * 16_000], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("skip_s", [1.0, 11.3, 19.9])
def test_what_is_skipped_leaves_the_rest_in_its_place(
    files: dict[str, bytes], kind: str, skip_s: float
) -> None:
    expected = whole(files[kind])
    found = blocks(files[kind], skip_s=skip_s)
    first = found[0].first_sample
    audio = joined(found)

    assert first <= skip_s * 16_000
    wanted = round(skip_s * 16_000) - first
    length = expected.shape[1] - first - wanted - 1_000
    there = audio[0, wanted : wanted + length]
    # The first sample may lie between two of the whole's, of which there are 16,000 a second.
    np.testing.assert_allclose(there, expected[0, first + wanted :][:length], atol=0.05)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"m4a"}))
def test_audio_comes_while_most_of_the_file_is_missing(files: dict[str, bytes], kind: str) -> None:
    data = files[kind]
    spool = Spool(1 << 30, 1 << 30)
    spool.append(data[: len(data) // 2])
    decoding = ProgressiveFileDecoder().blocks(spool, CONTAINER, separate=False, skip_s=0)
    first = next(decoding)
    spool.cancel()
    decoding.close()
    spool.close()

    assert first.planes.shape[1]


def test_an_index_at_the_end_is_waited_for(files: dict[str, bytes]) -> None:
    data = files["m4a"]
    spool = Spool(1 << 30, 1 << 10)
    found: list[AudioBlock] = []
    decoding = ProgressiveFileDecoder().blocks(spool, CONTAINER, separate=False, skip_s=0)
    thread = threading.Thread(target=lambda: found.extend(decoding))
    thread.start()
    for start in range(0, len(data), 1 << 14):
        spool.append(data[start : start + (1 << 14)])
    spool.finish()
    thread.join(20)
    spool.close()

    assert joined(found).shape[1] == whole(data).shape[1]


def test_an_index_at_the_end_does_not_hold_the_upload_up(files: dict[str, bytes]) -> None:
    data = files["m4a"]
    room = threading.Event()
    spool = Spool(1 << 30, 1 << 10, moved=room.set)
    decoding = ProgressiveFileDecoder().blocks(spool, CONTAINER, separate=False, skip_s=0)

    def decode() -> None:
        with suppress(UnreadableAudioError):  # it is cancelled in the middle
            list(decoding)

    thread = threading.Thread(target=decode)
    spool.append(data[: len(data) // 2])
    assert not spool.has_room()
    thread.start()
    assert room.wait(20)
    spool.cancel()
    thread.join(20)
    spool.close()


@pytest.mark.parametrize("encoding", [Encoding.PCM_S16LE, Encoding.MULAW])
@pytest.mark.parametrize("skip_s", [0.0, 0.5, 7.7, 30.0])
def test_headerless_samples_are_skipped_to_the_sample(encoding: Encoding, skip_s: float) -> None:
    size = 4 if encoding is Encoding.PCM_S16LE else 2
    noise = np.random.default_rng(5).integers(0, 256, 16_000 * 10 * size, dtype=np.uint8).tobytes()
    audio_format = AudioFormat(encoding, 16_000, 2)
    found = blocks(noise, audio_format, skip_s)
    first = found[0].first_sample

    assert first <= skip_s * 16_000
    np.testing.assert_array_equal(joined(found), whole(noise, audio_format)[:, first:])


@pytest.mark.parametrize("kind", ["wav", "flac", "m4a, index first"])
@pytest.mark.parametrize("skip_s", [0.0, 15.0])
def test_a_file_that_is_cut_off_is_refused(
    files: dict[str, bytes], kind: str, skip_s: float
) -> None:
    data = files[kind]
    with pytest.raises(UnreadableAudioError):
        blocks(data[: len(data) // 2], skip_s=skip_s)


def test_half_a_sample_at_the_end_is_refused() -> None:
    with pytest.raises(UnreadableAudioError, match="cut off"):
        blocks(bytes(101), AudioFormat(Encoding.PCM_S16LE, 16_000, 1))
