"""Coqui's models that make spectrograms, here Glow-TTS without a vocoder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from voicemesh_chassis.service import StartupError
from voicemesh_tts.domain import Utterance
from voicemesh_tts.engines.coqui import CoquiEngine, CoquiOptions

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def glow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CoquiEngine]:
    """An engine with a small Glow-TTS model, `coqui:glow`."""
    import torch
    from TTS.tts.configs.glow_tts_config import GlowTTSConfig
    from TTS.tts.models.glow_tts import GlowTTS

    home = tmp_path_factory.mktemp("glow")
    (home / "glow").mkdir()
    config = GlowTTSConfig(use_phonemes=False, languages=["en"])
    config.audio.griffin_lim_iters = 10
    torch.manual_seed(5)
    model = GlowTTS(config)
    config.save_json(str(home / "glow" / "config.json"))
    torch.save({"model": model.state_dict()}, home / "glow" / "model.pth")
    engine = CoquiEngine(home, CoquiOptions(model_dirs=(home,), device="cpu"))
    yield engine
    engine.close()


def test_a_clause_is_spoken_whole_without_silence_behind_it(
    glow: CoquiEngine, say: Callable[..., Utterance]
) -> None:
    (voice,) = glow.voices()
    assert not voice.has_word_times

    (piece,) = glow.speak(say("Hello there.", "coqui:glow"))

    assert piece.last
    assert piece.samples.dtype == np.float32
    assert np.abs(piece.samples[-1_000:]).max() > 0
    assert glow.memory_bytes("coqui:glow") > 1_000_000


def test_it_is_faster_when_asked(glow: CoquiEngine, say: Callable[..., Utterance]) -> None:
    (plain,) = glow.speak(say("Hello there.", "coqui:glow"))
    (quick,) = glow.speak(say("Hello there.", "coqui:glow", rate=2.0))

    assert len(quick.samples) == pytest.approx(len(plain.samples) / 2, rel=0.2)


def test_a_damaged_model_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text(
        '{"model": "tacotron2", "audio": {"sample_rate": 22050}}', encoding="utf-8"
    )
    (tmp_path / "bad" / "model.pth").write_bytes(b"nothing")
    engine = CoquiEngine(tmp_path, CoquiOptions(model_dirs=(tmp_path,), device="cpu"))

    with pytest.raises(StartupError, match=r"bad cannot be loaded \(\w+\); replace its files"):
        engine.load("coqui:bad")
