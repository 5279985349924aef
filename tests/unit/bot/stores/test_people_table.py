"""Consents and wishes of people, kept and forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from voicemesh_bot.guilds import Consent, Forgotten, PersonVoice, TranscriptLine
from voicemesh_chassis.errors import InvalidArgumentError

pytestmark = pytest.mark.unit

ANN, BEN = 101, 102


async def test_nobody_has_agreed_who_was_not_asked(stores: Any) -> None:
    assert await stores.people.consent(1, ANN) is None
    assert await stores.people.consents(1) == ()


async def test_the_last_word_counts(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)
    stores.clock.now_s += 5
    revoked = await stores.people.decide(1, ANN, given=False)

    assert revoked == Consent(1, ANN, given=False, remembered=True, change_time=1_000_005.0)
    assert await stores.people.consent(1, ANN) == revoked
    assert await stores.people.consents(1) == (revoked,)


async def test_a_consent_for_this_time_says_so_but_a_refusal_is_always_remembered(
    stores: Any,
) -> None:
    assert not (await stores.people.decide(1, ANN, given=True, remembered=False)).remembered
    assert (await stores.people.decide(1, BEN, given=False, remembered=False)).remembered


async def test_consent_in_one_guild_is_none_in_another(stores: Any) -> None:
    await stores.people.decide(1, ANN, given=True)

    assert await stores.people.consent(2, ANN) is None


async def test_consents_come_in_the_order_in_which_they_were_given(stores: Any) -> None:
    for person in (BEN, ANN):
        await stores.people.decide(1, person, given=True)
        stores.clock.now_s += 1

    assert [each.user_id for each in await stores.people.consents(1)] == [BEN, ANN]


async def test_an_id_that_is_none_is_refused_by_name(stores: Any) -> None:
    with pytest.raises(InvalidArgumentError) as refused:
        await stores.people.decide(1, 0, given=True)
    assert refused.value.field == "user_id"


async def test_a_persons_wishes_are_kept_for_each_guild(stores: Any) -> None:
    assert await stores.people.person(1, ANN) == PersonVoice(1, ANN)

    await stores.people.change_person(1, ANN, lambda one: replace(one, voice="piper:a"))
    await stores.people.change_person(1, ANN, lambda one: replace(one, language_code="ru"))

    assert await stores.people.person(1, ANN) == PersonVoice(1, ANN, "ru", "piper:a")
    assert await stores.people.person(2, ANN) == PersonVoice(2, ANN)


async def test_wishes_that_are_taken_back_leave_nothing_to_forget(stores: Any) -> None:
    await stores.people.change_person(1, ANN, lambda one: replace(one, voice="piper:a"))
    await stores.people.change_person(1, ANN, lambda one: replace(one, voice=""))

    assert await stores.people.forget(ANN) == Forgotten(0, 0, 0)


async def test_wishes_changed_at_the_same_moment_are_all_kept(stores: Any) -> None:
    changes = ({"voice": "piper:a"}, {"language_code": "de"})
    await asyncio.gather(
        *(
            stores.people.change_person(1, ANN, lambda one, what=what: replace(one, **what))
            for what in changes
        )
    )

    assert await stores.people.person(1, ANN) == PersonVoice(1, ANN, "de", "piper:a")


async def test_wishes_of_one_person_cannot_become_those_of_another(stores: Any) -> None:
    with pytest.raises(ValueError, match="another"):
        await stores.people.change_person(1, ANN, lambda _: PersonVoice(1, BEN))


async def fill(stores: Any, guild_id: int, person: int, number: int) -> None:
    """Lets a person agree, wish and speak in a guild."""
    await stores.people.decide(guild_id, person, given=True)
    await stores.people.change_person(guild_id, person, lambda one: replace(one, voice="v"))
    line = TranscriptLine(guild_id, 3, "s", number, person, "Ann", "hello", 1.0, 2.0)
    assert await stores.transcripts.add([line], expire_time=stores.clock.now_s + 60) == 1


async def test_who_is_forgotten_is_gone_from_everywhere_and_nobody_else_is(stores: Any) -> None:
    for number, (guild_id, person) in enumerate([(1, ANN), (2, ANN), (1, BEN)], start=1):
        await fill(stores, guild_id, person, number)

    assert await stores.people.forget(ANN) == Forgotten(2, 2, 2)

    assert [each.user_id for each in await stores.people.consents(1)] == [BEN]
    assert await stores.people.consents(2) == ()
    assert [each.speaker_id for each in await stores.transcripts.lines(1, "s")] == [BEN]
    assert await stores.transcripts.lines(2, "s") == ()
    assert await stores.people.forget(ANN) == Forgotten(0, 0, 0)


async def test_a_person_may_be_forgotten_in_one_guild_alone(stores: Any) -> None:
    for number, guild_id in enumerate((1, 2), start=1):
        await fill(stores, guild_id, ANN, number)

    assert await stores.people.forget(ANN, guild_id=1) == Forgotten(1, 1, 1)

    assert await stores.people.consent(1, ANN) is None
    assert await stores.people.consent(2, ANN) is not None
    assert len(await stores.transcripts.lines(2, "s")) == 1


async def test_words_that_are_written_while_a_person_is_forgotten_are_gone_too(
    stores: Any,
) -> None:
    await stores.people.decide(1, ANN, given=True)

    async def speak(number: int) -> None:
        line = TranscriptLine(1, 3, "s", number, ANN, "Ann", "hello", 1.0, 2.0)
        await stores.transcripts.add([line], expire_time=stores.clock.now_s + 60)

    speaking = [speak(number) for number in range(1, 6)]
    await asyncio.gather(*speaking[:3], stores.people.forget(ANN), *speaking[3:])

    assert await stores.transcripts.lines(1, "s") == ()
