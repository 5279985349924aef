"""The voices of Piper as `ports.VoiceEngine`: loaded, shared, spoken with."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelError, ModelStore
from voicemesh_tts.audio.tempo import Tempo
from voicemesh_tts.domain import Span, SpokenWord
from voicemesh_tts.engines.memory import give_back_memory
from voicemesh_tts.engines.phonemiser import Phonemiser
from voicemesh_tts.engines.piper.files import PREFIX, PiperFiles, find_voices
from voicemesh_tts.engines.piper.loading import NetworkLoader, Running
from voicemesh_tts.engines.piper.network import LONGEST_S, Scales
from voicemesh_tts.engines.piper.spelling import Speller
from voicemesh_tts.engines.piper.timing import RunClock
from voicemesh_tts.ports import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from voicemesh_tts.domain import Utterance, Voice
    from voicemesh_tts.engines.piper.config import VoiceConfig
    from voicemesh_tts.engines.piper.network import Network
    from voicemesh_tts.engines.piper.precision import Precision, Runtime

__all__ = ("PiperEngine", "PiperOptions")

_MAX_PHONEMES = 400
"""Longest run of the network. Its memory grows with the square of it; text that espeak spells out
letter by letter would otherwise make minutes of sound at once."""

_FIRST_S = 0.15
"""Length of the first piece, in seconds. A shorter one would be heard sooner, but has to last until
the next is made; and around every piece a quarter of a second is worked out for nothing."""

_TEMPO_S = 0.1
"""What is kept back of a hastened sound at first, in seconds before it is hastened."""

_WARM_UP = "Hello, I am ready to speak, and I shall do so at any speed that you like."


@dataclass(frozen=True)
class PiperOptions:
    """How the voices are run."""

    voice_dirs: tuple[Path, ...] = ()
    """Directories of further voices."""

    threads: int = 2
    """Threads for one clause."""

    runtime: Runtime = "auto"
    """What runs the decoders of voices."""

    precision: Precision = "auto"
    """How exact these are."""

    noise_scale: float | None = None
    """Variation of the sound; None is the voice's own."""

    noise_w_scale: float | None = None
    """Variation of the rhythm; None is the voice's own."""

    length_scale: float | None = None
    """Length of the sounds at speaking rate 1; None is the voice's own."""


@dataclass(frozen=True)
class _Model:
    """A file in memory; voices of several speakers share it."""

    network: Network
    config: VoiceConfig
    speller: Speller
    memory_bytes: int
    elastic: float = 1.0
    """Share of the sound that grows with the length scale; rounding up to frames is the rest."""

    def stretch(self, times: float) -> float:
        """The length scale that makes speech so many times as long."""
        return max(0.1, (times - (1 - self.elastic)) / self.elastic)


class PiperEngine:
    """The voices of a model store and of directories; see `ports.VoiceEngine`."""

    name = "piper"

    def __init__(self, store: ModelStore, options: PiperOptions) -> None:
        self._store = store
        self._options = options
        self._lock = threading.Lock()
        self._files: dict[str, PiperFiles] | None = None
        self._loaded: dict[str, tuple[PiperFiles, _Model]] = {}
        self._loader = NetworkLoader(
            Running(options.threads, options.runtime, options.precision, _FIRST_S)
        )
        self._phonemiser = Phonemiser()

    def voices(self) -> Sequence[Voice]:
        """The voices that are installed."""
        return [files.voice for files in self._found().values()]

    def is_loaded(self, voice: str) -> bool:
        """Whether the voice is in memory."""
        return voice in self._loaded

    def load(self, voice: str) -> None:
        """Loads and warms a voice."""
        self._load(voice)

    def unload(self, voice: str) -> None:
        """Forgets a voice; the memory is given back with the last voice of the same file."""
        with self._lock:
            self._loaded.pop(voice, None)
        give_back_memory()

    def memory_bytes(self, voice: str) -> int:
        """Memory of a loaded voice, about: its share of its file's."""
        loaded = self._loaded.get(voice)
        if loaded is None:
            return 0
        sharing = sum(model is loaded[1] for _, model in list(self._loaded.values()))
        return loaded[1].memory_bytes // max(1, sharing)

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        """The sound of the utterance, piece by piece, the first one short."""
        files, model = self._load(utterance.voice)
        rate = utterance.speaking_rate
        stretch = model.stretch(1 / rate) if rate < 1 else 1.0
        longest = max(40, round(_MAX_PHONEMES / max(1.0, stretch)))
        runs = list(model.speller.runs(utterance.words, longest))
        # VITS gives every sound at least one frame, so its own scale ends at about 1.6.
        tempo = Tempo(model.config.sample_rate_hertz, rate) if rate > 1 else None
        first_s = _FIRST_S if tempo is None else _TEMPO_S + _FIRST_S * rate
        scales, speaker = self._scales(model, stretch), _speaker(files, model)
        before = 0
        for number, run in enumerate(runs, start=1):
            # Somebody waits for the first of it; the rest is made faster than it is heard.
            start_s = first_s if number == 1 and utterance.is_awaited else LONGEST_S
            sound = model.network.say(run.ids, scales, speaker, start_s)
            heard_rate = model.config.sample_rate_hertz * max(1.0, rate)
            clock = RunClock(run, sound.lengths, before, heard_rate)
            made = 0
            for part in sound.parts:
                made += len(part)
                last = number == len(runs) and made >= sound.sample_count
                samples = part
                if tempo is not None:
                    samples = tempo.push(part)
                    if last:
                        samples = np.concatenate([samples, tempo.finish()])
                yield Piece(samples, last, clock.until(made))
            before += made

    def close(self) -> None:
        """Ends espeak-ng; what is spoken later starts it again."""
        self._phonemiser.close()

    def _scales(self, model: _Model, stretch: float) -> Scales:
        options, own = self._options, model.config
        noise, noise_w = options.noise_scale, options.noise_w_scale
        return Scales(
            noise=own.noise_scale if noise is None else noise,
            length=stretch * (options.length_scale or own.length_scale),
            noise_w=own.noise_w_scale if noise_w is None else noise_w,
        )

    def _found(self) -> dict[str, PiperFiles]:
        if self._files is None:
            self._files = find_voices(self._store, self._options.voice_dirs)
        return self._files

    def _load(self, voice: str) -> tuple[PiperFiles, _Model]:
        loaded = self._loaded.get(voice)
        if loaded is None:
            with self._lock:
                loaded = self._loaded.get(voice)
                if loaded is None:
                    files = self._require(voice)
                    loaded = files, self._shared(files) or self._opened(files)
                    self._loaded[voice] = loaded
        return loaded

    def _shared(self, files: PiperFiles) -> _Model | None:
        others = self._loaded.values()
        return next((model for other, model in others if other.model == files.model), None)

    def _opened(self, files: PiperFiles) -> _Model:
        if importlib.util.find_spec("piper") is None:
            msg = (
                "the Piper engine needs the package piper-tts (GPL-3.0); install it with "
                "`pip install 'voicemesh-tts[piper]'`"
            )
            raise StartupError(msg)
        network, config, memory_bytes = self._loader.open(files)
        speller = Speller(
            self._phonemiser, files.config, config.numbers, takes_phonemes=config.takes_phonemes
        )
        model = _Model(network, config, speller, memory_bytes)
        words = [SpokenWord(word, Span(0, 0)) for word in _WARM_UP.split()]
        lengths = []
        for stretch in (1.0, 2.0):
            made = 0
            for run in speller.runs(words, _MAX_PHONEMES):
                scales = self._scales(model, stretch)
                sound = network.say(run.ids, scales, _speaker(files, model), _FIRST_S)
                made += sum(len(part) for part in sound.parts)
            lengths.append(made)
        single, double = lengths
        elastic = min(1.0, max(0.3, (double - single) / max(1, single)))
        return _Model(network, config, speller, memory_bytes, elastic)

    def _require(self, voice: str) -> PiperFiles:
        files = self._found().get(voice)
        name = voice.partition(":")[2]
        entry = files.entry if files else PREFIX + name
        if entry is not None and entry in self._store.catalogue.models:
            try:
                self._store.require(entry)
            except ModelError as error:
                raise StartupError(str(error)) from error
        if files is None:
            msg = (
                f"there is no Piper voice {name!r} in {self._store.root} or in "
                "VOICEMESH_TTS_PIPER__VOICE_DIRS; put NAME.onnx and NAME.onnx.json there or choose "
                "another VOICEMESH_TTS_DEFAULT_VOICE"
            )
            raise ConfigurationError(msg)
        return files


def _speaker(files: PiperFiles, model: _Model) -> int | None:
    if not model.config.speakers:
        return None
    return model.config.default_speaker if files.speaker is None else files.speaker
