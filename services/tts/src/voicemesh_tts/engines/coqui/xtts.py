"""XTTS: many languages, sound while it is still being thought of, and cloned voices."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_chassis.service import StartupError
from voicemesh_tts.engines.coqui.latents import Latents
from voicemesh_tts.engines.coqui.library import settled, slimmed, weight_bytes
from voicemesh_tts.errors import LanguageNotSpokenError, UnpronounceableTextError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import torch

    from voicemesh_tts.domain import SpokenWord, Utterance
    from voicemesh_tts.engines.coqui.installed import CoquiFiles
    from voicemesh_tts.engines.coqui.options import CoquiOptions

__all__ = ("XttsModel",)

_USUAL_CHARS = 200
"""Longest text of a language that the tokenizer gives no limit for."""

_SLOWEST, _FASTEST = 0.25, 4.0
"""Rates that its `speed` can do."""

_PACKAGES = {"zh": "pypinyin", "ja": "cutlet"}
"""What reading a language needs beyond coqui-tts itself."""


class XttsModel:
    """A loaded model; see `options.CoquiModel`."""

    def __init__(self, files: CoquiFiles, options: CoquiOptions, device: torch.device) -> None:
        """Loads it.

        Raises:
            StartupError: if its files cannot be used.
        """
        self._name = files.name
        self._chunk_tokens = options.chunk_tokens
        self._lock = threading.Lock()
        self._model = _loaded(files).to(device)
        self._speakers = self._model.speaker_manager.speakers if self._model.speaker_manager else {}
        self.memory_bytes = weight_bytes(self._model)

    def speak(self, utterance: Utterance, speaker: str) -> Iterator[Piece]:
        """The sound of the utterance as one of the model's own speakers."""
        return self.speak_as(utterance, self._own(speaker))

    def speak_as(self, utterance: Utterance, latents: Latents) -> Iterator[Piece]:
        """The sound of the utterance in a cloned voice.

        Args:
            utterance: what is to be said.
            latents: the voice.

        Raises:
            LanguageNotSpokenError: if the model does not speak the language.
            UnpronounceableTextError: if the text cannot be read.
        """
        language = self._language(utterance.language_code)
        texts = list(self._texts(utterance.words, language))
        rate = min(_FASTEST, max(_SLOWEST, utterance.speaking_rate))
        for text in texts:
            for samples in self._streamed(text, language, latents, rate):
                yield Piece(samples, last=False)
        if texts:
            # Whether a piece is the last one shows only when no more comes.
            yield Piece(np.zeros(0, np.float32), last=True)

    def clone(self, reference: Samples) -> Latents:
        """A voice, from a recording of it at `REFERENCE_RATE_HERTZ`."""
        import torch
        import torchaudio

        model, config = self._model, self._model.config
        rate = int(config.audio.sample_rate)
        sound = torch.from_numpy(np.ascontiguousarray(reference, np.float32)).unsqueeze(0)
        sound = torchaudio.functional.resample(sound, REFERENCE_RATE_HERTZ, rate)
        if config.sound_norm_refs:
            sound = sound / sound.abs().max().clamp(min=1e-5) * 0.75
        sound = sound.to(model.device)
        with self._lock:
            conditioning = model.get_gpt_cond_latents(
                sound,
                rate,
                length=int(config.gpt_cond_len),
                chunk_length=int(config.gpt_cond_chunk_len),
            )
            embedding = model.get_speaker_embedding(
                sound[:, : rate * int(config.max_ref_len)], rate
            )
        return Latents(_numbers(conditioning), _numbers(embedding), self._name)

    def _own(self, speaker: str) -> Latents:
        if speaker not in self._speakers:
            msg = f"the coqui model {self._name} has no speakers of its own; clone a voice for it"
            raise StartupError(msg)
        conditioning, embedding = self._speakers[speaker].values()
        return Latents(_numbers(conditioning), _numbers(embedding))

    def _language(self, code: str) -> str:
        """The model's code for a language: `en` for en-GB, `zh-cn` for zh-TW."""
        short = code.split("-")[0].lower()
        names = [str(name) for name in self._model.config.languages]
        for name in names:
            if name.split("-")[0] == short:
                return name
        if not code:
            return names[0]
        msg = f"the voice does not speak {code!r}"
        raise LanguageNotSpokenError(msg, field="config.language_code")

    def _texts(self, words: Sequence[SpokenWord], language: str) -> Iterator[str]:
        """The words in texts that the model takes at a time."""
        short = language.split("-")[0]
        most_chars = self._model.tokenizer.char_limits.get(short, _USUAL_CHARS)
        # A beginning and an end are put around them.
        most_tokens = int(self._model.args.gpt_max_text_tokens) - 2

        def fits(text: str) -> bool:
            return len(text) <= most_chars and self._tokens(text, language) <= most_tokens

        # It was trained on small letters, and reads lone marks as sounds of their own.
        texts = [word.text.lower() for word in words]
        yield from _packed([text for text in texts if re.search(r"\w", text)], fits)

    def _tokens(self, text: str, language: str) -> int:
        try:
            return len(self._model.tokenizer.encode(text, lang=language))
        except ImportError as error:
            package = _PACKAGES.get(language.split("-")[0], str(error.name))
            msg = f"the package {package} is not installed on this server, so {language!r} is not"
            raise LanguageNotSpokenError(f"{msg} spoken", field="config.language_code") from error
        except Exception as error:  # whatever its spelling out of numbers makes of a text
            msg = "the speech engine cannot read a part of the text; write it otherwise"
            raise UnpronounceableTextError(msg, field="text") from error

    def _streamed(
        self, text: str, language: str, latents: Latents, rate: float
    ) -> Iterator[Samples]:
        import torch

        model, config = self._model, self._model.config
        chunks = model.inference_stream(
            text,
            language,
            torch.from_numpy(latents.conditioning),
            torch.from_numpy(latents.embedding),
            stream_chunk_size=self._chunk_tokens,
            temperature=float(config.temperature),
            length_penalty=float(config.length_penalty),
            repetition_penalty=float(config.repetition_penalty),
            top_k=int(config.top_k),
            top_p=float(config.top_p),
            speed=rate,
        )
        language_model = model.gpt.gpt_inference
        prefix: torch.Tensor | None = None
        while True:
            # The text being spoken is kept in the model, one for all: whoever's turn it is puts
            # his own back, or two callers would speak each other's text.
            with self._lock:
                if prefix is not None:
                    language_model.cached_prefix_emb = prefix
                chunk = next(chunks, None)
                prefix = language_model.cached_prefix_emb
            if chunk is None:
                return
            yield _numbers(chunk).reshape(-1)


def _loaded(files: CoquiFiles) -> Any:
    from TTS.tts.models.xtts import Xtts

    try:
        config = settled(files.config)
        model = Xtts(config)
        model.load_checkpoint(
            config,
            checkpoint_dir=str(files.directory),
            checkpoint_path=str(files.checkpoint),
            eval=True,
        )
    except Exception as error:  # whatever a damaged file makes the libraries raise
        reason = str(error).splitlines()[0] if str(error) else "no reason given"
        msg = (
            f"the coqui model in {files.directory} cannot be loaded ({type(error).__name__}: "
            f"{reason}); replace its files"
        )
        raise StartupError(msg) from error
    # `eval` of the model itself would set up its language model anew, without the cache.
    slimmed(model.hifigan_decoder)
    return model


def _numbers(tensor: Any) -> Samples:
    return np.array(tensor.detach().float().cpu().numpy(), np.float32)


def _packed(words: Sequence[str], fits: Callable[[str], bool]) -> Iterator[str]:
    """The words in as few texts as fit; a word that does not fit is cut."""
    text = ""
    for word in words:
        joined = f"{text} {word}" if text else word
        if fits(joined):
            text = joined
            continue
        if text:
            yield text
        while not fits(word):
            cut = max(1, len(word) // 2)
            while cut > 1 and not fits(word[:cut]):
                cut //= 2
            yield word[:cut]
            word = word[cut:]
            if len(word) <= 1:
                break
        text = word
    if text:
        yield text
