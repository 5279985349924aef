"""Which models are looked for before the start, by the settings of the services."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicemesh_launcher.needed_models import NeededModel, needed_models
from voicemesh_models import load_catalogue

pytestmark = pytest.mark.unit

DEFAULTS = ["whisper-tiny.en", "silero-vad", "piper-en_US-joe-medium", "gemma-3-270m"]
OPTIONAL = ["smart-turn-v3.2"]
"""Without it stt decides by timing when a turn is over."""


def names(environ: dict[str, str]) -> list[str]:
    return [needed.name for needed in needed_models(environ)]


def test_without_settings_they_are_the_default_group_but_for_what_is_optional() -> None:
    group = load_catalogue().expand(["default"])

    assert names({}) == [name for name in group if name not in OPTIONAL] == DEFAULTS


@pytest.mark.parametrize(
    ("environ", "changed"),
    [
        ({"VOICEMESH_STT_MODEL": "whisper-base"}, ["whisper-base", *DEFAULTS[1:]]),
        ({"VOICEMESH_STT_MODEL": "/my/whisper"}, DEFAULTS[1:]),
        (
            {"VOICEMESH_TTS_DEFAULT_VOICE": "piper:en_US-lessac-medium"},
            [*DEFAULTS[:2], "piper-en_US-lessac-medium", DEFAULTS[3]],
        ),
        ({"VOICEMESH_TTS_PIPER__VOICE_DIRS": "/my/voices"}, [*DEFAULTS[:2], DEFAULTS[3]]),
        ({"VOICEMESH_TRAINER_LOCAL__MODEL": "other"}, [*DEFAULTS[:3], "other"]),
        ({"VOICEMESH_TRAINER_LOCAL__MODEL_FILE": "/my/model.gguf"}, DEFAULTS[:3]),
        ({"OPENAI_API_KEY": "x"}, DEFAULTS[:3]),
        ({"OPENAI_API_KEY": "x", "VOICEMESH_TRAINER_BACKEND": "local"}, DEFAULTS),
        ({"VOICEMESH_TRAINER_BACKEND": "openai"}, DEFAULTS[:3]),
    ],
)
def test_settings_change_what_is_needed(environ: dict[str, str], changed: list[str]) -> None:
    assert names(environ) == changed


def test_the_directory_of_stt_is_its_own() -> None:
    whisper, silero, *others = needed_models({"VOICEMESH_STT_MODELS_DIR": "/models/of/stt"})

    assert {whisper.root, silero.root} == {Path("/models/of/stt")}
    assert all(isinstance(each, NeededModel) and each.root is None for each in others)
