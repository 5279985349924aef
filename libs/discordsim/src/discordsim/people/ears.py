"""What a person hears: every packet with the time it came, decoded when somebody asks."""

from __future__ import annotations

import asyncio
import wave
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av
import numpy as np

from discordsim.people.speech import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HERTZ
from discordsim.people.waiting import Bell

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from discordsim.voice.rtp import Rtp

__all__ = ("AUDIBLE_DB", "Ears", "Heard", "HeardFrame")

AUDIBLE_DB = -50.0
"""Loudness of 20 ms, dB of full scale, from which a person notices that there is sound."""

_MOST_FRAMES = 500_000  # two hours and three quarters of one speaker
_REMEMBERED = 1024
_NEW_SPURT_S = 0.3


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """One packet that arrived and could be read."""

    user_id: int
    """Who sent it."""
    time: float
    """When it arrived, by `time.monotonic`."""
    sequence: int
    timestamp: int
    ssrc: int
    opus: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody was heard saying, in the order of their clock."""

    frames: tuple[HeardFrame, ...] = field(repr=False)

    def __bool__(self) -> bool:
        """Whether there is anything, be it silence."""
        return bool(self.frames)

    @property
    def started_time(self) -> float:
        """When the first packet arrived; the time of the first sample.

        Raises:
            IndexError: there is none.
        """
        return self.frames[0].time

    def levels_db(self) -> NDArray[np.float32]:
        """Return the loudness of each packet, dB of full scale."""
        return np.array([_level_db(each) for each in _decoded(self.frames)], np.float32)

    def audible(self) -> tuple[HeardFrame, ...]:
        """Return the packets in which there is sound.

        The time of the first is when sound began for the person, that of the last when it ended.
        """
        decoded = _decoded(self.frames)
        pairs = zip(self.frames, decoded, strict=True)
        return tuple(frame for frame, samples in pairs if _level_db(samples) >= AUDIBLE_DB)

    def samples(self) -> NDArray[np.float32]:
        """Return what was heard as one piece: mono, float32 `[samples]` at 48 kHz.

        Packets stand where the sender's clock puts them, and pauses in which nothing came are
        silence as long as they were.
        """
        places = _places(self.frames)
        if not places:
            return np.zeros(0, np.float32)
        whole = np.zeros(max(places) + FRAME_SAMPLES, np.float32)
        for place, samples in zip(places, _decoded(self.frames), strict=True):
            end = place + FRAME_SAMPLES
            whole[place:end] = samples[:FRAME_SAMPLES]
        return whole

    def write_wav(self, path: Path) -> None:
        """Write the samples as a 16 bit WAV file."""
        pcm = np.clip(self.samples() * 32767, -32768, 32767).astype("<i2")
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HERTZ)
            file.writeframes(pcm.tobytes())


class Ears:
    """Keeps what one person hears."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._frames: deque[HeardFrame] = deque(maxlen=_MOST_FRAMES)
        self._seen: deque[tuple[int, int, int]] = deque(maxlen=_REMEMBERED)
        self._bell = Bell()
        self.duplicates = 0
        """Packets that came a second time."""

    def take(self, user_id: int, packet: Rtp, opus: bytes, time: float) -> None:
        """Keep a packet; one that came before is dropped."""
        name = (packet.ssrc, packet.sequence, packet.timestamp)
        if name in self._seen:
            self.duplicates += 1
            return
        self._seen.append(name)
        self._frames.append(
            HeardFrame(user_id, time, packet.sequence, packet.timestamp, packet.ssrc, opus)
        )
        self._bell.ring()

    def heard(self, user_id: int | None = None, *, since: float = 0.0) -> Heard:
        """Return what came, in order.

        Args:
            user_id: from whom; None if only one person was heard or all shall be mixed up.
            since: leave out what came before this time of `time.monotonic`.
        """
        return Heard(_in_order(self._chosen(user_id, since)))

    def _chosen(self, user_id: int | None, since: float) -> list[HeardFrame]:
        found = []
        for frame in reversed(self._frames):
            # Packets that were held up may stand behind later ones, by less than a second.
            if frame.time < since - 1.0:
                break
            if frame.time >= since and user_id in {None, frame.user_id}:
                found.append(frame)
        return found[::-1]

    async def wait_for_sound(
        self, user_id: int | None = None, *, since: float | None = None, timeout_s: float = 10.0
    ) -> HeardFrame:
        """Return the first packet with sound in it.

        Args:
            user_id: from whom; None for anybody.
            since: a time of `time.monotonic`; None for now.
            timeout_s: how long to wait at most.

        Raises:
            NotSeenError: there was none in time.
        """
        start = asyncio.get_running_loop().time() if since is None else since
        meter = _Meter()

        def look() -> HeardFrame | None:
            news = self._chosen(user_id, start)[meter.measured :]
            return next((frame for frame in news if meter.is_audible(frame)), None)

        who = "anybody" if user_id is None else f"user {user_id}"
        return await self._bell.wait_for(look, timeout_s, f"sound from {who}")

    async def wait_for_quiet(
        self, user_id: int | None = None, *, for_s: float = 0.5, timeout_s: float = 30.0
    ) -> None:
        """Return once there has been no sound for a while.

        Args:
            user_id: from whom; None for anybody.
            for_s: how long the quiet lasts.
            timeout_s: how long to wait at most.

        Raises:
            NotSeenError: there was sound again and again.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        quiet_since = loop.time()
        while (rest := quiet_since + for_s - loop.time()) > 0:
            try:
                async with asyncio.timeout(rest):
                    frame = await self.wait_for_sound(
                        user_id, since=quiet_since, timeout_s=max(end - loop.time(), 0.0)
                    )
            except TimeoutError:
                if loop.time() >= end:
                    raise
                return
            quiet_since = frame.time + FRAME_S


class _Meter:
    """Measures packets as they come; each speaker has a decoder."""

    def __init__(self) -> None:
        self._decoders: dict[int, av.AudioCodecContext] = {}
        self.measured = 0

    def is_audible(self, frame: HeardFrame) -> bool:
        self.measured += 1
        decoder = self._decoders.setdefault(frame.ssrc, _decoder())
        return _level_db(_decode(decoder, frame.opus)) >= AUDIBLE_DB


def _decoder() -> av.AudioCodecContext:
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)  # noqa: S101 - what libopus is
    return decoder


def _decode(decoder: av.AudioCodecContext, opus: bytes) -> NDArray[np.float32]:
    """Returns mono samples; a packet that is no Opus sounds like nothing."""
    try:
        frames = decoder.decode(av.Packet(opus))
    except av.FFmpegError:
        return np.zeros(FRAME_SAMPLES, np.float32)
    pieces = [frame.to_ndarray().reshape(-1, 2).mean(axis=1) / 32768 for frame in frames]
    whole = np.concatenate(pieces).astype(np.float32) if pieces else np.zeros(0, np.float32)
    return np.pad(whole, (0, max(0, FRAME_SAMPLES - whole.size)))


def _decoded(frames: Iterable[HeardFrame]) -> list[NDArray[np.float32]]:
    decoders: dict[int, av.AudioCodecContext] = {}
    found = []
    for frame in frames:
        if frame.ssrc not in decoders:
            decoders[frame.ssrc] = _decoder()
        found.append(_decode(decoders[frame.ssrc], frame.opus))
    return found


def _level_db(samples: NDArray[np.float32]) -> float:
    energy = float(np.mean(np.square(samples, dtype=np.float64)))
    return 10 * float(np.log10(max(energy, 1e-12)))


def _in_order(frames: Iterable[HeardFrame]) -> tuple[HeardFrame, ...]:
    """Sorts packets that overtook each other; each source's clock counts for itself."""
    found: list[HeardFrame] = []
    for frame in frames:
        place = len(found)
        while place and _is_before(frame, found[place - 1]):
            place -= 1
        found.insert(place, frame)
    return tuple(found)


def _is_before(one: HeardFrame, other: HeardFrame) -> bool:
    """Whether a packet belongs before another one that came earlier, modulo 65536."""
    if one.ssrc != other.ssrc:
        return False
    return (other.sequence - one.sequence) & 0xFFFF < 1 << 12 and one.sequence != other.sequence


def _places(frames: Iterable[HeardFrame]) -> list[int]:
    """Returns where each packet's first sample stands.

    Within a spurt the sender's clock counts. A sender whose clock stands still while it is silent
    (discord.py's does) begins a new spurt, at the time its first packet came.
    """
    places: list[int] = []
    origin: dict[int, tuple[int, int]] = {}  # by SSRC: a place, and the timestamp there
    began: float | None = None
    for frame in frames:
        began = frame.time if began is None else began
        by_time = round((frame.time - began) * SAMPLE_RATE_HERTZ)
        place, timestamp = origin.get(frame.ssrc, (by_time, frame.timestamp))
        # The difference of two clocks that wrap, as a number with a sign.
        elapsed = (frame.timestamp - timestamp + (1 << 31)) % (1 << 32) - (1 << 31)
        by_clock = place + elapsed
        if by_clock < 0 or abs(by_time - by_clock) > _NEW_SPURT_S * SAMPLE_RATE_HERTZ:
            by_clock = max(by_time, 0)
        origin[frame.ssrc] = (by_clock, frame.timestamp)
        places.append(by_clock)
    return places
