"""espeak-ng for coqui's voices: a process for each text, so that a bad one ends nothing else.

coqui-tts calls the program itself, but writes the text to a file that stays behind when espeak-ng
dies, and waits for it for ever (docs/decisions/0006 says what strangers' texts can do to it).
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

from voicemesh_tts.engines.espeak_text import espeak_texts
from voicemesh_tts.errors import EngineStalledError, UnpronounceableTextError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("harden", "ipa")

_ANSWER_S = 10.0
"""Longest time for one text, in seconds."""

_LANGUAGE_SWITCH = re.compile(r"\([^()\s]+\)")
"""What espeak-ng puts around words it reads in another language: `(en)...(de)`."""


def harden(phonemizer: Any) -> None:
    """Lets coqui's espeak phonemizers, which may be several by language, use `ipa`.

    Args:
        phonemizer: a tokenizer's; one that is not espeak is left as it is, and so is None.
    """
    for each in _parts(phonemizer):
        if each.name() == "espeak":
            # Its callers give a blank separator when they want the sounds together.
            each._phonemize = _speaking(each.backend, each.language)


def _parts(phonemizer: Any) -> Iterator[Any]:
    several = getattr(phonemizer, "lang_to_phonemizer", None)
    if several is not None:
        yield from several.values()
    elif phonemizer is not None:
        yield phonemizer


def _speaking(program: str, language: str) -> Any:
    return lambda text, separator="": " ".join(
        ipa(program, language, part) for part in espeak_texts(text)
    ).replace("_", separator)


def ipa(program: str, language: str, text: str) -> str:
    """The sounds of a text in the International Phonetic Alphabet, `_` between those of a word.

    Args:
        program: `espeak-ng` or `espeak`.
        language: its name of a voice.
        text: one of `espeak_texts`.

    Raises:
        UnpronounceableTextError: if it dies of the text.
        EngineStalledError: if it gives no answer in time.
    """
    command = [program, "-q", "-b", "1", "-v", language, "--ipa=1", "--stdin"]
    try:
        done = subprocess.run(  # noqa: S603 - the text goes by the pipe, the rest is the model's
            command,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_ANSWER_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        msg = f"espeak-ng gave no answer for {_ANSWER_S:g} s"
        raise EngineStalledError(msg) from error
    if done.returncode:
        msg = "the speech engine cannot pronounce a part of the text; write it otherwise"
        raise UnpronounceableTextError(msg, field="text")
    lines = done.stdout.decode(errors="replace").split("\n")
    return " ".join(_LANGUAGE_SWITCH.sub("", line).strip() for line in lines if line.strip())
