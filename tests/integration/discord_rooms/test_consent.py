"""Nobody is listened to without having agreed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

YES, NO = "You may listen to me", "Do not listen to me"


async def test_who_said_nothing_is_not_heard(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    await house.enter(ann)

    begun = await house.say(ann, "What is the time?")
    await asyncio.sleep(0.5)

    assert house.ears.packets == 0
    assert not house.model.asked
    assert not house.was_heard(ann, begun)
    assert "You have not agreed" in await house.use(ann, "consent")


async def test_the_buttons_say_yes_and_no_at_once(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    greeting = await house.enter(ann)

    pressed = await ann.click(greeting, YES)
    assert "Thank you" in (await pressed.response()).content
    begun = await house.say(ann, "What is the time?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    await house.quiet(ann)
    heard = house.ears.packets

    pressed = await ann.click(greeting, NO)
    assert "I do not listen to you" in (await pressed.response()).content
    await house.say(ann, "What is the time?")
    await asyncio.sleep(0.5)
    assert house.ears.packets == heard
    assert len(house.model.asked) == 1


async def test_who_takes_it_back_in_mid_speech_is_not_understood(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.ears.words.append("This is a secret.")
    speaking = asyncio.create_task(ann.speak(house.speech))
    await house.until(lambda: house.ears.packets > 5)

    await house.storage.people.decide(house.guild.id, ann.id, given=False)
    await house.rooms.refresh(house.guild.id)
    heard = house.ears.packets
    await speaking
    await asyncio.sleep(0.4)

    assert house.ears.packets == heard
    assert not house.model.asked


async def test_a_yes_for_now_ends_with_the_stay(house: House) -> None:
    ann = await house.person("Ann", agrees=False)
    await house.enter(ann)
    assert "until I leave" in await house.use(ann, "consent", answer="yes", remember=False)
    await house.say(ann, "What is the time?")
    await house.until(lambda: house.model.asked)

    await house.use(ann, "leave")
    await house.enter(ann)
    await house.say(ann, "What is the time?")
    await asyncio.sleep(0.4)
    assert len(house.model.asked) == 1


async def test_off_means_off_for_all_and_can_be_seen(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)

    assert "nobody" in await house.use(ann, "listen", state="off")

    def bot_is_deaf() -> bool:
        state = house.sim.world.calls.state(house.guild.id, house.sim.bot.id)
        return state is not None and state.self_deaf

    await house.until(bot_is_deaf)
    await house.say(ann, "What is the time?")
    await asyncio.sleep(0.4)
    assert house.ears.packets == 0

    assert "those who agreed" in await house.use(ann, "listen", state="on")
    await house.until(lambda: not bot_is_deaf())
    begun = await house.say(ann, "What is the time?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)


async def test_another_bot_is_never_heard(house: House) -> None:
    ann = await house.person("Ann")
    radio = house.sim.add_person("Radio", house.guild, is_bot=True)
    await house.storage.people.decide(house.guild.id, radio.id, given=True)
    await radio.join(house.bench)
    await house.enter(ann)

    await house.say(radio, "Buy now!")
    await asyncio.sleep(0.4)
    assert house.ears.packets == 0


async def test_nobody_is_heard_while_nobody_knows_who_agreed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    asked = house.storage.people.consent

    async def away(*_: object) -> None:
        msg = "the database does not answer"
        raise DatabaseUnavailableError(msg)

    monkeypatch.setattr(house.storage.people, "consent", away)
    with pytest.raises(DatabaseUnavailableError):
        await house.rooms.refresh(house.guild.id)
    await house.say(ann, "What is the time?")
    await asyncio.sleep(0.3)
    assert house.ears.packets == 0
    assert "cannot reach my memory" in await house.use(ann, "consent")

    monkeypatch.setattr(house.storage.people, "consent", asked)
    await house.rooms.refresh(house.guild.id)
    house.ears.words.clear()
    await house.say(ann, "What is the time?")
    await house.until(lambda: house.model.asked)
