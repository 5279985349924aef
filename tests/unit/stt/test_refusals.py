"""What a caller wrote is shown again, but never so much of it that the status is lost."""

from __future__ import annotations

import pytest

from voicemesh_stt.domain import SpeechModel
from voicemesh_stt.errors import LanguageError, UnknownModelError
from voicemesh_stt.languages import known_language

pytestmark = pytest.mark.unit


def test_a_model_of_endless_name_is_refused_in_a_short_sentence() -> None:
    error = UnknownModelError("x" * 100_000, ("whisper-tiny.en",), field="config.model")

    assert len(error.message) < 200
    assert "whisper-tiny.en" in error.message


def test_an_endless_language_code_is_refused_in_a_short_sentence() -> None:
    model = SpeechModel("fake", ("en",), "none", "none")

    with pytest.raises(LanguageError) as caught:
        known_language("xx" + "-aaaaaaaa" * 10_000, model, field="config.language_code")

    assert len(caught.value.message) < 200
