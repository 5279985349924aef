"""torch and coqui-tts, set up once for a process that serves strangers."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

from voicemesh_chassis.service import ConfigurationError, StartupError

if TYPE_CHECKING:
    from pathlib import Path

    import torch

__all__ = ("chosen_device", "prepare", "settled", "slimmed", "weight_bytes")

_HINT = "install them with `pip install 'voicemesh-tts[coqui]'` (see services/tts/README.md)"

_lock = threading.Lock()
_ready = False

_FILES = ("speakers_file", "d_vector_file", "language_ids_file")
"""Fields of a config that name further files, as they lay where the model was trained."""


def prepare(threads: int) -> None:
    """Imports torch and coqui-tts, which takes some seconds the first time. Thread-safe.

    Raises:
        StartupError: if they are not installed or do not fit each other.
    """
    global _ready
    with _lock:
        if _ready:
            return
        # Threads that spin while they wait take the cores from each other: on two busy cores a
        # sentence then takes thirty times as long. OpenMP reads this when torch loads it.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            import torch
            import TTS.utils.synthesizer  # noqa: F401 - everything that the models need
        except ImportError as error:
            msg = f"the coqui engine needs coqui-tts and torch ({error.name or error}); {_HINT}"
            raise StartupError(msg) from error
        except OSError as error:
            msg = (
                "a library of the coqui engine cannot be loaded; torch and torchaudio must be of "
                "one build (see services/tts/README.md)"
            )
            raise StartupError(msg) from error
        # They warn of every character that a model lacks and of long sentences: what people said.
        for name in ("TTS", "trainer", "transformers"):
            logging.getLogger(name).setLevel(logging.ERROR)
        torch.set_num_threads(threads)
        _ready = True


def chosen_device(wanted: str) -> torch.device:
    """The device of a setting.

    Args:
        wanted: `cpu`, `cuda`, or `auto` for a GPU if there is one.

    Raises:
        ConfigurationError: if a GPU is wanted and there is none.
    """
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        msg = (
            "VOICEMESH_TTS_COQUI__DEVICE = 'cuda', but torch finds no GPU; "
            "install a torch for your GPU or set it to 'cpu'"
        )
        raise ConfigurationError(msg)
    return torch.device("cuda" if there and wanted != "cpu" else "cpu")


def settled(config_file: Path) -> Any:
    """The config of a model, with the files it names looked for beside it as well."""
    from TTS.config import load_config

    config = load_config(config_file)
    for part in (config, config.model_args):
        for field in _FILES:
            # Some name a list of files.
            named = part.get(field) if field in part else None
            if isinstance(named, str) and named:
                part[field] = str(_beside(config_file, named))
            elif named:
                part[field] = [str(_beside(config_file, each)) for each in named]
    return config


def _beside(config_file: Path, named: str) -> Path:
    from pathlib import Path

    path = Path(named)
    return path if path.is_file() else config_file.with_name(path.name)


def slimmed(model: torch.nn.Module) -> torch.nn.Module:
    """The model with its weights as plain numbers, without what only training needs.

    Weight norm works out each weight anew at every run, which costs more than a short run itself.
    """
    from torch.nn.utils import parametrize

    for part in model.modules():
        if parametrize.is_parametrized(part, "weight"):
            parametrize.remove_parametrizations(part, "weight")
    for parameter in model.parameters():
        parameter.requires_grad_(requires_grad=False)
    return model.eval()


def weight_bytes(*models: torch.nn.Module | None) -> int:
    """Memory of the weights and buffers of models."""
    return sum(
        tensor.numel() * tensor.element_size()
        for model in models
        if model is not None
        for tensor in (*model.parameters(), *model.buffers())
    )
