"""Settings that nothing reads are said, with what may have been meant."""

from __future__ import annotations

import pytest

from voicemesh_launcher.unknown_variables import unknown_variables

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("VOICEMESH_SST_MODEL", "VOICEMESH_STT_MODEL"),
        ("VOICEMESH_TRAINR_LOCAL__MODEL", "VOICEMESH_TRAINER_LOCAL__MODEL"),
        ("VOICEMESH_MODEL_DIR", "VOICEMESH_MODELS_DIR"),
        ("VOICEMESH_CLIENT_TOKN", "VOICEMESH_CLIENT_TOKEN"),
    ],
)
def test_a_misspelt_name_is_told_what_it_resembles(name: str, meant: str) -> None:
    assert unknown_variables([name]) == [
        f"{name} is not a setting and is ignored: did you mean {meant}?"
    ]


def test_a_name_like_no_other_is_told_to_go() -> None:
    (sentence,) = unknown_variables(["VOICEMESH_ZZZ"])

    assert sentence.endswith("remove it from the environment.")


def test_what_somebody_reads_or_refuses_by_itself_is_left_alone() -> None:
    names = [
        "HOME",
        "DISCORD_TOKEN",
        "VOICEMESH_MODELS_DIR",
        "VOICEMESH_MODELS_FILE",
        "VOICEMESH_CLIENT_CA_FILE",
        "VOICEMESH_CLIENT_TTS_METRICS_URL",
        "VOICEMESH_STT_SERVER__PORT",
        "VOICEMESH_BOT_NO_SUCH_SETTING",  # which the bot says itself
    ]

    assert unknown_variables(names) == []
