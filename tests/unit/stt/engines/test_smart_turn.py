"""Smart Turn, the real one, on recorded speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from voicemesh_stt.engines.smart_turn import SmartTurnModel, log_mel

pytestmark = pytest.mark.unit

SHORT_SILENCE = np.zeros(1_536, dtype=np.float32)


@pytest.fixture(scope="module")
def model(models_dir: Path) -> SmartTurnModel:
    """The model of the catalogue."""
    return SmartTurnModel(models_dir / "smart-turn-v3.2" / "smart-turn-v3.2-cpu.onnx")


@pytest.mark.parametrize(
    ("name", "end_s", "complete"),
    [
        ("librivox-0870.wav", 7.0, True),
        ("librivox-0890.wav", 5.2, True),
        ("librivox-0920.wav", 6.0, True),
        ("jfk.flac", 7.3, False),  # "... what your country can do"
        ("librivox-0870.wav", 4.7, False),
        ("librivox-0930.wav", 2.1, False),
    ],
)
def test_a_sentence_sounds_complete_at_its_end_and_not_in_its_middle(
    model: SmartTurnModel, speech: Path, name: str, end_s: float, complete: bool
) -> None:
    audio = decode_audio(str(speech / name), sampling_rate=16_000)[: round(end_s * 16_000)]

    probability = model.probability(np.concatenate([audio, SHORT_SILENCE]))

    assert (probability >= 0.5) is complete


def test_only_the_last_eight_seconds_count(model: SmartTurnModel, speech: Path) -> None:
    audio = decode_audio(str(speech / "jfk.flac"), sampling_rate=16_000)

    assert model.probability(audio) == model.probability(audio[-8 * 16_000 :])


def test_the_model_sees_the_turn_at_the_end_of_its_window_however_loud_it_is(speech: Path) -> None:
    audio = decode_audio(str(speech / "librivox-0930.wav"), sampling_rate=16_000)

    features = log_mel(audio)

    assert features.shape == (80, 800)
    assert features.dtype == np.float32
    silent = 800 - len(audio) // 160  # frames of 10 ms
    changes = np.abs(np.diff(features, axis=1)).max(axis=0)
    assert changes[: silent - 5].max() < 0.01 < changes[silent:].max()
    assert np.abs(features - log_mel(audio * 0.1)).max() < 0.01


@pytest.mark.parametrize("samples", [0, 1, 300])
def test_hardly_any_sound_is_judged_too(model: SmartTurnModel, samples: int) -> None:
    assert 0 <= model.probability(np.zeros(samples, dtype=np.float32)) <= 1
