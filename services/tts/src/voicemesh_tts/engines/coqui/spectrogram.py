"""The other models of coqui-tts (Tacotron, Glow-TTS, FastPitch ...), run whole as its own API does.

They make a spectrogram and need a vocoder for the sound; the sound of a clause comes in one piece.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_chassis.service import StartupError
from voicemesh_tts.audio.tempo import hastened
from voicemesh_tts.engines.coqui.espeak import harden
from voicemesh_tts.engines.coqui.installed import checkpoint_of
from voicemesh_tts.engines.coqui.library import weight_bytes
from voicemesh_tts.ports import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import torch

    from voicemesh_tts.domain import Utterance
    from voicemesh_tts.engines.coqui.installed import CoquiFiles

__all__ = ("SpectrogramModel",)


class SpectrogramModel:
    """A loaded model; see `options.CoquiModel`."""

    def __init__(self, files: CoquiFiles, vocoder: Path | None, device: torch.device) -> None:
        """Loads it.

        Args:
            files: the model's.
            vocoder: directory of its vocoder; None for none, or for Griffin-Lim.
            device: where it runs.

        Raises:
            StartupError: if its files cannot be used.
        """
        self._lock = threading.Lock()
        self._synthesizer = _loaded(files, vocoder, cuda=device.type == "cuda")
        model = self._synthesizer.tts_model
        harden(model.tokenizer.phonemizer)
        self._languages: list[str] = model.language_manager.language_names
        self.memory_bytes = weight_bytes(model, self._synthesizer.vocoder_model)

    def speak(self, utterance: Utterance, speaker: str) -> Iterator[Piece]:
        """The sound of the utterance, whole."""
        from TTS.utils.synthesizer import PAD_SILENCE_SAMPLES

        with self._lock:
            sound = self._synthesizer.tts(
                utterance.text,
                speaker_name=speaker or None,
                language_name=self._language(utterance.language_code),
                split_sentences=False,
            )
        # It puts silence behind every sentence; pauses are the caller's business.
        samples = np.asarray(sound, np.float32)[:-PAD_SILENCE_SAMPLES]
        rate_hertz = int(self._synthesizer.output_sample_rate)
        if len(samples):
            yield Piece(hastened(samples, rate_hertz, utterance.speaking_rate), last=True)

    def _language(self, code: str) -> str | None:
        short = code.split("-")[0].lower()
        same = [name for name in self._languages if name.replace("_", "-").split("-")[0] == short]
        return next(iter(same or self._languages), None)


def _loaded(files: CoquiFiles, vocoder: Path | None, *, cuda: bool) -> Any:
    from TTS.utils.synthesizer import Synthesizer

    try:
        return Synthesizer(
            tts_checkpoint=str(files.checkpoint),
            tts_config_path=str(files.config),
            vocoder_checkpoint=str(checkpoint_of(vocoder)) if vocoder else None,
            vocoder_config=str(vocoder / "config.json") if vocoder else None,
            use_cuda=cuda,
        )
    except Exception as error:  # whatever a damaged file makes the libraries raise
        msg = (
            f"the coqui model in {files.directory} cannot be loaded ({type(error).__name__}); "
            "replace its files, or choose a VITS or XTTS model"
        )
        raise StartupError(msg) from error
