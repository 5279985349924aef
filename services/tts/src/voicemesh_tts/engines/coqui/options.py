"""How the coqui engine is set up, and what its models are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from voicemesh_tts.domain import Utterance
    from voicemesh_tts.ports import Piece

__all__ = ("CoquiModel", "CoquiOptions")


@dataclass(frozen=True)
class CoquiOptions:
    """Which models there are and how they run."""

    models: tuple[str, ...] = ()
    """Published models by coqui's names, such as `tts_models/en/vctk/vits`."""

    model_dirs: tuple[Path, ...] = ()
    """Directories of models of one's own, or of such directories."""

    home: Path | None = None
    """Where published models lie, in `tts/`; None is `coqui` in the model directory."""

    download: bool = False
    """Whether published models that are not here may be fetched."""

    accept_cpml: bool = False
    """Whether the operator accepts the Coqui Public Model License, which XTTS models are under."""

    device: str = "auto"
    """`cpu`, `cuda` or `auto`."""

    threads: int = 2
    """Threads of torch on the CPU, for all models together."""

    cloning_model: str = ""
    """Name of the XTTS model that clones; empty is the first one there is."""

    chunk_tokens: int = 20
    """Tokens (46 ms each) that XTTS makes before it gives the sound of them."""

    noise_scale: float | None = None
    """Variation of the sound of VITS; None is the model's own."""

    noise_w_scale: float | None = None
    """Variation of the rhythm of VITS; None is the model's own."""


class CoquiModel(Protocol):
    """A model in memory. Its methods may be called from several threads at once."""

    @property
    def memory_bytes(self) -> int:
        """Memory of its weights."""
        ...

    def speak(self, utterance: Utterance, speaker: str) -> Iterator[Piece]:
        """The sound of an utterance as one of its speakers; see `ports.VoiceEngine.speak`.

        Args:
            utterance: what is to be said, and in which language.
            speaker: the model's own name for the speaker; empty if it has one only.
        """
        ...
