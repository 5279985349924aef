"""Settings of stt that depend on each other."""

from __future__ import annotations

import pytest

from voicemesh_chassis.settings import load_settings
from voicemesh_stt.settings import SttSettings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "UNSURE_SILENCE_S",
            "0.1",
            "VOICEMESH_STT_TURN__UNSURE_SILENCE_S = 0.1 must be at least "
            "VOICEMESH_STT_TURN__COMPLETE_SILENCE_S = 0.4: change one of them.",
        ),
        (
            "INCOMPLETE_SILENCE_S",
            "0.5",
            "VOICEMESH_STT_TURN__INCOMPLETE_SILENCE_S = 0.5 must be at least "
            "VOICEMESH_STT_TURN__UNSURE_SILENCE_S = 0.6: change one of them.",
        ),
    ],
)
def test_silences_that_fall_are_told_with_both_variables(
    name: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"VOICEMESH_STT_TURN__{name}", value)

    with pytest.raises(SystemExit) as stopped:
        load_settings(SttSettings)

    assert stopped.value.code == 78
    assert capsys.readouterr().err.strip() == sentence


def test_names_of_models_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICEMESH_STT_MODELS", "whisper-base, /my/whisper,")
    monkeypatch.setenv("VOICEMESH_STT_WARM_MODELS", "")

    settings = load_settings(SttSettings)

    assert settings.models == ("whisper-base", "/my/whisper")
    assert settings.warm_models == ()
