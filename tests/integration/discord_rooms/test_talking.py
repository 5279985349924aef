"""What is said in a voice room, by people and by the bot, aloud and in writing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from voicemesh_bot.domain import Backend

if TYPE_CHECKING:
    from tests.integration.discord_rooms.conftest import House

pytestmark = pytest.mark.integration

MANAGE_GUILD = 1 << 5


async def test_the_one_who_says_its_name_is_answered_and_the_other_is_context(
    house: House,
) -> None:
    boss = await house.person("Boss", inside=False, permissions=MANAGE_GUILD)
    assert "Robin" in await house.use(boss, "names", names="Robin, Bobby")
    ann, ben = await house.person("Ann"), await house.person("Ben")
    await house.enter(ann)

    begun = await house.say(ben, "I was at the market.")
    await asyncio.sleep(0.4)
    assert not house.was_heard(ann, begun)
    await house.say(ann, "Robin, where was Ben?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)

    assert house.model.asked == [("Ben: I was at the market.", "Ann: Robin, where was Ben?")]
    assert house.was_heard(ben, begun)


async def test_a_written_question_is_answered_aloud_to_who_is_there(house: House) -> None:
    ann = await house.person("Ann")
    ben = await house.person("Ben", inside=False)
    await house.enter(ann)
    house.model.answers["How are you?"] = "I am very well."

    begun = asyncio.get_running_loop().time()
    await ann.type(house.chat, f"<@{house.sim.bot.id}> How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    assert house.voice.spoken[-1] == "I am very well."

    assert await house.type(ben, f"<@{house.sim.bot.id}> How are you?") == "I am very well."


async def test_without_a_voice_answers_are_written_and_people_are_told_once(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.voice.is_down = True
    house.readiness.away.add(Backend.TTS)
    await ann.wait_for_message(house.chat, contains="The voice cannot be reached")

    house.model.answers["How are you?"] = "I am very well."
    assert await house.type(ann, f"<@{house.sim.bot.id}> How are you?") == "I am very well."

    house.voice.is_down = False
    house.readiness.away.clear()
    await ann.wait_for_message(house.chat, contains="The voice is back")
    begun = await house.say(ann, "And now?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)


async def test_a_model_that_is_down_is_said_in_one_sentence(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    house.model.is_down = True

    begun = await house.say(ann, "What is the time?")
    await ann.wait_for_message(house.chat, contains="could not be reached")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    await house.quiet(ann)

    house.model.is_down = False
    begun = await house.say(ann, "And now?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)


async def test_it_says_what_it_is_told_to_and_stops_when_told_to(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)

    begun = asyncio.get_running_loop().time()
    assert "Said" in await house.use(ann, "say", text="One. Two. Three. Four. Five. Six.")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    assert "quiet" in await house.use(ann, "stop")
    stopped = asyncio.get_running_loop().time()
    await house.quiet(ann)
    assert not house.was_heard(ann, stopped + 0.2)

    house.voice.is_down = True
    assert "cannot reach" in await house.use(ann, "say", text="Hello.")


async def test_captions_are_shown_where_people_want_them(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    assert "Captions are shown" in await house.use(ann, "captions", state="on", place=house.chat)

    await house.say(ann, "How are you?")
    caption = await ann.wait_for_message(house.chat, contains="Ann")
    await ann.wait_for_change(caption, lambda now: "Well said." in now.content)

    assert "off" in await house.use(ann, "captions", state="off")
    await house.say(ann, "Is anybody there?")
    await asyncio.sleep(1.5)
    assert "anybody" not in house.sim.world.messages.get(house.chat.id, caption.id).content


async def test_the_transcript_has_what_was_heard(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    begun = await house.say(ann, "How are you?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    await house.quiet(ann)

    used = await ann.slash(house.chat, "transcript", format="json")
    file = (await used.response()).attachments[0]
    lines = json.loads(file.content)["lines"]
    assert [(line["speaker"], line["text"]) for line in lines] == [
        ("Ann", "How are you?"),
        ("bot", "Well said."),
    ]

    used = await ann.slash(house.chat, "transcript", format="srt")
    assert b"-->" in (await used.response()).attachments[0].content


async def test_everybody_has_a_voice_and_a_language_of_their_own(house: House) -> None:
    ann = await house.person("Ann", permissions=MANAGE_GUILD)
    await house.enter(ann)

    assert "piper:amy" in await house.use(ann, "voice", voice="piper:amy")
    assert "There is no voice" in await house.use(ann, "voice", voice="piper:zoe")
    assert "de" in await house.use(ann, "language", language="de")
    assert "language code" in await house.use(ann, "language", language="no language")
    assert "Your voice: piper:amy" in await house.use(ann, "voice")

    begun = await house.say(ann, "Wie geht es?")
    await ann.wait_for_sound(house.sim.bot.id, since=begun)
    assert house.ears.languages[-1] == "de"
    assert house.voice.chosen[-1] == ("piper:amy", "de")


async def test_timings_have_bounds_and_count_at_once(house: House) -> None:
    ann = await house.person("Ann", permissions=MANAGE_GUILD)
    await house.enter(ann)

    assert "between" in await house.use(ann, "timing", name="follow_up_s", seconds=1000.0)
    assert "There is no timing" in await house.use(ann, "timing", name="speed", seconds=1.0)
    assert "2 s" in await house.use(ann, "timing", name="follow_up_s", seconds=2.0)
    assert "**2 s**" in await house.use(ann, "timing")
    assert "as usual" in await house.use(ann, "timing", name="follow_up_s")


async def test_packets_are_counted_by_what_became_of_them(house: House) -> None:
    ann = await house.person("Ann")
    await house.enter(ann)
    await house.say(ann, "How are you?")
    await house.until(lambda: house.model.asked)
    await house.use(ann, "leave")

    page = generate_latest(house.registry).decode()
    heard = next(
        line for line in page.splitlines() if line.startswith("voicemesh_bot_voice_packets_total")
        and 'outcome="heard"' in line
    )  # fmt: skip
    assert float(heard.split()[-1]) == len(house.speech.packets)
    assert 'voicemesh_bot_sessions{front="discord"} 0.0' in page
