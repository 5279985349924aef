"""Voices that are made, kept, shared by processes, and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from voicemesh_chassis.service import StartupError
from voicemesh_tts.cloning.store import VoiceStore
from voicemesh_tts.cloning.workshop import CloneWish, CloningLimits, Workshop
from voicemesh_tts.domain import Gender
from voicemesh_tts.errors import (
    CloningBusyError,
    CloningTimeoutError,
    CloningUnavailableError,
    LanguageNotSpokenError,
    RecordingError,
    TooManyVoicesError,
    VoiceNotFoundError,
)
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ
from voicemesh_tts.studio import Studio, StudioLimits

pytestmark = pytest.mark.unit

LIMITS = CloningLimits(timeout_s=10, voices_per_tenant=2)


class Bench:
    """A workshop and what it stands on."""

    def __init__(
        self, engine: Any, cloner: Any, detector: Any, data: Path, limits: CloningLimits = LIMITS
    ) -> None:
        self.registry = CollectorRegistry()
        self.studio = Studio([engine], "tone:a", StudioLimits(), TtsMetrics(self.registry))
        self.cloner = cloner
        self.data = data
        store = VoiceStore(data)
        self.workshop = Workshop(cloner, detector, store, self.studio, limits)

    def count(self, result: str) -> float:
        value = self.registry.get_sample_value(
            "voicemesh_tts_cloned_voices_total", {"result": result}
        )
        return value or 0.0

    def left(self) -> list[str]:
        return [path.name for path in self.data.glob("*/voices/*")]


@pytest_asyncio.fixture
async def bench(engine: Any, cloner: Any, all_speech: Any, tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(engine, cloner, all_speech, tmp_path / "data")
    await made.studio.open()
    await made.workshop.open()
    yield made
    cloner.let.set()
    await made.studio.aclose()


@pytest.fixture
def wish(write_recording: Callable[..., bytes]) -> CloneWish:
    rng = np.random.default_rng(1)
    sound = (0.1 * rng.standard_normal(7 * REFERENCE_RATE_HERTZ)).astype(np.float32)
    return CloneWish("t", "Me", "de-AT", write_recording(sound))


def other(wish: CloneWish, **changes: Any) -> CloneWish:
    return CloneWish(**{**vars(wish), **changes})


async def test_a_voice_is_made_and_is_the_tenants(bench: Bench, wish: CloneWish) -> None:
    voice = await bench.workshop.create(wish)

    assert voice.id.startswith("tone:cloned-")
    assert (voice.display_name, voice.tenant, voice.license) == ("Me", "t", "CPML")
    assert (voice.language_codes[0], voice.sample_rate_hertz) == ("de-AT", 24_000)
    assert voice.gender is Gender.UNKNOWN
    assert voice.create_time is not None
    assert voice.create_time.tzinfo is not None
    assert bench.studio.cast.find(voice.id, "t") == voice
    assert bench.studio.cast.find(voice.id, "u") is None
    assert bench.count("made") == 1


async def test_the_recording_is_not_kept(bench: Bench, wish: CloneWish) -> None:
    voice = await bench.workshop.create(wish)

    files = list(bench.cloner.known[voice.id].iterdir())
    assert {path.name for path in files} == {"voice.json", "made.bin"}
    assert sum(path.stat().st_size for path in files) < 2_000


async def test_another_process_finds_it_and_notices_that_it_is_gone(
    bench: Bench, wish: CloneWish, engine: Any, all_speech: Any
) -> None:
    voice = await bench.workshop.create(wish)
    second = Bench(engine, type(bench.cloner)(), all_speech, bench.data)

    await second.workshop.look("t")
    assert second.studio.cast.find(voice.id, "t") == voice
    assert voice.id in second.cloner.known

    await bench.workshop.delete("t", voice.id)
    await second.workshop.look("t")
    assert second.studio.cast.find(voice.id, "t") is None
    assert second.cloner.known == {}


async def test_a_deleted_voice_is_gone_from_everywhere(bench: Bench, wish: CloneWish) -> None:
    voice = await bench.workshop.create(wish)

    for tenant in ("u", "t/../t"):
        with pytest.raises(VoiceNotFoundError):
            await bench.workshop.delete(tenant, voice.id)
    await bench.workshop.delete("t", voice.id)

    assert bench.left() == []
    assert bench.cloner.known == {}
    with pytest.raises(VoiceNotFoundError):
        await bench.workshop.delete("t", voice.id)


@pytest.mark.parametrize("voice", ["", "tone:a", "tone:cloned-", "../../x", "tone:cloned-../.."])
async def test_what_is_not_cloned_cannot_be_deleted(bench: Bench, voice: str) -> None:
    with pytest.raises(VoiceNotFoundError):
        await bench.workshop.delete("t", voice)


async def test_a_tenant_has_only_so_many(bench: Bench, wish: CloneWish) -> None:
    for _ in range(2):
        await bench.workshop.create(wish)

    with pytest.raises(TooManyVoicesError):
        await bench.workshop.create(wish)
    await bench.workshop.create(other(wish, tenant="u"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"recording": b"no audio"}, RecordingError),
        ({"language_code": "sv"}, LanguageNotSpokenError),
    ],
)
async def test_what_cannot_be_used_is_refused_and_leaves_nothing(
    bench: Bench, wish: CloneWish, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await bench.workshop.create(other(wish, **changes))

    assert bench.left() == []
    assert bench.count("refused") == 1


async def test_a_model_that_cannot_be_loaded_is_not_the_callers_business(
    bench: Bench, wish: CloneWish
) -> None:
    bench.cloner.error = StartupError("the file /secret is damaged")

    with pytest.raises(CloningUnavailableError) as refused:
        await bench.workshop.create(wish)

    assert "secret" not in refused.value.message
    assert bench.left() == []
    assert bench.count("failed") == 1


async def test_one_voice_is_made_at_a_time(bench: Bench, wish: CloneWish) -> None:
    bench.cloner.let.clear()
    first = asyncio.create_task(bench.workshop.create(wish))
    assert await asyncio.to_thread(bench.cloner.begun.wait, 10)

    with pytest.raises(CloningBusyError) as refused:
        await bench.workshop.create(wish)
    bench.cloner.let.set()
    await first

    assert refused.value.retry_after_s
    await bench.workshop.create(wish)


async def test_two_that_come_at_once_are_not_both_begun(bench: Bench, wish: CloneWish) -> None:
    results = await asyncio.gather(
        bench.workshop.create(wish), bench.workshop.create(wish), return_exceptions=True
    )

    assert sum(isinstance(each, CloningBusyError) for each in results) == 1


async def settled(bench: Bench) -> None:
    """Waits until the thread has noticed that nobody waits any more."""
    async with asyncio.timeout(10):
        while bench.left():
            await asyncio.sleep(0.005)


async def test_a_caller_who_leaves_leaves_nothing(bench: Bench, wish: CloneWish) -> None:
    bench.cloner.let.clear()
    leaving = asyncio.create_task(bench.workshop.create(wish))
    assert await asyncio.to_thread(bench.cloner.begun.wait, 10)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    # The thread is still at work, so there is no room for another yet.
    with pytest.raises(CloningBusyError):
        await bench.workshop.create(wish)
    bench.cloner.let.set()

    await settled(bench)
    assert bench.studio.cast.cloned("t") == []


async def test_there_is_a_deadline(
    engine: Any, cloner: Any, all_speech: Any, tmp_path: Path, wish: CloneWish
) -> None:
    bench = Bench(engine, cloner, all_speech, tmp_path, CloningLimits(timeout_s=0.3))
    cloner.let.clear()

    with pytest.raises(CloningTimeoutError, match=r"0\.3 s"):
        await bench.workshop.create(wish)
    cloner.let.set()

    await settled(bench)
