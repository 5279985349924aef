"""Who can speak: the voices of all engines, and the choice of one for a request."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.service import ConfigurationError
from voicemesh_tts.errors import LanguageNotSpokenError, VoiceNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_tts.domain import Voice
    from voicemesh_tts.ports import VoiceEngine, VoiceMixer

__all__ = ("Cast", "check_language", "speaks")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_LONGEST_SHOWN = 80
_LONGEST_ID = 256
_MOST_MIXED = 256


def speaks(voice: Voice, language_code: str) -> bool:
    """Whether the voice speaks the language; regions are not told apart (en-GB is en-US)."""
    wanted = _primary(language_code)
    return any(_primary(code) == wanted for code in voice.language_codes)


def _primary(language_code: str) -> str:
    return re.split("[-_]", language_code, maxsplit=1)[0].lower()


def check_language(code: str, field: str) -> None:
    """Refuses what is no language code.

    Raises:
        InvalidArgumentError: naming `field`.
    """
    if len(code) > _LONGEST_SHOWN or not _LANGUAGE.fullmatch(code):
        msg = f"{code[:_LONGEST_SHOWN]!r} is not a BCP-47 language code such as 'en-US'"
        raise InvalidArgumentError(msg, field=field)


class Cast:
    """The voices of all engines by id, and the cloned ones of tenants; none before `look`.

    A tenant's voices are its own: for everyone else they are not there.

    Attributes:
        default: id of the voice of requests that name none.
    """

    def __init__(
        self, engines: Sequence[VoiceEngine], default: str, mixers: Sequence[VoiceMixer] = ()
    ) -> None:
        """Makes an empty one.

        Args:
            engines: who has the voices.
            default: id of the voice of requests that name none.
            mixers: those of the engines that have voices which are not listed.
        """
        self.default = default
        self._engines = {engine.name: engine for engine in engines}
        self._mixers = {mixer.name: mixer for mixer in mixers}
        self._shared: dict[str, Voice] = {}
        self._mixed: OrderedDict[str, Voice] = OrderedDict()
        self._cloned: dict[str, Voice] = {}

    def default_engine(self) -> VoiceEngine:
        """The engine of the default voice.

        Raises:
            ConfigurationError: if there is none of that name.
        """
        name = self.default.partition(":")[0]
        if name not in self._engines:
            msg = (
                f"VOICEMESH_TTS_DEFAULT_VOICE = {self.default!r} names an engine that is not here "
                f"(there is {', '.join(self._engines)}); begin it with one of these and a colon"
            )
            raise ConfigurationError(msg)
        return self._engines[name]

    def look(self) -> None:
        """Finds the engines' voices, also those that have been installed since. Blocks."""
        found = [voice for engine in self._engines.values() for voice in engine.voices()]
        shared = [voice for voice in found if not voice.tenant]
        self._shared = {voice.id: voice for voice in sorted(shared, key=lambda voice: voice.id)}
        self._mixed.clear()  # what they are made of may have changed

    def search(self, voice_id: str) -> None:
        """Finds a voice that is not listed; `find` knows it then, if there is one. Blocks."""
        mixer = self._mixers.get(voice_id.partition(":")[0])
        voice = mixer.find(voice_id) if mixer and len(voice_id) <= _LONGEST_ID else None
        if voice is not None:
            self._mixed[voice_id] = voice
            while len(self._mixed) > _MOST_MIXED:
                self._mixed.popitem(last=False)

    def enrol(self, voice: Voice) -> None:
        """Makes a tenant's voice known."""
        self._cloned[voice.id] = voice

    def dismiss(self, voice_id: str) -> Voice | None:
        """Forgets a tenant's voice; returns it if it was known."""
        return self._cloned.pop(voice_id, None)

    def all(self, language_code: str = "", tenant: str = "") -> list[Voice]:
        """The voices that speak a language, or all, by id: the shared ones and the tenant's.

        Raises:
            InvalidArgumentError: if the code is not one.
        """
        if language_code:
            check_language(language_code, "language_code")
        own = [voice for voice in self._cloned.values() if tenant and voice.tenant == tenant]
        return [
            voice
            for voice in sorted([*self._shared.values(), *own], key=lambda voice: voice.id)
            if not language_code or speaks(voice, language_code)
        ]

    def find(self, voice_id: str, tenant: str = "") -> Voice | None:
        """The voice of that id, if there is one for the tenant."""
        own = self._cloned.get(voice_id)
        if own is not None and tenant and own.tenant == tenant:
            return own
        return self._shared.get(voice_id) or self._mixed.get(voice_id)

    def cloned(self, tenant: str) -> list[Voice]:
        """The voices of a tenant."""
        return [voice for voice in self._cloned.values() if voice.tenant == tenant]

    def choose(self, voice_id: str, language_code: str, tenant: str = "") -> Voice:
        """The voice of a request: the one it names, else the default, else one of its language.

        Raises:
            VoiceNotFoundError: if there is no voice of that id.
            LanguageNotSpokenError: if the voice, or every voice, does not speak the language.
            InvalidArgumentError: if the language code is not one.
        """
        if language_code:
            check_language(language_code, "config.language_code")
        voice = self.find(voice_id or self.default, tenant)
        if voice is None:
            shown = voice_id[:_LONGEST_SHOWN]
            msg = f"there is no voice {shown!r}; ListVoices says which there are"
            raise VoiceNotFoundError(msg, field="config.voice", metadata={"voice": shown})
        if not language_code or speaks(voice, language_code):
            return voice
        others = [] if voice_id else self.all(language_code)
        if others:
            return others[0]
        who = f"voice {voice.id!r} does not speak" if voice_id else "no voice of this server speaks"
        msg = f"{who} {language_code!r}"
        raise LanguageNotSpokenError(msg, field="config.language_code")

    def engine_of(self, voice: Voice) -> VoiceEngine:
        """The engine that speaks with the voice."""
        return self._engines[voice.engine]
