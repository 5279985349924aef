"""Pronunciations of requests and tenants together, from files that change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voicemesh_tts.dictionaries import Dictionaries
from voicemesh_tts.text import Pronunciation, words_of

pytestmark = pytest.mark.unit

FILE = """
[pronunciations]
"ONNX" = "on x"
"Nguyen" = { phonemes = "ŋwiən" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "guild" / "pronunciations.toml"
    path.parent.mkdir()
    path.write_text(FILE, encoding="utf-8")
    return path


def change(file: Path, text: str | None) -> None:
    """Writes the file anew, at another time than before; None deletes it."""
    if text is None:
        file.unlink()
        return
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(1, 1))


async def read(
    dictionaries: Dictionaries,
    text: str,
    *own: Pronunciation,
    tenant: str = "guild",
    phonemes: bool = True,
) -> str:
    """The words that are said for a text, phonemes in slashes."""
    found = await dictionaries.of(tenant, own, phonemes=phonemes)
    words = words_of(text, 0, "en", found)
    return " ".join(f"/{word.phonemes}/" if word.phonemes else word.text for word in words)


async def test_a_tenants_words_are_said_as_its_file_says(file: Path) -> None:
    dictionaries = Dictionaries(file.parents[1])

    assert await read(dictionaries, "Nguyen likes onnx") == "/ŋwiən/ likes on x"
    assert await read(dictionaries, "onnx", tenant="other") == "onnx"
    assert await read(dictionaries, "onnx", tenant="") == "onnx"


async def test_the_requests_words_win(file: Path) -> None:
    own = Pronunciation("onnx", respelling="onix")

    assert await read(Dictionaries(file.parents[1]), "Nguyen ONNX", own) == "/ŋwiən/ onix"


async def test_voices_without_phonemes_get_respellings_alone(file: Path) -> None:
    dictionaries = Dictionaries(file.parents[1])
    ipa = Pronunciation("ONNX", phonemes="ɒniks")

    # Their own word for it does not hide the tenant's respelling, since it cannot be said.
    said = await read(dictionaries, "Nguyen ONNX", ipa, phonemes=False)

    assert said == "Nguyen on x"


async def test_without_a_directory_there_are_the_requests_alone() -> None:
    own = Pronunciation("onnx", respelling="onix")

    assert await read(Dictionaries(None), "onnx", own) == "onix"
    assert await Dictionaries(None).of("guild", [], phonemes=True) is None


async def test_a_file_that_changes_or_goes_is_noticed(file: Path) -> None:
    dictionaries = Dictionaries(file.parents[1])
    assert await read(dictionaries, "ONNX") == "on x"

    change(file, '[pronunciations]\n"ONNX" = "onix"\n')
    assert await read(dictionaries, "ONNX") == "onix"

    change(file, None)
    assert await read(dictionaries, "ONNX") == "ONNX"


@pytest.mark.parametrize(
    "text",
    [
        "[pronunciations",
        '[other]\n"a" = "b"',
        '[pronunciations]\n"a" = 3',
        '[pronunciations]\n"..." = "b"',
        '[pronunciations]\n"a" = { respelling = "b" }',
        "pronunciations = 3",
        "[pronunciations]\n" + "\n".join(f'"a{n}" = "b"' for n in range(10_001)),
        "#" * (1 << 20) + "#",
    ],
)
async def test_a_file_that_cannot_be_used_changes_nothing_and_is_logged_once(
    file: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    dictionaries = Dictionaries(file.parents[1])
    await read(dictionaries, "ONNX")
    change(file, text)

    assert await read(dictionaries, "ONNX") == "on x"
    assert await read(dictionaries, "ONNX") == "on x"

    (record,) = [record for record in caplog.records if "dictionaries" in record.name]
    assert str(file) in record.getMessage()
