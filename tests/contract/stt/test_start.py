"""What is wrong with the models ends the start with one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from voicemesh_chassis.service import StartupError
from voicemesh_chassis.testing import running
from voicemesh_stt.__main__ import build
from voicemesh_stt.settings import SttSettings

pytestmark = pytest.mark.contract


async def test_a_missing_model_ends_the_start_with_one_sentence(tmp_path: Path) -> None:
    settings = SttSettings(models_dir=tmp_path)

    with pytest.raises(
        StartupError, match=r"whisper-tiny\.en.*voicemesh-models pull --dir"
    ) as caught:
        async with running(build(settings), settings):
            pass

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("directory", ["missing", "file"])
async def test_a_spool_that_nothing_can_be_kept_in_ends_the_start_with_one_sentence(
    tmp_path: Path, models_dir: Path, directory: str
) -> None:
    (tmp_path / "file").touch()
    settings = SttSettings(models_dir=models_dir, spool_dir=tmp_path / directory)

    with pytest.raises(StartupError, match=r"VOICEMESH_STT_SPOOL_DIR: .* is no directory"):
        await build(settings).start()


async def test_a_directory_that_is_no_model_ends_the_start_with_one_sentence(
    tmp_path: Path, models_dir: Path
) -> None:
    settings = SttSettings(models_dir=models_dir, model=f"{tmp_path}{os.sep}mine")

    with pytest.raises(StartupError, match=r"VOICEMESH_STT_MODEL = .*mine holds no model\.bin"):
        async with running(build(settings), settings):
            pass
