"""From a clause to its sound: words, synthesis in turn with others, edges, times of words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_tts.audio.edges import edged
from voicemesh_tts.clause_cache import ClauseCache, clause_key
from voicemesh_tts.domain import Clause, SpokenWord, TimedWord, Utterance
from voicemesh_tts.errors import VoiceUnusableError
from voicemesh_tts.schedule import Lane
from voicemesh_tts.text import words_of
from voicemesh_tts.timeline import WordTrack

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from voicemesh_tts.audio.levels import VoiceLevels
    from voicemesh_tts.calls import Call
    from voicemesh_tts.metrics import TtsMetrics
    from voicemesh_tts.ports import Piece, Samples, VoiceEngine
    from voicemesh_tts.reading_pool import ReadingPool
    from voicemesh_tts.turns import Turns
    from voicemesh_tts.voices.cast import Cast

__all__ = ("ClauseSound", "Speaker")

_logger = get_logger(__name__)

_RATES = (0.25, 4.0)
"""Slowest and fastest speech, whatever request and markup come to together."""

_ENOUGH_S = 1.0
"""Who has so much to listen to, in seconds, does not wait for the next clause."""


@dataclass(frozen=True)
class ClauseSound:
    """A part of the sound of a clause."""

    samples: Samples
    """The sound at the voice's rate; may be empty."""

    last: bool
    """Whether the clause ends with it."""

    words: tuple[TimedWord, ...] = ()
    """Words that are timed now, in seconds from the clause's first sample."""


class Speaker:
    """Speaks clauses for everyone.

    Attributes:
        reading: where texts are read.
        metrics: what is counted.
    """

    def __init__(
        self,
        cast: Cast,
        turns: Turns,
        cache: ClauseCache,
        levels: VoiceLevels,
        reading: ReadingPool,
        metrics: TtsMetrics,
    ) -> None:
        self.reading = reading
        self._cast = cast
        self._turns = turns
        self._cache = cache
        self._levels = levels
        self.metrics = metrics

    async def speak(self, clause: Clause, call: Call) -> AsyncGenerator[ClauseSound, None]:
        """The clause's sound part by part, at the voice's rate; nothing if it has no words.

        The sound begins and ends at zero, so clauses can be put after one another without a click.

        Raises:
            OverloadedError: if too many wait and nothing of the call has been spoken yet.
            VoiceUnusableError: if the voice cannot be loaded.
            EngineStalledError: if the engine does not answer.
        """
        words = await self._words(clause, call)
        if clause.pause_s > 0:
            count = round(clause.pause_s * call.request.voice.sample_rate_hertz)
            yield ClauseSound(np.zeros(count, np.float32), last=not words)
        if not words:
            return
        call.watch.begin()
        done = False
        try:
            async for sound in self._said(words, clause, call):
                done = sound.last
                call.watch.made(len(sound.samples) / call.request.voice.sample_rate_hertz)
                yield sound
            if clause.pause_s > 0 and not done:
                yield ClauseSound(np.zeros(0, np.float32), last=True)
            done = True
        finally:
            (self.metrics.clauses if done else self.metrics.clauses_cut).inc()

    async def _words(self, clause: Clause, call: Call) -> tuple[SpokenWord, ...]:
        if clause.words is not None:
            return clause.words
        text, start = clause.text, clause.span.start
        return await self.reading.run(
            lambda: words_of(text, start, call.language, call.pronunciations), chars=len(text)
        )

    async def _said(
        self, words: tuple[SpokenWord, ...], clause: Clause, call: Call
    ) -> AsyncGenerator[ClauseSound, None]:
        utterance = _utterance(words, clause, call)
        track = WordTrack(clause, words, call.source)
        key = clause_key(utterance)
        known = self._cache.find(key)
        self.metrics.cache_lookups.labels("miss" if known is None else "hit").inc()
        if known is not None:
            call.watch.queue_s = call.watch.queue_s or 0.0
            yield _sound(known, track, clause, call)
            return
        parts: list[Piece] = []
        async for piece in self._synthesised(utterance, call):
            parts.append(piece)
            yield _sound(piece, track, clause, call)
        if parts and parts[-1].last:
            self._cache.add(key, utterance.voice, parts)

    async def _synthesised(self, utterance: Utterance, call: Call) -> AsyncGenerator[Piece, None]:
        voice = call.request.voice
        engine = self._cast.engine_of(voice)
        gain_db = self._levels.gain_db(voice.id)
        work = _turns_of(engine, utterance, voice.sample_rate_hertz, gain_db)
        worked_s, sound_s = 0.0, 0.0
        last = False
        while not last:
            piece, turn_s = await self._next(work, call)
            worked_s += turn_s
            if piece is None:
                break
            piece_s = len(piece.samples) / voice.sample_rate_hertz
            sound_s += piece_s
            self.metrics.audio_seconds.labels(engine.name).inc(piece_s)
            last = piece.last
            yield piece
        if sound_s:
            self.metrics.real_time_factor.labels(engine.name).observe(worked_s / sound_s)

    async def _next(
        self, work: Callable[[], Piece | None], call: Call
    ) -> tuple[Piece | None, float]:
        watch, voice = call.watch, call.request.voice
        opening = watch.queue_s is None
        try:
            turn = await self._turns.take(work, lane=call.lane, caller=call.caller, opening=opening)
        except StartupError as error:
            # Its text names files of this machine, which are not the caller's business.
            _logger.error("a voice cannot be loaded", voice=voice.id, cause=str(error))
            msg = f"voice {voice.id!r} cannot be loaded on this server; its log has the cause"
            raise VoiceUnusableError(msg) from error
        if opening:
            watch.queue_s = turn.waited_s
        watch.synthesis_s += turn.worked_s
        self.metrics.synthesis_seconds.labels(voice.engine).inc(turn.worked_s)
        return turn.result, turn.worked_s


def _utterance(words: tuple[SpokenWord, ...], clause: Clause, call: Call) -> Utterance:
    request = call.request
    rate = min(max(request.speaking_rate * clause.prosody.rate, _RATES[0]), _RATES[1])
    awaited = call.lane is Lane.LIVE and call.watch.unheard_s < _ENOUGH_S
    return Utterance(words, request.voice.id, rate, request.language_code, awaited)


def _turns_of(
    engine: VoiceEngine, utterance: Utterance, sample_rate_hertz: int, gain_db: float
) -> Callable[[], Piece | None]:
    """What to call in each turn of the engine: the next piece, None after the last."""
    pieces: Iterator[Piece] | None = None

    def following() -> Piece | None:
        nonlocal pieces
        if pieces is None:  # here, because the engine may work as soon as it is asked
            sound = engine.speak(utterance)
            pieces = edged(sound, utterance, sample_rate_hertz, gain_db=gain_db)
        return next(pieces, None)

    return following


def _sound(piece: Piece, track: WordTrack, clause: Clause, call: Call) -> ClauseSound:
    words = track.timed(piece.words, clause.pause_s) if call.request.word_timings else ()
    return ClauseSound(piece.samples, piece.last, tuple(words))
