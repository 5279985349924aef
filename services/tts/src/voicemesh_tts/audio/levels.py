"""The gain that gives every voice the same loudness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.audio.loudness import SILENCE_LUFS, loudness_lufs
from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.errors import UnpronounceableTextError

if TYPE_CHECKING:
    from voicemesh_tts.domain import Voice
    from voicemesh_tts.ports import Samples, VoiceEngine

__all__ = ("VoiceLevels",)

_LARGEST_GAIN_DB = 24.0

_SENTENCES = {
    "de": "Franz jagt im komplett verwahrlosten Taxi quer durch Bayern.",
    "en": "The quick brown fox jumps over the lazy dog.",
    "es": "El veloz murciélago hindú comía feliz cardillo y kiwi.",
    "fr": "Voix ambiguë d'un cœur qui au zéphyr préfère les jattes de kiwis.",
    "it": "Ma la volpe, col suo balzo, ha raggiunto il quieto cane.",
    "ja": "今日は天気が良いので、公園まで歩きましょう。",
    "pt": "Um pequeno jabuti xereta viu dez cegonhas felizes.",
    "ru": "Съешь же ещё этих мягких французских булок.",
    "zh": "今天天气很好，我们一起去公园走走吧。",
}
"""A few seconds of speech with most sounds of the language. With the voice en_US-joe-medium the
English one is 0.4 dB louder than 40 sentences are on average, which themselves differ by 1 dB."""

_NUMBERS = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10."
"""For other languages: most engines read these as their language does."""


class VoiceLevels:
    """The gain of each voice, measured once; it is the same for all that the voice says.

    So a quiet "yes" stays quiet, and a change of voice is no change of volume. Thread-safe.

    Args:
        target_lufs: the loudness wanted; None leaves every voice as it is.
    """

    def __init__(self, target_lufs: float | None) -> None:
        self._target_lufs = target_lufs
        self._gains_db: dict[str, float] = {}

    def gain_db(self, voice_id: str) -> float:
        """The gain of a voice, in decibels; 0 until it has been measured."""
        return self._gains_db.get(voice_id, 0.0)

    def measure(self, engine: VoiceEngine, voice: Voice) -> None:
        """Lets a voice say a sentence, unless it is known how loud it is. Blocks.

        Call it when the voice has been loaded: it also warms the voice up.

        Raises:
            StartupError: if the voice cannot be loaded.
        """
        if self._target_lufs is None or voice.id in self._gains_db:
            return
        gain_db = _gain_db(_said(engine, voice), voice.sample_rate_hertz, self._target_lufs)
        self._gains_db[voice.id] = gain_db

    def forget(self, voice_id: str) -> None:
        """Forgets a voice that is deleted."""
        self._gains_db.pop(voice_id, None)


def _said(engine: VoiceEngine, voice: Voice) -> Samples:
    language = voice.language_codes[0] if voice.language_codes else ""
    text = _SENTENCES.get(language.replace("_", "-").partition("-")[0].lower(), _NUMBERS)
    words, place = [], 0
    for word in text.split():
        words.append(SpokenWord(word, Span(place, place + len(word))))
        place += len(word) + 1
    utterance = Utterance(tuple(words), voice.id, language_code=language)
    try:
        pieces = [piece.samples for piece in engine.speak(utterance)]
    except UnpronounceableTextError:
        pieces = []  # a voice of a script of its own; its level stays as it is
    return np.concatenate([np.zeros(0, np.float32), *pieces])


def _gain_db(samples: Samples, sample_rate_hertz: int, target_lufs: float) -> float:
    loudness = loudness_lufs(samples, sample_rate_hertz)
    if loudness <= SILENCE_LUFS:
        return 0.0
    return max(-_LARGEST_GAIN_DB, min(_LARGEST_GAIN_DB, target_lufs - loudness))
