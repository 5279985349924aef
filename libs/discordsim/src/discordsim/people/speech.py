"""What a person says, as Opus packets of 20 ms, ready to be sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from discordsim.errors import UnreadableAudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ("FRAME_S", "FRAME_SAMPLES", "SAMPLE_RATE_HERTZ", "OpusSettings", "Speech")

SAMPLE_RATE_HERTZ = 48_000
FRAME_SAMPLES = 960
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HERTZ
_LONGEST_S = 3600.0
_QUIET_BELOW_PEAK_DB = 40.0
_SILENT_DB = -120.0


@dataclass(frozen=True, slots=True)
class OpusSettings:
    """How speech is encoded. The defaults are those of a voice channel of 64 kbit/s."""

    bitrate_bps: int = 64_000
    stereo: bool = False
    expected_loss_percent: int = 10
    """How much loss the encoder prepares for by in-band error correction; 0 switches that off."""

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises:
            ValueError: one does not hold.
        """
        if not 6_000 <= self.bitrate_bps <= 510_000:
            raise ValueError("bitrate_bps is not in [6000, 510000]")
        if not 0 <= self.expected_loss_percent <= 100:
            raise ValueError("expected_loss_percent is not in [0, 100]")


@dataclass(frozen=True, slots=True)
class Speech:
    """Something to say. Encoding takes time, so what is said often should be made once."""

    packets: tuple[bytes, ...] = field(repr=False)
    """Opus, 20 ms each, 48 kHz."""
    levels_db: NDArray[np.float32] = field(repr=False)
    """Loudness of each packet before encoding, dB of full scale."""

    @property
    def duration_s(self) -> float:
        """How long it takes to say."""
        return len(self.packets) * FRAME_S

    @property
    def last_voiced(self) -> int:
        """Index of the last packet with voice: within 40 dB of the loudest."""
        voiced = np.flatnonzero(self.levels_db >= self.levels_db.max() - _QUIET_BELOW_PEAK_DB)
        return int(voiced[-1])

    @classmethod
    def from_file(cls, path: Path | str, settings: OpusSettings | None = None) -> Speech:
        """Encode a recording in any format that FFmpeg reads. Blocks for 2 % of its length or so.

        Args:
            path: the file; its first audio stream is used.
            settings: how it is encoded.

        Raises:
            UnreadableAudioError: it is no audio, empty, or longer than an hour.
        """
        try:
            with av.open(str(path)) as container:
                if not container.streams.audio:
                    raise UnreadableAudioError(f"{Path(path).name} has no sound")
                resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HERTZ)
                pieces = [
                    piece.to_ndarray()[0]
                    for frame in container.decode(container.streams.audio[0])
                    for piece in resampler.resample(frame)
                ]
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
        except (av.FFmpegError, OSError) as error:
            raise UnreadableAudioError(f"{Path(path).name} cannot be read: {error}") from error
        return cls._encode(np.concatenate(pieces) if pieces else np.zeros(0, np.float32), settings)

    @classmethod
    def from_samples(
        cls,
        samples: NDArray[Any],
        sample_rate_hertz: int,
        settings: OpusSettings | None = None,
    ) -> Speech:
        """Encode samples. Blocks for 2 % of their length or so.

        Args:
            samples: mono, `[samples]`, float from -1 to 1 or int16.
            sample_rate_hertz: their rate.
            settings: how they are encoded.

        Raises:
            UnreadableAudioError: they have another shape or type, or are none or too many.
        """
        if samples.ndim != 1:
            raise UnreadableAudioError(f"samples have the shape {samples.shape}, not [samples]")
        if samples.dtype == np.int16:
            mono: NDArray[np.float32] = samples.astype(np.float32) / np.float32(32768)
        elif np.issubdtype(samples.dtype, np.floating):
            mono = samples.astype(np.float32)
        else:
            raise UnreadableAudioError(f"samples are {samples.dtype}, not float or int16")
        if sample_rate_hertz != SAMPLE_RATE_HERTZ and mono.size:
            mono = _resampled(mono, sample_rate_hertz)
        return cls._encode(mono, settings)

    @classmethod
    def silence(cls, duration_s: float) -> Speech:
        """Return digital silence that is really sent, unlike a person who says nothing."""
        return cls._encode(np.zeros(round(duration_s * SAMPLE_RATE_HERTZ), np.float32), None)

    @classmethod
    def _encode(cls, samples: NDArray[np.float32], settings: OpusSettings | None) -> Speech:
        if not samples.size:
            raise UnreadableAudioError("there is nothing in the audio")
        if samples.size > _LONGEST_S * SAMPLE_RATE_HERTZ:
            raise UnreadableAudioError("the audio is longer than an hour")
        whole = np.pad(samples, (0, -samples.size % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
        energy = np.mean(np.square(whole, dtype=np.float64), axis=1)
        levels = 10 * np.log10(np.maximum(energy, 10 ** (_SILENT_DB / 10)))
        packets = tuple(_packets(whole, settings or OpusSettings()))
        return cls(packets[: len(whole)], levels.astype(np.float32))


def _resampled(samples: NDArray[np.float32], sample_rate_hertz: int) -> NDArray[np.float32]:
    frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
    frame.sample_rate = sample_rate_hertz
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE_HERTZ)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])


def _packets(frames: NDArray[np.float32], settings: OpusSettings) -> Iterator[bytes]:
    layout = "stereo" if settings.stereo else "mono"
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)  # noqa: S101 - what libopus is
    encoder.sample_rate = SAMPLE_RATE_HERTZ
    encoder.layout = layout
    encoder.format = "flt"
    encoder.bit_rate = settings.bitrate_bps
    encoder.options = {
        "application": "voip",
        "frame_duration": "20",
        "fec": "1" if settings.expected_loss_percent else "0",
        "packet_loss": str(settings.expected_loss_percent),
    }
    channels = 2 if settings.stereo else 1
    for index, mono in enumerate(frames):
        samples = np.repeat(mono, channels)[None, :]
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=layout)
        frame.sample_rate = SAMPLE_RATE_HERTZ
        frame.pts = index * FRAME_SAMPLES
        yield from (bytes(packet) for packet in encoder.encode(frame))
    # The encoder looks ahead 6.5 ms, so it holds a last packet back.
    yield from (bytes(packet) for packet in encoder.encode(None))
