"""The Piper engine: VITS voices on ONNX Runtime, phonemes by espeak-ng in a child process.

`piper-tts` is GPL-3.0 and optional: it is imported here and in that process alone, and only when a
voice is loaded.
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_models import ModelError, ModelStore
from voicemesh_tts.audio.tempo import hastened
from voicemesh_tts.engines.phonemiser import Phonemiser
from voicemesh_tts.engines.piper_files import PREFIX, PiperFiles, find_voices
from voicemesh_tts.ports import Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from piper import PiperVoice

    from voicemesh_tts.domain import Utterance, Voice

__all__ = ("PiperEngine", "PiperOptions")

_MAX_PHONEMES = 400
"""Longest run of the network. Its memory grows with the length of the sound; text that espeak
spells out letter by letter would otherwise make minutes of it at once."""

_WARM_UP = "Hello, I am ready to speak, and I shall do so at any speed that you like."


@dataclass(frozen=True)
class PiperOptions:
    """How the voices are run."""

    voice_dirs: tuple[Path, ...] = ()
    """Directories of further voices."""

    threads: int = 2
    """Threads of ONNX Runtime for one clause."""

    noise_scale: float | None = None
    """Variation of the sound; None is the voice's own."""

    noise_w_scale: float | None = None
    """Variation of the rhythm; None is the voice's own."""

    length_scale: float | None = None
    """Length of the sounds at speaking rate 1; None is the voice's own."""

    gain_db: float = 0.0
    """Gain over the level that the model makes, in decibels."""


@dataclass(frozen=True)
class _Loaded:
    voice: PiperVoice
    config: Path
    elastic: float
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
        self._gain = np.float32(10.0 ** (options.gain_db / 20.0))
        self._lock = threading.Lock()
        self._files: dict[str, PiperFiles] | None = None
        self._loaded: dict[str, _Loaded] = {}
        self._phonemiser = Phonemiser()

    def voices(self) -> Sequence[Voice]:
        """The voices that are installed."""
        return [files.voice for files in self._found().values()]

    def is_loaded(self, voice: str) -> bool:
        """Whether the voice is in memory."""
        return voice in self._loaded

    def load(self, voice: str) -> None:
        """Loads and warms a voice."""
        if voice not in self._loaded:
            with self._lock:
                if voice not in self._loaded:
                    self._loaded[voice] = self._measured(self._require(voice))

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        """The sound of the utterance, one piece for each of espeak's sentences."""
        self.load(utterance.voice)
        loaded = self._loaded[utterance.voice]
        voice, rate = loaded.voice, utterance.speaking_rate
        stretch = loaded.stretch(1 / rate) if rate < 1 else 1.0
        longest = max(40, round(_MAX_PHONEMES / max(1.0, stretch)))
        runs = [
            run
            for sentence in self._phonemiser.phonemes(loaded.config, utterance.text)
            for run in _runs(sentence, longest)
        ]
        for number, run in enumerate(runs, start=1):
            sound = self._run(voice, run, stretch)
            if rate > 1:
                # VITS gives every sound at least one frame, so its own scale ends at about 1.6.
                sound = hastened(sound, voice.config.sample_rate, rate)
            yield Piece(sound * self._gain, last=number == len(runs))

    def close(self) -> None:
        """Ends espeak-ng; what is spoken later starts it again."""
        self._phonemiser.close()

    def _run(self, voice: PiperVoice, phonemes: list[str], stretch: float) -> Samples:
        from piper import SynthesisConfig

        options = self._options
        config = SynthesisConfig(
            length_scale=stretch * (options.length_scale or voice.config.length_scale),
            noise_scale=options.noise_scale,
            noise_w_scale=options.noise_w_scale,
        )
        # `synthesize` would do the same, but writes the text to the log at DEBUG and scales every
        # sentence to full level, so that a quiet "yes" comes out as a shout.
        sound: Any = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(phonemes), config)
        return np.atleast_1d(np.asarray(sound, np.float32))

    def _measured(self, files: PiperFiles) -> _Loaded:
        voice = self._open(files)
        sentences = self._phonemiser.phonemes(files.config, _WARM_UP)
        phonemes = [phoneme for sentence in sentences for phoneme in sentence]
        single, double = (len(self._run(voice, phonemes, stretch)) for stretch in (1.0, 2.0))
        return _Loaded(voice, files.config, min(1.0, max(0.3, (double - single) / max(1, single))))

    def _found(self) -> dict[str, PiperFiles]:
        if self._files is None:
            self._files = find_voices(self._store, self._options.voice_dirs)
        return self._files

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

    def _open(self, files: PiperFiles) -> PiperVoice:
        try:
            import onnxruntime
            from piper import PiperVoice
            from piper.config import PiperConfig
        except ImportError as error:
            msg = (
                "the Piper engine needs the package piper-tts (GPL-3.0); install it with "
                "`pip install 'voicemesh-tts[piper]'`"
            )
            raise StartupError(msg) from error
        # It warns of every phoneme that a voice lacks: what people said, letter by letter.
        logging.getLogger("piper").setLevel(logging.ERROR)
        session = onnxruntime.SessionOptions()
        session.intra_op_num_threads = self._options.threads
        session.inter_op_num_threads = 1
        # Threads that spin while they wait take the cores from the other services.
        session.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return PiperVoice(
                config=PiperConfig.from_dict(json.loads(files.config.read_bytes())),
                session=onnxruntime.InferenceSession(
                    str(files.model), session, providers=["CPUExecutionProvider"]
                ),
            )
        except Exception as error:  # whatever a damaged file makes the libraries raise
            msg = (
                f"the Piper voice in {files.model} cannot be loaded ({type(error).__name__}); "
                "replace its files"
            )
            raise StartupError(msg) from error


def _runs(phonemes: list[str], longest: int) -> Iterator[list[str]]:
    """The phonemes of a sentence in runs that are not too long, cut between words if it can be."""
    while len(phonemes) > longest:
        blanks = [place for place in range(longest // 2, longest) if phonemes[place] == " "]
        cut = blanks[-1] + 1 if blanks else longest
        yield phonemes[:cut]
        phonemes = phonemes[cut:]
    if phonemes:
        yield phonemes
