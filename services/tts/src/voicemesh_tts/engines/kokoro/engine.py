"""The Kokoro engine; see `ports.VoiceEngine`."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelError, ModelStore
from voicemesh_tts.domain import Span, SpokenWord, Voice
from voicemesh_tts.engines.kokoro import japanese
from voicemesh_tts.engines.kokoro.files import ENGINE, KokoroFiles, find_files
from voicemesh_tts.engines.kokoro.languages import Language, gender_of, languages_of, spoken
from voicemesh_tts.engines.kokoro.network import (
    SAMPLE_RATE_HERTZ,
    Network,
    open_network,
    vocabulary_of,
)
from voicemesh_tts.engines.kokoro.sound import Pace, heard
from voicemesh_tts.engines.kokoro.spelling import Speller, cut
from voicemesh_tts.engines.kokoro.styles import Blend, StyleError, read_style
from voicemesh_tts.engines.phonemiser import NO_WORD, Phonemiser
from voicemesh_tts.errors import UnpronounceableTextError
from voicemesh_tts.ports import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from voicemesh_tts.domain import Utterance, WordTime
    from voicemesh_tts.engines.kokoro.respelling import Sounds

__all__ = ("KokoroEngine", "KokoroOptions")

_LONGEST = 200
"""Most symbols of a run, about 13 s. The network takes 510, but hurries beyond 400 (VOICES.md of
Kokoro-82M), needs 2 MB for each symbol, and serves nobody else while it runs."""

_SHORTEST = 40
_HELLO = "Hello"


@dataclass(frozen=True)
class KokoroOptions:
    """Which files are used, and how."""

    model: Path | None = None
    """The network; None is that of the catalogue."""

    voice_files: tuple[Path, ...] = ()
    """Files of further voices, as NumPy writes them (`.npz`)."""

    blends: tuple[str, ...] = ()
    """Blends that are listed with the voices, such as `jf_alpha+jf_gongitsune`."""

    languages: tuple[str, ...] = ()
    """BCP-47 codes of further languages that all voices shall try."""

    threads: int = 2
    """Threads of ONNX Runtime for one run."""


@dataclass(frozen=True)
class _Core:
    """What all voices share."""

    network: Network
    speller: Speller
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class _Loaded:
    style: NDArray[np.float32]
    languages: tuple[Language, ...]


class KokoroEngine:
    """The voices of a model store and of files, and any blend of them."""

    name = ENGINE

    def __init__(self, store: ModelStore, options: KokoroOptions) -> None:
        self._store = store
        self._options = options
        self._lock = threading.Lock()
        self._core: _Core | None = None
        self._loaded: dict[str, _Loaded] = {}
        self._phonemiser = Phonemiser()

    def voices(self) -> Sequence[Voice]:
        """The voices that are installed, and the blends that the options name."""
        files = self._files()
        found = [self._voice(name, files) for name in (*files.styles, *self._options.blends)]
        return list({voice.id: voice for voice in found if voice is not None}.values())

    def find(self, voice: str) -> Voice | None:
        """The voice of an id that need not be listed: any blend. None if there is no such voice.

        Reads files; raises nothing.
        """
        engine, _, name = voice.partition(":")
        return self._voice(name, self._files()) if engine == self.name else None

    def is_loaded(self, voice: str) -> bool:
        """Whether the voice is in memory."""
        return voice in self._loaded

    def load(self, voice: str) -> None:
        """Loads a voice, and the network with the first; warms it."""
        if voice in self._loaded:
            return
        with self._lock:
            if voice in self._loaded:
                return
            blend = Blend.parse(voice.partition(":")[2])
            files = self._files()
            if blend is None or files.model is None or not set(blend.styles) <= set(files.styles):
                raise self._missing(voice, files)
            try:
                style = read_style(blend, files.styles)
            except StyleError as error:
                raise StartupError(str(error)) from error
            core = self._core or self._opened(files.model)
            loaded = _Loaded(style, self._languages(blend.styles))
            self._warm(core, loaded)
            self._core = core
            self._loaded[voice] = loaded

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        """The sound of the utterance, one piece for each run of the network."""
        self.load(utterance.voice)
        core, loaded = self._core, self._loaded[utterance.voice]
        assert core is not None  # noqa: S101 - loaded with the first voice
        language = spoken(loaded.languages, utterance.language_code)
        pace = Pace.of(utterance.speaking_rate, takes_speed=core.network.takes_speed)
        longest = max(_SHORTEST, round(_LONGEST * min(1.0, pace.speed)))
        runs = list(cut(core.speller.spell(utterance.words, language), longest))
        spoken_s = 0.0
        times = _WordTimes()
        for number, run in enumerate(runs, start=1):
            symbols = [core.numbers[symbol] for symbol, _ in run]
            sound = core.network.run(symbols, loaded.style[len(symbols) - 1], pace.speed)
            part = heard(sound, run, pace)
            rest = runs[number] if number < len(runs) else []
            words = times.ended(part.words, spoken_s, rest)
            spoken_s += len(part.samples) / SAMPLE_RATE_HERTZ
            yield Piece(part.samples, last=number == len(runs), words=words)

    def unload(self, voice: str) -> None:
        """Gives back the memory of a voice, and of the network with the last."""
        with self._lock:
            self._loaded.pop(voice, None)
            if not self._loaded:
                self._core = None

    def memory_bytes(self, voice: str) -> int:
        """Its style, and its share of the network."""
        core, loaded = self._core, self._loaded.get(voice)
        if core is None or loaded is None:
            return 0
        return loaded.style.nbytes + core.network.memory_bytes // max(1, len(self._loaded))

    def close(self) -> None:
        """Ends espeak-ng; what is spoken later starts it again."""
        self._phonemiser.close()

    def _files(self) -> KokoroFiles:
        return find_files(self._store, self._options.model, self._options.voice_files)

    def _voice(self, name: str, files: KokoroFiles) -> Voice | None:
        blend = Blend.parse(name)
        if blend is None or files.model is None or not set(blend.styles) <= set(files.styles):
            return None
        return Voice(
            id=f"{self.name}:{blend.name}",
            display_name=" and ".join(_display_name(style) for style in blend.styles),
            language_codes=tuple(each.code for each in self._languages(blend.styles)),
            sample_rate_hertz=SAMPLE_RATE_HERTZ,
            gender=gender_of(blend.styles),
            license=files.license_of(blend.styles),
            takes_phonemes=True,
            has_word_times=True,
        )

    def _languages(self, styles: Sequence[str]) -> tuple[Language, ...]:
        more = self._options.languages
        return languages_of(styles, japanese=japanese.can_read(), more=more)

    def _opened(self, model: Path) -> _Core:
        if importlib.util.find_spec("piper") is None:
            msg = (
                "the Kokoro engine needs espeak-ng as the package piper-tts carries it (GPL-3.0); "
                "install it with `pip install 'voicemesh-tts[kokoro]'`"
            )
            raise StartupError(msg)
        self._check_languages()
        numbers = vocabulary_of(model)
        network = open_network(model, self._options.threads)
        reader = japanese.Reader() if japanese.can_read() else None
        return _Core(network, Speller(self._phonemiser, numbers, reader), numbers)

    def _check_languages(self) -> None:
        for language in languages_of((), japanese=False, more=self._options.languages):
            if language.code not in self._options.languages:
                continue
            try:
                self._phonemiser.sentences(language.reader, (_HELLO,))
            except UnpronounceableTextError as error:
                msg = (
                    f"VOICEMESH_TTS_KOKORO__LANGUAGES names {language.code!r}, which espeak-ng "
                    f"cannot read (it has no voice {language.reader!r}); leave it out"
                )
                raise ConfigurationError(msg) from error

    def _warm(self, core: _Core, loaded: _Loaded) -> None:
        """Starts what reads the voice's language, and runs the network once."""
        hello = (SpokenWord(_HELLO, Span(0, 0)),)
        try:
            sounds = core.speller.spell(hello, loaded.languages[0])
            symbols = [core.numbers[symbol] for symbol, _ in sounds]
            core.network.run(symbols, loaded.style[len(symbols) - 1], 1.0)
        except StartupError:
            raise
        except Exception as error:  # whatever the libraries raise if something of them is damaged
            msg = (
                f"the Kokoro engine cannot speak ({type(error).__name__}); install its packages "
                "and its model again"
            )
            raise StartupError(msg) from error

    def _missing(self, voice: str, files: KokoroFiles) -> StartupError:
        try:
            self._store.require_all(files.needed)
        except ModelError as error:
            return StartupError(str(error))
        there = ", ".join(sorted(files.styles)) or "none"
        msg = f"there is no Kokoro voice {voice!r}; there are {there}, and blends of them"
        return ConfigurationError(msg)


class _WordTimes:
    """Words that are cut in two by the end of a run are told when they have ended."""

    def __init__(self) -> None:
        self._begun: dict[int, float] = {}

    def ended(
        self, words: Sequence[WordTime], offset_s: float, rest: Sounds
    ) -> tuple[WordTime, ...]:
        """The words of a run that do not go on in the next, from the utterance's first sample."""
        going_on = {word for _, word in rest if word != NO_WORD}
        found = []
        for word in words:
            begun = self._begun.pop(word.index, word.start_s + offset_s)
            if word.index in going_on:
                self._begun[word.index] = begun
            else:
                found.append(replace(word, start_s=begun, end_s=word.end_s + offset_s))
        return tuple(found)


def _display_name(style: str) -> str:
    return (style.partition("_")[2] or style).replace("_", " ").title()
