"""The choice of a voice, and pages of voices."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_chassis.service import ConfigurationError
from voicemesh_tts.domain import Voice
from voicemesh_tts.errors import LanguageNotSpokenError, VoiceNotFoundError
from voicemesh_tts.ports import VoiceEngine
from voicemesh_tts.voices.cast import Cast

pytestmark = pytest.mark.unit


OWN = Voice("tone:cloned-1", "Me", ("en", "sv"), 16_000, tenant="t")


@dataclass
class Blender:
    """A mixer of any two voices."""

    name: str = "tone"
    asked: list[str] = field(default_factory=list)

    def find(self, voice: str) -> Voice | None:
        self.asked.append(voice)
        return Voice(voice, "Both", ("en",), 16_000) if "+" in voice else None


@pytest.fixture
def blender() -> Blender:
    return Blender()


@pytest.fixture
def cast(engine: VoiceEngine, blender: Blender) -> Cast:
    made = Cast([engine], "tone:a", [blender])
    made.look()
    return made


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
    cast: Cast, voice: str, language: str, chosen: str
) -> None:
    assert cast.choose(voice, language).id == chosen


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
    cast: Cast, voice: str, language: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        cast.choose(voice, language)

    assert len(str(raised.value)) < 200


def test_a_default_of_an_unknown_engine_is_a_bad_setting(engine: VoiceEngine) -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_TTS_DEFAULT_VOICE"):
        Cast([engine], "other:a").default_engine()


def test_a_tenants_voice_is_there_for_the_tenant_alone(cast: Cast) -> None:
    cast.enrol(OWN)

    assert cast.choose(OWN.id, "", "t") is OWN
    assert OWN in cast.all("", "t")
    for other in ("", "u"):
        assert OWN not in cast.all("", other)
        with pytest.raises(VoiceNotFoundError):
            cast.choose(OWN.id, "", other)
    # Nobody gets a clone who has not named it, not even because of the language.
    with pytest.raises(LanguageNotSpokenError):
        cast.choose("", "sv", "t")


def test_a_voice_that_is_dismissed_is_gone(cast: Cast) -> None:
    cast.enrol(OWN)

    assert cast.dismiss(OWN.id) is OWN
    assert cast.dismiss(OWN.id) is None
    assert cast.find(OWN.id, "t") is None
    assert cast.cloned("t") == []


def test_what_an_engine_lists_as_cloned_is_not_for_everyone(engine: VoiceEngine) -> None:
    class WithClones:
        name = "tone"

        def voices(self) -> list[Voice]:
            return [*engine.voices(), OWN]

    cast = Cast([WithClones()], "tone:a")  # type: ignore[list-item]
    cast.look()

    assert cast.find(OWN.id, "t") is None


def test_a_blend_is_found_when_it_is_searched_for(cast: Cast, blender: Blender) -> None:
    assert cast.find("tone:a+b") is None
    for name in ("tone:a+b", "tone:z", "other:a+b", "tone:a+" + "b" * 1_000):
        cast.search(name)

    assert cast.choose("tone:a+b", "").display_name == "Both"
    assert cast.find("tone:z") is None
    assert blender.asked == ["tone:a+b", "tone:z"]
    assert "tone:a+b" not in [voice.id for voice in cast.all()]


def test_only_so_many_blends_are_remembered(cast: Cast) -> None:
    for number in range(300):
        cast.search(f"tone:a+{number}")

    assert cast.find("tone:a+0") is None
    assert cast.find("tone:a+299") is not None
