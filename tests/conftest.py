"""Fixtures that every test may use, and the rule that every module names its category."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import hypothesis
import numpy as np
import pytest

from voicemesh_models import ModelStore, default_models_dir, load_catalogue
from voicemesh_stt.domain import RecognitionOptions
from voicemesh_stt.ports import Again, Engine, Job, Lane, Recognition

# The same examples on every machine, and no timing on machines that are shared.
hypothesis.settings.register_profile("voicemesh", deadline=None, derandomize=True)
hypothesis.settings.load_profile("voicemesh")

CATEGORIES = {"unit", "contract", "integration", "e2e", "architecture"}
DATA = Path(__file__).parent / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a test that has not exactly one category, so that none escapes a selection."""
    for item in items:
        found = CATEGORIES & {mark.name for mark in item.iter_markers()}
        if len(found) != 1:
            wanted = ", ".join(sorted(CATEGORIES))
            raise pytest.UsageError(f"{item.nodeid}: needs exactly one marker of: {wanted}")


@pytest.fixture(scope="session")
def speech() -> Path:
    """Directory of recorded human speech with `transcripts.tsv`."""
    return DATA / "speech"


@pytest.fixture(scope="session")
def transcripts(speech: Path) -> dict[str, str]:
    """The words spoken in each recording, by file name."""
    rows = (speech / "transcripts.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return dict(row.split("\t", 1) for row in rows)


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Directory in which `make models` has put the default models.

    Fails, rather than skips, if one is missing: every test on a real engine depends on them.
    """
    root = default_models_dir()
    store = ModelStore(root, load_catalogue())
    for name in store.catalogue.expand(["default"]):
        store.require(name)
    return root


def opus_packets(
    audio: Any,
    *,
    fec: bool = False,
    layout: str = "mono",
    frame_ms: float = 20,
    bit_rate: int = 64_000,
) -> list[bytes]:
    """Speech, float32 [samples] at 16 kHz, as libopus packs it for a network that loses packets."""
    codec: Any = av.AudioCodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, layout, "s16"
    codec.bit_rate = bit_rate
    codec.options = {
        "application": "voip",
        "frame_duration": f"{frame_ms:g}",
        "fec": str(int(fec)),
        "packet_loss": "10" if fec else "0",
    }
    codec.open()
    resampler = av.AudioResampler("s16", layout, 48_000, round(48 * frame_ms))
    frame = av.AudioFrame.from_ndarray(audio.reshape(1, -1), format="fltp", layout="mono")
    frame.sample_rate = 16_000
    parts = resampler.resample(frame)
    return [bytes(packet) for part in parts for packet in codec.encode(part)]


@pytest.fixture(scope="session")
def opus() -> Callable[..., list[bytes]]:
    """Turns speech into Opus packets."""
    return opus_packets


@pytest.fixture(scope="session")
def engine_contract() -> Callable[[Engine], None]:
    """Checks what the scheduler of stt relies on, of the real engine and of those in its place."""

    def check(engine: Engine) -> None:
        assert engine.workers >= 1
        assert engine.most_in_batch >= 1
        assert engine.memory_bytes > 0
        assert engine.model.name
        audios = [np.full(16_000 * number, 0.01 * number, np.float32) for number in (1, 2)]
        jobs = [Job(audio, RecognitionOptions("en"), Lane.LIVE, 60.0) for audio in audios]
        batch = [engine.prepare(job) for job in jobs]
        assert [each.job for each in batch] == jobs
        assert len({each.batch_key for each in batch}) == 1
        assert all(each.features.dtype == np.float32 for each in batch)
        assert all(each.context_s > 0 for each in batch)
        worked = engine.recognise(batch)
        assert len(worked.outcomes) == len(batch)
        for each, outcome in zip(batch, worked.outcomes, strict=True):
            assert isinstance(outcome, Again | Recognition)
            if isinstance(outcome, Again):
                assert outcome.prepared.job is each.job
                assert outcome.prepared.context_s > each.context_s
                # A second look is the last one.
                (sure,) = engine.recognise([outcome.prepared]).outcomes
                assert isinstance(sure, Recognition)
        assert worked.encoder_s >= 0
        assert worked.decoder_s >= 0

    return check
