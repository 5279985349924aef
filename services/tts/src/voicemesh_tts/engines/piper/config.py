"""What the JSON file of a Piper voice says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ("VoiceConfig", "speakers_of")

_HOP = 256
_NEEDED = ("^", "$", "_")


@dataclass(frozen=True)
class VoiceConfig:
    """How a voice is to be run."""

    sample_rate_hertz: int
    """Rate of its sound."""

    numbers: Mapping[str, Sequence[int]]
    """What its network reads for each phoneme."""

    takes_phonemes: bool
    """Whether these are of the International Phonetic Alphabet, not letters."""

    speakers: Mapping[str, int]
    """Number of each speaker by name; empty if there is one only."""

    default_speaker: int
    """Number of the speaker if none is named."""

    noise_scale: float
    """Variation of the sound."""

    length_scale: float
    """Length of the phonemes."""

    noise_w_scale: float
    """Variation of the rhythm."""

    hop: int
    """Samples of a frame, where the network does not tell."""

    @staticmethod
    def read(path: Path) -> VoiceConfig:
        """Reads a config file.

        Raises:
            OSError: if it cannot be read.
            ValueError, KeyError, TypeError, AttributeError: if it is not one.
        """
        config: Any = json.loads(path.read_bytes())
        numbers = config["phoneme_id_map"]
        if any(not isinstance(numbers[needed], list) for needed in _NEEDED):
            msg = "phoneme_id_map has no lists"
            raise TypeError(msg)
        inference = config.get("inference", {})
        return VoiceConfig(
            sample_rate_hertz=int(config["audio"]["sample_rate"]),
            numbers=numbers,
            takes_phonemes=config.get("phoneme_type", "espeak") == "espeak",
            speakers=speakers_of(config),
            default_speaker=int(config.get("default_speaker_id", 0)),
            noise_scale=float(inference.get("noise_scale", 0.667)),
            length_scale=float(inference.get("length_scale", 1.0)),
            noise_w_scale=float(inference.get("noise_w", 0.8)),
            hop=int(config.get("hop_length", _HOP)),
        )


def speakers_of(config: Mapping[str, Any]) -> dict[str, int]:
    """The speakers of a voice's config by name, without blanks; none if there is one only."""
    count = int(config.get("num_speakers", 1))
    if count < 2:
        return {}
    named = config.get("speaker_id_map") or {str(number): number for number in range(count)}
    return {
        "_".join(str(name).split()): int(number)
        for name, number in named.items()
        if 0 <= int(number) < count
    }
