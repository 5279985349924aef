"""What Whisper's decoder is given before the speech, and how much it may write after it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from voicemesh_stt.domain import RecognitionOptions, Task

if TYPE_CHECKING:
    import tokenizers

__all__ = ("ENGLISH", "Prompts", "bcp47", "whisper_code")

ENGLISH = "en"

_PROMPT_TOKENS = 160
_HOTWORD_TOKENS = 60
"""Whisper takes 224 tokens before the speech; faster-whisper lets both together exceed that."""
_MOST_TOKENS = 224
"""Half of what the model can hold, as in the reference; CTranslate2 writes no more either."""
_ENGLISH_TOKENS = (20, 8.0)
_OTHER_TOKENS = (30, 25.0)
"""Tokens that may be written: so many, and so many more for each second of audio. A loop goes on
for as long as it may, and quick English speech has six tokens a second; scripts that the tokenizer
hardly knows take a token for each byte."""

_BCP47 = {"jw": "jv"}
"""Whisper's codes that are not BCP-47: Javanese."""
_WHISPER = {code: whisper for whisper, code in _BCP47.items()}


def bcp47(code: str) -> str:
    """The BCP-47 code of a language, by Whisper's."""
    return _BCP47.get(code, code)


def whisper_code(code: str) -> str:
    """Whisper's code of a language, by that of BCP-47."""
    return _WHISPER.get(code, code)


class Prompts:
    """Of one model. Thread-safe. Languages are in Whisper's codes."""

    def __init__(self, vocabulary: tokenizers.Tokenizer, *, multilingual: bool) -> None:
        # What callers write is words: else `<|startoftranscript|>` in a prompt would be obeyed.
        vocabulary.encode_special_tokens = True
        self._vocabulary = vocabulary
        self._multilingual = multilingual
        self.tokenizer = lru_cache(maxsize=256)(self._tokenizer)
        self._before = lru_cache(maxsize=256)(self._tokens_before)
        anything = self.tokenizer(ENGLISH, Task.TRANSCRIBE)
        self.suppressed: list[int] = list(get_suppressed_tokens(anything, [-1]))
        """Tokens that are never words: music, brackets, speaker labels."""

    def before(self, options: RecognitionOptions) -> tuple[int, ...]:
        """Tokens of hot words and prompt, as if they had been said before.

        CTranslate2 wants as many of them for each job of a batch.
        """
        if not options.hotwords and not options.initial_prompt.strip():
            return ()
        return self._before(options.hotwords, options.initial_prompt.strip())

    def prompt(self, options: RecognitionOptions, language: str) -> list[int]:
        """All tokens before the speech."""
        tokenizer = self.tokenizer(language, options.task)
        return [*self.before(options), *tokenizer.sot_sequence]

    def budget(self, options: RecognitionOptions, language: str, audio_s: float) -> int:
        """Most tokens that may be written about so much audio, times included."""
        english = language == ENGLISH or options.task is Task.TRANSLATE
        few, a_second = _ENGLISH_TOKENS if english else _OTHER_TOKENS
        return min(_MOST_TOKENS, few + round(a_second * audio_s))

    def _tokenizer(self, language: str, task: Task) -> Tokenizer:
        return Tokenizer(self._vocabulary, self._multilingual, task=task.value, language=language)

    def _tokens_before(self, hotwords: tuple[str, ...], prompt: str) -> tuple[int, ...]:
        kept: list[str] = []
        for word in hotwords:
            if len(self._tokens(" " + ", ".join([*kept, word]))) > _HOTWORD_TOKENS:
                break
            kept.append(word)
        words = self._tokens(" " + ", ".join(kept)) if kept else []
        text = self._tokens(f" {prompt}")[-_PROMPT_TOKENS:] if prompt else []
        if not words and not text:
            return ()
        return (self.tokenizer(ENGLISH, Task.TRANSCRIBE).sot_prev, *words, *text)

    def _tokens(self, text: str) -> list[int]:
        encoded: Any = self._vocabulary.encode(text, add_special_tokens=False)
        ids: list[int] = encoded.ids
        return ids
