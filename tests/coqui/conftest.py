"""Small coqui models with random weights, built from configs as coqui's own trainer saves them.

They make noise instead of speech, but by the code and the file formats of the published models.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voicemesh_tts.domain import Span, SpokenWord, Utterance
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions
from voicemesh_tts.engines.coqui.library import prepare

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def pytest_configure(config: pytest.Config) -> None:
    """Let the libraries' own warnings be; ours stay errors."""
    for module in ("torch", "torchaudio", "transformers", "TTS", "trainer", "librosa", "numba"):
        config.addinivalue_line("filterwarnings", rf"ignore:::{module}(\..*)?$")
    # Before anything else imports torch, so that it is set up as in the service.
    prepare(threads=2)


def build_vits(
    directory: Path,
    *,
    speakers: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    phonemes: bool = False,
    discriminator: bool = False,
) -> Path:
    """Writes a small VITS model at 16 kHz; the discriminator of training alone is not small."""
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits

    directory.mkdir(parents=True)
    config = VitsConfig(use_phonemes=phonemes, phonemizer="espeak" if phonemes else None)
    config.phoneme_language = "en-us" if phonemes else None
    config.languages = list(languages)
    config.audio.sample_rate = 16_000
    arguments = config.model_args
    arguments.init_discriminator = discriminator
    arguments.hidden_channels = 16
    arguments.hidden_channels_ffn_text_encoder = 32
    arguments.num_layers_text_encoder = 2
    arguments.num_layers_posterior_encoder = 2
    arguments.num_layers_flow = 2
    arguments.upsample_initial_channel_decoder = 32
    if speakers:
        config.speakers = list(speakers)
        config.use_speaker_embedding = arguments.use_speaker_embedding = True
        arguments.speaker_embedding_channels = 8
    if len(languages) > 1:
        config.use_language_embedding = arguments.use_language_embedding = True
    torch.manual_seed(7)
    model = Vits(config)
    config.save_json(str(directory / "config.json"))
    torch.save({"model": model.state_dict()}, directory / "model.pth")
    return directory


def build_xtts(directory: Path, *, speakers: Sequence[str] = ()) -> Path:
    """Writes a small XTTS model whose sampling always takes the likeliest token."""
    import torch
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer
    from TTS.tts.models.xtts import Xtts

    directory.mkdir(parents=True)
    vocabulary = directory / "vocab.json"
    vocabulary.write_text(json.dumps(_letters_tokenizer()), encoding="utf-8")
    config = XttsConfig(languages=["en", "de", "ja", "pl"], top_k=1, repetition_penalty=5.0)
    config.gpt_cond_len, config.gpt_cond_chunk_len = 6, 3
    arguments = config.model_args
    arguments.gpt_layers = 2
    arguments.gpt_n_model_channels = arguments.decoder_input_dim = 32
    arguments.gpt_n_heads = 2
    arguments.gpt_max_audio_tokens = 20
    arguments.gpt_max_text_tokens = 60
    arguments.gpt_num_audio_tokens = 34
    arguments.gpt_start_audio_token, arguments.gpt_stop_audio_token = 32, 33
    arguments.gpt_use_perceiver_resampler = True
    torch.manual_seed(11)
    model = Xtts(config)
    model.tokenizer = VoiceBpeTokenizer(vocabulary)
    model.init_models()
    # It speaks until it may not any more, so that its length is known.
    model.gpt.mel_head.bias.data[arguments.gpt_stop_audio_token] = -1e4
    config.save_json(str(directory / "config.json"))
    torch.save({"model": model.state_dict()}, directory / "model.pth")
    if speakers:
        table = {
            name: {
                "gpt_cond_latents": torch.randn(1, 32, 32),
                "speaker_embedding": torch.nn.functional.normalize(torch.randn(1, 512, 1), dim=1),
            }
            for name in speakers
        }
        torch.save(table, directory / "speakers_xtts.pth")
    return directory


def _letters_tokenizer() -> dict[str, object]:
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]", "[en]", "[de]", "[ja]", "[pl]"]
    vocabulary = {token: place for place, token in enumerate([*special, *LETTERS, *".,!?'äöüß"])}
    added = [
        {
            "id": vocabulary[token],
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for token in special
    ]
    model = {"type": "BPE", "unk_token": "[UNK]", "vocab": vocabulary, "merges": []}
    return {"version": "1.0", "added_tokens": added, "model": model}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models: `alone`, `chorus` (two speakers, two languages) and `cloner`."""
    directory = tmp_path_factory.mktemp("models")
    build_vits(directory / "alone", discriminator=True)
    build_vits(directory / "chorus", speakers=("ED\n", "p225"), languages=("en", "fr-fr"))
    build_xtts(directory / "cloner", speakers=("Ada Lovelace", "Alan Turing"))
    return directory


@pytest.fixture(scope="session")
def vits_builder() -> Callable[..., Path]:
    """Writes a VITS model."""
    return build_vits


@pytest.fixture(scope="session")
def xtts_builder() -> Callable[..., Path]:
    """Writes an XTTS model."""
    return build_xtts


@pytest.fixture(scope="module")
def engine(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoquiEngine]:
    """The engine with all of them, VITS without its noise, so that it repeats itself exactly."""
    options = CoquiOptions(
        model_dirs=(models,),
        accept_cpml=True,
        device="cpu",
        noise_scale=0.0,
        noise_w_scale=0.0,
        chunk_tokens=6,
    )
    engine = CoquiEngine(tmp_path_factory.mktemp("home"), options)
    yield engine
    engine.close()


Say = Callable[..., Utterance]


@pytest.fixture(scope="session")
def say() -> Say:
    """An utterance of a text, word by word."""

    def utterance(text: str, voice: str, *, rate: float = 1.0, language: str = "") -> Utterance:
        words, place = [], 0
        for word in text.split():
            place = text.index(word, place)
            words.append(SpokenWord(word, Span(place, place + len(word))))
            place += len(word)
        return Utterance(tuple(words), voice, rate, language)

    return utterance


@pytest.fixture(scope="session")
def reference() -> NDArray[np.float32]:
    """Eight seconds at 24 kHz that sound a little like somebody: a tone that rises and falls."""
    time = np.arange(8 * 24_000) / 24_000
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.7 * time)
    tone = sum(np.sin(2 * np.pi * k * np.cumsum(pitch) / 24_000) / k for k in range(1, 9))
    return (0.2 * np.asarray(tone) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))).astype(np.float32)
