"""The child process that runs espeak-ng; `phonemiser` starts it and talks to it.

A line of JSON comes in, `[voice, words]`, and a line of JSON goes out: a list of sentences, each a
list of phonemes and a list that says which word each of them belongs to. The voice is the path of
the config of a Piper voice, or the name of one of espeak-ng's own. It ends when its input does.
What goes wrong ends it too: the parent says what that means.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from piper import PiperVoice
from piper.config import PhonemeType, PiperConfig

from voicemesh_tts.engines.phoneme_words import word_of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_WORDS_KEPT = 4096
"""Common words are common: what they sound like alone is worked out once."""


def main() -> None:
    """Answers lines until there are no more."""
    if sys.platform != "win32":
        import resource

        # An image of this process would hold what people said.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        voice, words = json.loads(line)
        sys.stdout.write(json.dumps(_sentences(voice, words)) + "\n")
        sys.stdout.flush()


def _sentences(voice: str, words: Sequence[str]) -> list[tuple[list[str], list[int]]]:
    sentences = _voice(voice).phonemize(" ".join(words))
    # A blank between sentences, so that no word seems to go on in the next.
    joined = [phoneme for sentence in sentences for phoneme in (*sentence, " ")]
    owners = word_of_each(joined, [_alone(voice, word) for word in words])
    parts: list[tuple[list[str], list[int]]] = []
    start = 0
    for sentence in sentences:
        parts.append((sentence, owners[start : start + len(sentence)]))
        start += len(sentence) + 1
    return parts


@functools.lru_cache(_WORDS_KEPT)
def _alone(voice: str, word: str) -> tuple[str, ...]:
    sentences = _voice(voice).phonemize(word)
    return tuple(phoneme for sentence in sentences for phoneme in (*sentence, " "))


@functools.cache
def _voice(voice: str) -> PiperVoice:
    if voice.endswith(".json"):
        config = PiperConfig.from_dict(json.loads(Path(voice).read_bytes()))
    else:
        config = PiperConfig(
            num_symbols=0,
            num_speakers=1,
            sample_rate=0,
            espeak_voice=voice,
            phoneme_id_map={},
            phoneme_type=PhonemeType.ESPEAK,
        )
    # Only the parent runs networks; phonemes need the voice's config alone.
    return PiperVoice(config=config, session=None)


if __name__ == "__main__":
    main()
