"""Who can speak: the voices of all engines, and the choice of one for a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.service import ConfigurationError
from voicemesh_tts.errors import LanguageNotSpokenError, VoiceNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.domain import Voice
    from voicemesh_tts.ports import VoiceEngine

__all__ = ("Voices", "speaks")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_LONGEST_SHOWN = 80


def speaks(voice: Voice, language_code: str) -> bool:
    """Whether the voice speaks the language; regions are not told apart (en-GB is en-US)."""
    wanted = _primary(language_code)
    return any(_primary(code) == wanted for code in voice.language_codes)


def _primary(language_code: str) -> str:
    return re.split("[-_]", language_code, maxsplit=1)[0].lower()


class Voices:
    """The voices of all engines by id; none before `open`.

    Attributes:
        default: id of the voice of requests that name none.
    """

    def __init__(self, engines: Sequence[VoiceEngine], default: str) -> None:
        self.default = default
        self._engines = {engine.name: engine for engine in engines}
        self._voices: dict[str, Voice] = {}

    def open(self) -> None:
        """Finds the voices and loads the default one. Blocks.

        Raises:
            StartupError: if the default voice, or its engine, cannot be used.
        """
        name = self.default.partition(":")[0]
        if name not in self._engines:
            msg = (
                f"VOICEMESH_TTS_DEFAULT_VOICE = {self.default!r} names an engine that is not here "
                f"(there is {', '.join(self._engines)}); begin it with one of these and a colon"
            )
            raise ConfigurationError(msg)
        self._engines[name].load(self.default)
        found = [voice for engine in self._engines.values() for voice in engine.voices()]
        self._voices = {voice.id: voice for voice in sorted(found, key=lambda voice: voice.id)}

    def all(self, language_code: str = "") -> list[Voice]:
        """The voices that speak a language, or all, by id.

        Raises:
            InvalidArgumentError: if the code is not one.
        """
        if not language_code:
            return list(self._voices.values())
        _check_language(language_code, "language_code")
        return [voice for voice in self._voices.values() if speaks(voice, language_code)]

    def choose(self, voice_id: str, language_code: str) -> Voice:
        """The voice of a request: the one it names, else the default, else one of its language.

        Raises:
            VoiceNotFoundError: if there is no voice of that id.
            LanguageNotSpokenError: if the voice, or every voice, does not speak the language.
            InvalidArgumentError: if the language code is not one.
        """
        if language_code:
            _check_language(language_code, "config.language_code")
        if voice_id and voice_id not in self._voices:
            shown = voice_id[:_LONGEST_SHOWN]
            msg = f"there is no voice {shown!r}; ListVoices says which there are"
            raise VoiceNotFoundError(msg, field="config.voice", metadata={"voice": shown})
        voice = self._voices[voice_id or self.default]
        if not language_code or speaks(voice, language_code):
            return voice
        others = [] if voice_id else self.all(language_code)
        if others:
            return others[0]
        who = f"voice {voice.id!r} does not speak" if voice_id else "no voice of this server speaks"
        msg = f"{who} {language_code!r}"
        raise LanguageNotSpokenError(msg, field="config.language_code")

    def is_loaded(self, voice: Voice) -> bool:
        """Whether the voice is in memory."""
        return self.engine_of(voice).is_loaded(voice.id)

    def engine_of(self, voice: Voice) -> VoiceEngine:
        """The engine that speaks with the voice."""
        return self._engines[voice.engine]


def _check_language(code: str, field: str) -> None:
    if len(code) > _LONGEST_SHOWN or not _LANGUAGE.fullmatch(code):
        msg = f"{code[:_LONGEST_SHOWN]!r} is not a BCP-47 language code such as 'en-US'"
        raise InvalidArgumentError(msg, field=field)
