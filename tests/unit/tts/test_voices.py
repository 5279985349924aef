"""The choice of a voice, and pages of voices."""

from __future__ import annotations

import pytest

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.service import ConfigurationError
from voicemesh_tts.errors import LanguageNotSpokenError, VoiceNotFoundError
from voicemesh_tts.ports import VoiceEngine
from voicemesh_tts.voices import Voices

pytestmark = pytest.mark.unit


@pytest.fixture
def voices(engine: VoiceEngine) -> Voices:
    opened = Voices([engine], "tone:a")
    opened.open()
    return opened


@pytest.mark.parametrize(
    ("voice", "language", "chosen"),
    [
        ("", "", "tone:a"),
        ("tone:b", "", "tone:b"),
        ("", "en-GB", "tone:a"),
        ("", "de", "tone:b"),
        ("tone:b", "DE_at", "tone:b"),
    ],
)
def test_the_voice_named_or_the_default_or_one_of_the_language(
    voices: Voices, voice: str, language: str, chosen: str
) -> None:
    assert voices.choose(voice, language).id == chosen


@pytest.mark.parametrize(
    ("voice", "language", "error"),
    [
        ("tone:z", "", VoiceNotFoundError),
        ("x" * 100_000, "", VoiceNotFoundError),
        ("", "fr", LanguageNotSpokenError),
        ("tone:a", "de", LanguageNotSpokenError),
        ("", "not a language", InvalidArgumentError),
        ("", "e" * 5_000, InvalidArgumentError),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_a_short_sentence(
    voices: Voices, voice: str, language: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        voices.choose(voice, language)

    assert len(str(raised.value)) < 200


def test_a_default_of_an_unknown_engine_is_a_bad_setting(engine: VoiceEngine) -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_TTS_DEFAULT_VOICE"):
        Voices([engine], "other:a").open()
