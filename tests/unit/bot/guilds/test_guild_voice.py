"""Settings that cannot be are refused by name, in a sentence for people."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from voicemesh_bot.guilds import Consent, GuildVoice, PersonVoice, TranscriptLine
from voicemesh_chassis.errors import InvalidArgumentError

pytestmark = pytest.mark.unit

LINE = TranscriptLine(1, 2, "s", 1, 3, "Ann", "hello", 1.0, 2.0)


def refusal(make: Any, **changes: object) -> InvalidArgumentError:
    """Makes something and returns why it is refused."""
    with pytest.raises(InvalidArgumentError) as refused:
        make(**changes)
    return refused.value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guild_id", 0),
        ("guild_id", 2**63),
        ("auto_join_channel_id", -1),
        ("follow_user_id", 0),
        ("captions_channel_id", 2**64),
        ("leave_when_empty_s", 0.5),
        ("leave_when_empty_s", 86_401.0),
        ("leave_when_empty_s", float("nan")),
        ("transcript_kept_s", -1.0),
        ("transcript_kept_s", 91 * 86_400.0),
        ("language_code", "English please"),
        ("language_code", "e"),
        ("language_code", "en_US"),
        ("voice", "two words"),
        ("voice", "x" * 201),
        ("voice", "a\nb"),
        ("names", ("x",)),
        ("names", ("42",)),
        ("names", ("Ada!",)),
        ("names", ("A" * 33,)),
        ("names", ("",)),
        ("names", tuple(f"Ada{number}x" for number in range(11))),
        ("timings", {"barge_in_s": float("inf")}),
        ("timings", {"Barge in": 1.0}),
        ("timings", {f"t{number}": 1.0 for number in range(65)}),
    ],
)
def test_a_guild_cannot_have_this_and_is_told_which_field(field: str, value: object) -> None:
    error = refusal(lambda **changes: replace(GuildVoice(1), **changes), **{field: value})

    assert error.field == field
    assert field in error.message
    assert error.code == "INVALID_ARGUMENT"


def test_the_bounds_themselves_are_allowed() -> None:
    for seconds in (1.0, 86_400.0, None):
        assert GuildVoice(1, leave_when_empty_s=seconds).leave_when_empty_s == seconds
    for seconds in (0.0, 90 * 86_400.0):
        assert GuildVoice(1, transcript_kept_s=seconds).transcript_kept_s == seconds
    assert GuildVoice(2**63 - 1).guild_id == 2**63 - 1


def test_everything_that_acts_by_itself_is_off_for_a_new_guild() -> None:
    guild = GuildVoice(1)

    assert guild.auto_join_channel_id is None
    assert guild.follow_user_id is None
    assert guild.leave_when_empty_s is None
    assert not guild.captions
    assert guild.transcript_kept_s == 86_400


def test_names_are_tidied_and_each_is_there_once() -> None:
    names = ("  Ada   Lovelace ", "ada lovelace", "O\u2019Neill", "e\u0301a", "小", "R2D2")

    assert GuildVoice(1, names=names).names == ("Ada Lovelace", "O'Neill", "éa", "小", "R2D2")


@pytest.mark.parametrize("code", ["", "en", "de-CH", "pt-BR", "zh-Hant-TW", "yue"])
def test_language_codes_of_all_kinds_are_taken(code: str) -> None:
    assert GuildVoice(1, language_code=code).language_code == code


def test_settings_do_not_change_behind_the_back_of_who_holds_them() -> None:
    timings = {"b_s": 1.0, "a_s": 2.0}
    guild = GuildVoice(1, timings=timings)
    timings["c_s"] = 3.0

    assert list(guild.timings) == ["a_s", "b_s"]
    with pytest.raises(TypeError):
        guild.timings["a_s"] = 1.0  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        guild.captions = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value"),
    [("guild_id", 0), ("user_id", 0), ("language_code", "x"), ("voice", "a b")],
)
def test_a_person_cannot_want_this(field: str, value: object) -> None:
    error = refusal(lambda **changes: replace(PersonVoice(1, 2), **changes), **{field: value})
    assert error.field == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guild_id", 0),
        ("channel_id", 0),
        ("session_id", ""),
        ("session_id", "x" * 65),
        ("number", 0),
        ("number", 2**31),
        ("speaker_id", 0),
        ("speaker", " "),
        ("speaker", "x" * 101),
        ("text", ""),
        ("text", "x" * 20_001),
        ("text", "a\0b"),
        ("start_time", -1.0),
        ("start_time", float("nan")),
        ("end_time", 0.5),
        ("end_time", float("inf")),
    ],
)
def test_a_line_cannot_be_this(field: str, value: object) -> None:
    error = refusal(lambda **changes: replace(LINE, **changes), **{field: value})
    assert error.field == field


def test_a_consent_for_one_session_ends_with_it() -> None:
    once = Consent(1, 2, given=True, remembered=False, change_time=50.0)

    assert once.holds(session_start_time=49.0)
    assert once.holds(session_start_time=50.0)
    assert not once.holds(session_start_time=51.0)
    assert replace(once, remembered=True).holds(session_start_time=51.0)
    assert not replace(once, given=False, remembered=True).holds(session_start_time=49.0)
