"""Everything a call needs, put together once: voices, engine threads, encoders and limits."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_tts.audio.chain import AudioChain
from voicemesh_tts.audio.levels import VoiceLevels
from voicemesh_tts.audio.pool import EncodingPool
from voicemesh_tts.clause_cache import ClauseCache
from voicemesh_tts.domain import EncodedAudio, SpeechRequest, TimedWord, Timings
from voicemesh_tts.errors import AudioTooLargeError, NothingToSpeakError
from voicemesh_tts.reading_pool import ReadingPool
from voicemesh_tts.speaker import Speaker
from voicemesh_tts.streaming import SpeechStream, StreamLimits
from voicemesh_tts.text import ClauseLimits, ClausePlanner, plan, prepare
from voicemesh_tts.text.ssml import plan_ssml
from voicemesh_tts.timeline import Timeline, moved
from voicemesh_tts.turns import TurnLimits, Turns
from voicemesh_tts.voices.cast import Cast
from voicemesh_tts.voices.shelf import VoiceKeeper, VoiceShelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from voicemesh_tts.calls import Call
    from voicemesh_tts.domain import Clause, Voice
    from voicemesh_tts.metrics import TtsMetrics
    from voicemesh_tts.ports import VoiceEngine, VoiceMixer
    from voicemesh_tts.speaker import ClauseSound

__all__ = ("Speech", "Studio", "StudioLimits")

# Room for the rest of a response in a message that the audio nearly fills.
_ENVELOPE_BYTES = 64 * 1024
_WORD_BYTES = 64
_LOOK_AGAIN_S = 1.0
"""How soon the engines are asked again which voices they have, in seconds."""
_MOST_LANGUAGES = 64
"""What the reading of texts remembers."""


@dataclass(frozen=True)
class StudioLimits:
    """Bounds of calls."""

    text_chars: int = 5_000
    """Most characters of a whole text, and of one message of a stream."""

    audio_bytes: int = 32 * 1024 * 1024
    """Largest message; a whole text's audio must fit into one."""

    opus_bitrate: int = 48_000
    """Bits a second of Opus, for one channel."""

    cache_bytes: int = 64 * 1024 * 1024
    """What clauses that have been spoken may take up; 0 keeps none."""

    loudness_lufs: float | None = None
    """Loudness of every voice; None leaves them as they are."""

    clauses: ClauseLimits = field(default_factory=ClauseLimits)
    """Where texts are cut."""

    stream: StreamLimits = field(default_factory=StreamLimits)
    """Bounds of one stream."""

    turns: TurnLimits = field(default_factory=TurnLimits)
    """How callers share the engines."""

    voices: ShelfLimits = field(default_factory=ShelfLimits)
    """How many voices are in memory."""


@dataclass(frozen=True)
class Speech:
    """A whole text, spoken."""

    audio: EncodedAudio
    """All of it."""

    timings: Timings
    """Where the time went."""

    words: tuple[TimedWord, ...] = ()
    """When each word is spoken, if that was asked for and is known."""


class Studio:
    """Made in the event loop that serves; `open` it before use and `aclose` it after.

    Attributes:
        cast: who can speak.
        limits: bounds of calls.
        metrics: what is counted.
    """

    def __init__(
        self,
        engines: Sequence[VoiceEngine],
        default_voice: str,
        limits: StudioLimits,
        metrics: TtsMetrics,
        mixers: Sequence[VoiceMixer] = (),
    ) -> None:
        """Loads nothing yet.

        Args:
            engines: who has the voices.
            default_voice: id of the voice of requests that name none.
            limits: bounds of calls.
            metrics: what is counted.
            mixers: those of the engines that have voices which are not listed.
        """
        self.cast = Cast(engines, default_voice, mixers)
        self.limits = limits
        self.metrics = metrics
        self._engines = tuple(engines)
        self._levels = VoiceLevels(limits.loudness_lufs)
        self._cache = ClauseCache(limits.cache_bytes)
        metrics.watch_cache(self._cache)
        self._turns = Turns(limits.turns, metrics)
        self._pool = EncodingPool()
        self._reading = ReadingPool()
        keeper = VoiceKeeper(self._load, self._unload, self._memory_bytes)
        self._shelf = VoiceShelf(limits.voices, frozenset({default_voice}), keeper, metrics)
        self._speaker = Speaker(
            self.cast, self._turns, self._cache, self._levels, self._reading, metrics
        )
        self._streams: set[SpeechStream] = set()
        self._looked_s: float | None = None
        self._prepared: set[str] = set()

    async def open(self) -> None:
        """Finds the voices and loads the default one.

        Raises:
            StartupError: if that one cannot be used.
        """
        engine = self.cast.default_engine()
        # First of all, because its error says best what is missing.
        await asyncio.to_thread(engine.load, self.cast.default)
        await self.look()
        await asyncio.to_thread(self.cast.search, self.cast.default)
        voice = self.cast.find(self.cast.default)
        if voice is None:
            msg = f"the {engine.name} engine speaks as {self.cast.default!r} but does not list it"
            raise StartupError(msg)
        async with self._shelf.lease(voice):
            self._shelf.start()
        await self._prepare(voice.language_codes[0] if voice.language_codes else "")

    async def aclose(self) -> None:
        """Waits for the work that runs; gives the threads and what the engines hold back."""
        await self._turns.aclose()
        await self._pool.aclose()
        await self._reading.aclose()
        await self._shelf.aclose()
        for engine in self._engines:
            await asyncio.to_thread(engine.close)

    def drain(self) -> None:
        """The service is to stop: streams end as soon as they have nothing to speak."""
        for stream in self._streams:
            stream.drain()

    async def look(self) -> None:
        """Finds voices that have been installed since; not more than once a second."""
        now_s = time.monotonic()
        if self._looked_s is None or now_s - self._looked_s >= _LOOK_AGAIN_S:
            self._looked_s = now_s
            await asyncio.to_thread(self.cast.look)

    async def choose(self, voice_id: str, language_code: str, tenant: str = "") -> Voice:
        """The voice of a request; see `Cast.choose`. One that has just been installed is found."""
        if voice_id and self.cast.find(voice_id, tenant) is None:
            await self.look()
            if self.cast.find(voice_id) is None:
                await asyncio.to_thread(self.cast.search, voice_id)
        return self.cast.choose(voice_id, language_code, tenant)

    def is_loaded(self, voice: Voice) -> bool:
        """Whether the voice is in memory."""
        return self._shelf.is_loaded(voice)

    async def forget(self, voice: Voice) -> None:
        """Drops what is known of a voice that there is no more."""
        self._cache.forget_voice(voice.id)
        self._levels.forget(voice.id)
        await self._shelf.forget(voice)

    @asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[SpeechStream]:
        """A text to be spoken while it is written, as soon as its voice is loaded.

        Raises:
            ServiceError: if the voice cannot be loaded; see `VoiceShelf.lease`.
        """
        await self._prepare(call.language)
        async with self._shelf.lease(call.request.voice):
            stream = SpeechStream(
                call,
                self._speaker,
                self._chain(call.request, whole=False),
                self._pool,
                ClausePlanner(self.limits.clauses, call.language),
                self.limits.stream,
            )
            self._streams.add(stream)
            try:
                yield stream
            finally:
                self._streams.discard(stream)

    async def speak(self, call: Call, *, ssml: bool = False) -> Speech:
        """Speaks a whole text, sentence by sentence and in turn with other callers.

        Args:
            call: with the text as its source.
            ssml: whether the text is a document of SSML.

        Raises:
            NothingToSpeakError: if the text has no words.
            InvalidArgumentError: if it is no SSML that can be spoken.
            AudioTooLargeError: if the audio does not fit into one message.
            OverloadedError: if too many wait.
            ServiceError: if the voice cannot be loaded; see `VoiceShelf.lease`.
        """
        await self._prepare(call.language)
        clauses = await self._reading.run(lambda: self._planned(call, ssml=ssml))
        async with self._shelf.lease(call.request.voice):
            recital = _Recital(self._chain(call.request, whole=True), call, self._pool)
            for clause in clauses:
                async with aclosing(self._speaker.speak(clause, call)) as sounds:
                    async for sound in sounds:
                        await recital.add(clause, sound)
                        self._check_size(recital.size_bytes, "ssml" if ssml else "text")
            if recital.is_empty:
                msg = "the text has no words: it is empty, or only emoji, markup or punctuation"
                raise NothingToSpeakError(msg, field="ssml" if ssml else "text")
            return await recital.finish()

    def _planned(self, call: Call, *, ssml: bool) -> Sequence[Clause]:
        limits = _unhurried(self.limits.clauses)
        text = call.source or ""
        if not ssml:
            return plan(text, limits)
        return plan_ssml(text, limits, call.language, call.pronunciations)

    def _chain(self, request: SpeechRequest, *, whole: bool) -> AudioChain:
        return AudioChain(request, opus_bitrate=self.limits.opus_bitrate, whole=whole)

    def _check_size(self, size_bytes: int, field_name: str) -> None:
        if size_bytes > self.limits.audio_bytes - _ENVELOPE_BYTES:
            msg = (
                f"the audio is larger than a message may be ({self.limits.audio_bytes} bytes); "
                "use StreamSynthesize, a compressed encoding, or a shorter text"
            )
            raise AudioTooLargeError(msg, field=field_name)

    async def _prepare(self, language_code: str) -> None:
        """Reads what the first text of a language needs, off the event loop."""
        if language_code not in self._prepared:
            await asyncio.to_thread(prepare, language_code)
            if len(self._prepared) < _MOST_LANGUAGES:
                self._prepared.add(language_code)

    # What the shelf does with voices, in threads.

    def _load(self, voice: Voice) -> None:
        engine = self.cast.engine_of(voice)
        engine.load(voice.id)
        self._levels.measure(engine, voice)

    def _unload(self, voice: Voice) -> None:
        self.cast.engine_of(voice).unload(voice.id)

    def _memory_bytes(self, voice: Voice) -> int:
        return self.cast.engine_of(voice).memory_bytes(voice.id)


class _Recital:
    """The audio of a whole text as it comes together."""

    def __init__(self, chain: AudioChain, call: Call, pool: EncodingPool) -> None:
        self._chain = chain
        self._call = call
        self._pool = pool
        self._timeline = Timeline()
        self._parts: list[EncodedAudio] = []
        self._words: list[TimedWord] = []
        self._clause: Clause | None = None
        self._begins_s = 0.0

    @property
    def is_empty(self) -> bool:
        return not self._parts

    @property
    def size_bytes(self) -> int:
        return self._chain.size_bytes + len(self._words) * _WORD_BYTES

    async def add(self, clause: Clause, sound: ClauseSound) -> None:
        """The next sound of a clause."""
        if clause is not self._clause:
            self._clause, self._begins_s = clause, self._timeline.begins_s(self._call.request)
        audio = await self._pool.run(_pushed(self._chain, clause, sound))
        self._parts.append(audio)
        self._timeline.place(clause, audio, end=sound.last)
        self._words += [moved(word, self._begins_s) for word in sound.words]
        self._call.watch.heard()

    async def finish(self) -> Speech:
        """All of it."""
        self._parts.append(await self._pool.run(self._chain.finish))
        return Speech(_joined(self._parts), self._call.watch.timings, tuple(self._words))


def _unhurried(limits: ClauseLimits) -> ClauseLimits:
    """The same limits without an early first clause: nobody hears it before the rest."""
    return replace(limits, early=False)


def _pushed(chain: AudioChain, clause: Clause, sound: ClauseSound) -> Callable[[], EncodedAudio]:
    return lambda: chain.push(sound.samples, end=sound.last, prosody=clause.prosody)


def _joined(parts: Sequence[EncodedAudio]) -> EncodedAudio:
    return EncodedAudio(
        b"".join(part.data for part in parts),
        tuple(packet for part in parts for packet in part.packets),
        sum(part.sample_count for part in parts),
    )
