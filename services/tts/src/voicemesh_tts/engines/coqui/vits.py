"""VITS voices of coqui-tts: any number of speakers, decoded in pieces, with times of words.

The network's encoder and flow run once for an utterance; its decoder, which takes most of the time
and looks only a few frames around, then runs on one piece after another, each with the frames
around it that it can see. So the first sound does not wait for the last, and the samples are those
of a run in one go.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from voicemesh_chassis.service import StartupError
from voicemesh_tts.audio.tempo import Tempo
from voicemesh_tts.domain import WordTime
from voicemesh_tts.engines.coqui.espeak import harden
from voicemesh_tts.engines.coqui.library import settled, slimmed, weight_bytes
from voicemesh_tts.engines.coqui.reading import Part, Reader, runs
from voicemesh_tts.ports import Piece, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from voicemesh_tts.domain import Utterance
    from voicemesh_tts.engines.coqui.installed import CoquiFiles
    from voicemesh_tts.engines.coqui.options import CoquiOptions

__all__ = ("VitsModel",)

_MAX_SYMBOLS = 400
"""Longest run of the encoder; its memory grows with the square."""

_FIRST_FRAMES = 32
_MOST_FRAMES = 256
"""Frames of the first piece, and of the longest; each is twice as long as the one before."""

_FASTEST = 1.0
"""Beyond this rate sounds are shortened after they are made: VITS gives each at least a frame."""


class VitsModel:
    """A loaded model; see `options.CoquiModel`."""

    def __init__(self, files: CoquiFiles, options: CoquiOptions, device: torch.device) -> None:
        """Loads it.

        Raises:
            StartupError: if its files cannot be used.
        """
        self._rate_hertz = files.pattern.sample_rate_hertz
        self._device = device
        self._lock = threading.Lock()
        model = _loaded(files)
        _set_noise(model, options)
        harden(model.tokenizer.phonemizer)
        self._reader = Reader(model.tokenizer, takes_phonemes=files.pattern.takes_phonemes)
        self._context = _context_frames(model.args)
        self._hop = math.prod(model.args.upsample_rates_decoder)
        # From here on the model's own `inference` stops before its decoder.
        self._decoder = slimmed(model.waveform_decoder).to(device)
        self._length_scale = float(model.length_scale)
        self._held = model.waveform_decoder = _held_back()
        self._model = slimmed(model).to(device)
        self.memory_bytes = weight_bytes(self._model, self._decoder)

    def speak(self, utterance: Utterance, speaker: str) -> Iterator[Piece]:
        """The sound of the utterance, piece by piece."""
        language = self._language(utterance.language_code)
        parts = self._reader.read(utterance.words, language)
        rate = utterance.speaking_rate
        pieces = self._pieces(parts, speaker, language, min(rate, _FASTEST))
        if rate > _FASTEST:
            return _hastened(pieces, self._rate_hertz, rate / _FASTEST)
        return pieces

    def _language(self, code: str) -> str | None:
        """The model's own name of a language, the region left out if it must be."""
        names: list[str] = self._model.language_manager.language_names
        for name in names:
            if code and name.replace("_", "-").lower() == code.lower():
                return name
        short = code.split("-")[0].lower()
        same = [name for name in names if short and name.replace("_", "-").split("-")[0] == short]
        return next(iter(same or names), None)

    def _pieces(
        self, parts: Sequence[Part], speaker: str, language: str | None, rate: float
    ) -> Iterator[Piece]:
        prepared = [(run, *self._reader.sequence(run)) for run in runs(parts, _MAX_SYMBOLS)]
        prepared = [each for each in prepared if each[1]]
        begun = 0
        for number, (run, symbols, places) in enumerate(prepared, start=1):
            frames, condition, durations = self._encoded(symbols, speaker, language, rate)
            length = frames.shape[-1] * self._hop
            ends = np.cumsum(durations) / max(1.0, float(durations.sum())) * length
            times = _times(run, places, begun + ends, begun, self._rate_hertz)
            until = begun + length
            for samples in self._decoded(frames, condition):
                begun += len(samples)
                done = begun >= until
                heard_s = begun / self._rate_hertz
                now = [time for time in times if done or time.end_s <= heard_s]
                times = times[len(now) :]
                yield Piece(samples, last=done and number == len(prepared), words=tuple(now))

    def _encoded(
        self, numbers: list[int], speaker: str, language: str | None, rate: float
    ) -> tuple[torch.Tensor, torch.Tensor | None, Any]:
        """What the decoder is to be given, and how many frames each symbol takes."""
        import torch

        model = self._model
        symbols = torch.as_tensor([numbers], dtype=torch.long, device=self._device)
        speaker_id, vector = model._get_speaker_id_or_dvector(speaker or None, None, None)
        language_id = model._get_language_id(language)
        languages = (
            None if language_id is None else torch.tensor([language_id], device=self._device)
        )
        # The length scale belongs to the model, and so does what its decoder would have been given.
        with self._lock:
            model.length_scale = self._length_scale / rate
            outputs = model.inference(
                symbols,
                aux_input={
                    "x_lengths": torch.tensor([len(numbers)], device=self._device),
                    "speaker_ids": speaker_id,
                    "d_vectors": vector,
                    "language_ids": languages,
                },
            )
            frames, condition = self._held.given
            self._held.given = None
        return frames, condition, outputs["durations"].reshape(-1).float().cpu().numpy()

    def _decoded(self, frames: torch.Tensor, condition: torch.Tensor | None) -> Iterator[Samples]:
        import torch

        total = frames.shape[-1]
        start, size = 0, _FIRST_FRAMES
        while start < total:
            # A rest of a few frames is not worth a run of its own.
            end = total if start + size + size // 2 >= total else start + size
            first, last = max(0, start - self._context), min(total, end + self._context)
            with torch.inference_mode():
                sound = self._decoder(frames[:, :, first:last], g=condition).reshape(-1)
            low, high = (start - first) * self._hop, (end - first) * self._hop
            yield sound[low:high].float().cpu().numpy().copy()
            start, size = end, min(2 * size, _MOST_FRAMES)


def _loaded(files: CoquiFiles) -> Any:
    from TTS.tts.models import setup_model

    try:
        config = settled(files.config)
        model = setup_model(config)
        model.load_checkpoint(config, files.checkpoint, eval=True)
    except Exception as error:  # whatever a damaged file makes the libraries raise
        msg = (
            f"the coqui model in {files.directory} cannot be loaded ({type(error).__name__}: "
            f"{str(error).splitlines()[0] if str(error) else 'no reason given'}); replace its files"
        )
        raise StartupError(msg) from error
    # Only training uses these two, a good half of the weights.
    model.disc = model.posterior_encoder = None
    return model


def _set_noise(model: Any, options: CoquiOptions) -> None:
    if options.noise_scale is not None:
        model.inference_noise_scale = options.noise_scale
    if options.noise_w_scale is not None:
        model.inference_noise_scale_dp = options.noise_w_scale


def _held_back() -> Any:
    """What stands in the decoder's place: keeps what the decoder is given, and gives no sound."""
    import torch

    class HeldBack(torch.nn.Module):  # type: ignore[misc] # torch is not there in `make types`
        given: tuple[torch.Tensor, torch.Tensor | None] | None = None

        def forward(self, frames: torch.Tensor, g: torch.Tensor | None = None) -> torch.Tensor:
            self.given = (frames, g)
            return frames.new_zeros(1, 1, 0)

    return HeldBack()


def _context_frames(args: Any) -> int:
    """How many frames on either side change a frame's sound: the reach of HiFi-GAN, rounded up.

    Each convolution reaches (kernel - 1) / 2 times its dilation; what reaches a sample late in the
    network reaches fewer frames, because a frame has become many samples.
    """
    reach, samples_a_frame = 3.0, 1.0  # the first convolution: kernel 7
    kernels = zip(args.upsample_rates_decoder, args.upsample_kernel_sizes_decoder, strict=True)
    for up, kernel in kernels:
        reach += math.ceil(kernel / up) / samples_a_frame
        samples_a_frame *= up
        blocks = zip(
            args.resblock_kernel_sizes_decoder, args.resblock_dilation_sizes_decoder, strict=True
        )
        # Type 1 has a second convolution, of dilation 1, after each.
        second = 1 if str(args.resblock_type_decoder) == "1" else 0
        widest = max(
            (size - 1) / 2 * sum(dilation + second for dilation in dilations)
            for size, dilations in blocks
        )
        reach += widest / samples_a_frame
    return math.ceil(reach + 3.0 / samples_a_frame)


def _times(
    run: Sequence[Part], places: Sequence[int], ends: Any, begun: int, rate_hertz: int
) -> list[WordTime]:
    """When the words of a run are spoken, in order.

    Args:
        run: the parts spoken.
        places: for each symbol the place of its part, or -1.
        ends: where each symbol ends, in samples from the beginning of the utterance.
        begun: where the run begins, likewise.
        rate_hertz: samples a second.
    """
    found: dict[int, tuple[float, float]] = {}
    for place, part in enumerate(run):
        own = [index for index, each in enumerate(places) if each == place]
        if not own or not part.words:
            continue
        start = float(ends[own[0] - 1]) if own[0] else float(begun)
        share = (float(ends[own[-1]]) - start) / len(part.words)
        # Words that espeak-ng has joined share their sound evenly.
        for number, word in enumerate(part.words):
            low, high = start + number * share, start + (number + 1) * share
            known = found.get(word, (low, high))
            found[word] = (min(known[0], low), max(known[1], high))
    return [
        WordTime(word, low / rate_hertz, high / rate_hertz)
        for word, (low, high) in sorted(found.items())
    ]


def _hastened(pieces: Iterator[Piece], rate_hertz: int, factor: float) -> Iterator[Piece]:
    """The pieces in less time."""
    tempo = Tempo(rate_hertz, factor)
    for piece in pieces:
        sound = tempo.push(piece.samples)
        if piece.last:
            sound = np.concatenate([sound, tempo.finish()])
        words = (
            WordTime(word.index, word.start_s / factor, word.end_s / factor) for word in piece.words
        )
        yield Piece(sound, piece.last, tuple(words))
