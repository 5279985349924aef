"""The gateway as a client without a library sees it."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import pytest

from discordsim import DEFAULT_PERMISSIONS, Intent, Overwrite, Permission, Simulator

pytestmark = pytest.mark.integration

TEXT = int(Intent.GUILDS | Intent.GUILD_MESSAGES | Intent.MESSAGE_CONTENT | Intent.DIRECT_MESSAGES)


async def test_a_login_is_told_of_its_guilds(town: Any, connect: Any) -> None:
    async with connect() as socket:
        ready = await socket.identify(town.bot.token, TEXT)
        guild = await socket.event("GUILD_CREATE")

    assert ready["guilds"] == [{"id": str(town.guild.id), "unavailable": True}]
    assert ready["resume_gateway_url"] == town.sim.gateway_uri
    assert {channel["name"] for channel in guild["channels"]} == {"general", "Bench"}
    assert [member["user"]["id"] for member in guild["members"]] == [str(town.bot.id)]


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "wrong", "intents": 1}, 4004),
        (2, {"intents": 1 << 60}, 4013),
        (2, {"intents": 1, "shard": [2, 2]}, 4010),
        (2, {"intents": 1, "shard": "nonsense"}, 4002),
        (3, {}, 4003),
    ],
)
async def test_wrong_logins_are_closed_with_discords_codes(
    town: Any, connect: Any, op: int, data: dict[str, Any], code: int
) -> None:
    async with connect() as socket:
        await socket.send(op, {"token": town.bot.token, **data})

        assert await socket.closed() == code


@pytest.mark.discord_sim(privileged_intents=0)
async def test_intents_that_are_switched_off_are_disallowed(town: Any, connect: Any) -> None:
    async with connect() as socket:
        await socket.send(2, {"token": town.bot.token, "intents": int(Intent.GUILD_MEMBERS)})

        assert await socket.closed() == 4014


async def test_nonsense_is_not_decoded_and_a_second_login_is_one_too_many(
    town: Any, connect: Any
) -> None:
    async with connect() as socket:
        await socket.ws.send_str("nonsense")
        assert await socket.closed() == 4002
    async with connect() as socket:
        await socket.identify(town.bot.token, TEXT)
        await socket.send(2, {"token": town.bot.token, "intents": TEXT})
        assert await socket.closed() == 4005


async def test_too_many_messages_in_a_minute_are_limited(town: Any, connect: Any) -> None:
    async with connect() as socket:
        for _ in range(121):
            await socket.send(1, None)

        assert await socket.closed() == 4008


async def test_heartbeats_are_answered_unless_switched_off(town: Any, connect: Any) -> None:
    async with connect() as socket:
        await socket.send(1, None)
        assert (await socket.message())["op"] == 11

        town.sim.gateway.answers_heartbeats = False
        await socket.send(1, None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await socket.ws.receive()


@pytest.mark.discord_sim(heartbeat_interval_s=0.1)
async def test_a_client_without_heartbeats_is_closed(connect: Any) -> None:
    async with connect() as socket:
        assert await socket.closed() == 4009


async def test_what_was_missed_is_sent_again(town: Any, connect: Any) -> None:
    async with connect() as socket:
        ready = await socket.identify(town.bot.token, TEXT)
        await socket.event("GUILD_CREATE")
    await town.sim.wait_until_offline()
    await town.ann.type(town.text, "meanwhile")

    async with connect() as again:
        wanted = {"token": town.bot.token, "session_id": ready["session_id"]}
        await again.send(6, {**wanted, "seq": socket.sequence})
        await again.event("RESUMED")

    assert [(name, data.get("content")) for name, data in again.events] == [
        ("MESSAGE_CREATE", "meanwhile"),
        ("RESUMED", None),
    ]


@pytest.mark.parametrize("why", ["switched off", "unknown session", "from the future"])
async def test_a_session_that_cannot_be_resumed_is_invalid(
    town: Any, connect: Any, why: str
) -> None:
    async with connect() as socket:
        ready = await socket.identify(town.bot.token, TEXT)
    town.sim.gateway.lets_resume = why != "switched off"
    session = "other" if why == "unknown session" else ready["session_id"]
    sequence = 1000 if why == "from the future" else 1

    async with connect() as again:
        await again.send(6, {"token": town.bot.token, "session_id": session, "seq": sequence})

        assert await again.message() == {"op": 9, "d": False, "s": None, "t": None}


async def test_one_zlib_stream_runs_over_all_messages(town: Any) -> None:
    inflate = zlib.decompressobj()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{town.sim.gateway_uri}?compress=zlib-stream") as ws,
    ):
        hello = json.loads(inflate.decompress((await ws.receive()).data))
        await ws.send_json({"op": 1, "d": None})
        answer = json.loads(inflate.decompress((await ws.receive()).data))

    assert (hello["op"], answer["op"]) == (10, 11)


async def test_without_the_content_intent_only_mentions_can_be_read(
    town: Any, connect: Any
) -> None:
    bot = f"<@{town.bot.id}>"
    async with connect() as socket:
        await socket.identify(town.bot.token, TEXT & ~Intent.MESSAGE_CONTENT)
        read = []
        for channel, text in (
            (town.text, "not for you"),
            (town.text, f"{bot} hello"),
            (town.ann.direct_messages(town.bot.id), "between us"),
        ):
            await town.ann.type(channel, text)
            read.append((await socket.event("MESSAGE_CREATE"))["content"])

    assert read == ["", f"{bot} hello", "between us"]


async def test_events_come_only_from_channels_that_the_bot_sees(town: Any, connect: Any) -> None:
    hidden = town.sim.add_channel(
        town.guild,
        "hidden",
        overwrites=(Overwrite(town.bot.id, is_role=False, deny=Permission.VIEW_CHANNEL),),
    )
    async with connect() as socket:
        await socket.identify(town.bot.token, TEXT)
        await town.ann.type(hidden, "secret")
        await town.ann.type(town.text, "open")

        assert (await socket.event("MESSAGE_CREATE"))["content"] == "open"


async def test_each_shard_gets_its_guilds(discord_sim: Simulator, connect: Any) -> None:
    # The town is one guild; its shard is found by Discord's formula.
    (guild,) = discord_sim.world.directory.guilds()
    own = (guild.id >> 22) % 2
    async with connect() as right, connect() as wrong:
        ready = await right.identify(discord_sim.bot.token, TEXT, shard=[own, 2])
        other = await wrong.identify(discord_sim.bot.token, TEXT, shard=[1 - own, 2])

    assert len(ready["guilds"]) == 1
    assert other["guilds"] == []


async def test_members_are_sent_on_request(town: Any, connect: Any) -> None:
    everything = TEXT | Intent.GUILD_MEMBERS
    async with connect() as socket:
        await socket.identify(town.bot.token, int(everything))
        guild = {"guild_id": str(town.guild.id)}
        await socket.send(8, {**guild, "query": "", "limit": 0, "nonce": "n"})
        chunk = await socket.event("GUILD_MEMBERS_CHUNK")
        await socket.send(8, {**guild, "user_ids": [str(town.ann.id), "5"], "limit": 0})
        some = await socket.event("GUILD_MEMBERS_CHUNK")
        await socket.send(8, {**guild, "query": "be", "limit": 5})
        named = await socket.event("GUILD_MEMBERS_CHUNK")

    assert (len(chunk["members"]), chunk["nonce"], chunk["chunk_count"]) == (4, "n", 1)
    assert ([m["user"]["username"] for m in some["members"]], some["not_found"]) == (["ann"], ["5"])
    assert [member["user"]["username"] for member in named["members"]] == ["ben"]


async def test_presence_is_remembered(town: Any, connect: Any) -> None:
    async with connect() as socket:
        await socket.identify(town.bot.token, TEXT)
        await socket.send(3, {"status": "online", "activities": [{"name": "chess", "type": 0}]})
        await socket.send(1, None)
        while (await socket.message())["op"] != 11:
            pass

        assert town.sim.gateway.presence(town.bot.id)["activities"][0]["name"] == "chess"


async def test_changes_of_the_guild_are_told(town: Any, connect: Any) -> None:
    directory = town.sim.world.directory
    async with connect() as socket:
        await socket.identify(town.bot.token, TEXT | Intent.GUILD_MEMBERS | 1 << 7)
        await socket.event("GUILD_CREATE")
        role = directory.add_role(town.guild.id, "cooks", Permission.MANAGE_MESSAGES)
        directory.change_member(town.guild.id, town.ann.id, role_ids=frozenset({role.id}))
        directory.change_channel(town.text.id, topic="food")
        thread = town.sim.world.threads.open(town.ann.id, town.text, "soup")
        town.sim.world.threads.join(thread, town.bot.id)
        await town.ann.join(town.voice)
        town.sim.world.calls.set_status(town.voice, "cooking")
        directory.delete_role(town.guild.id, role.id)
        directory.remove_member(town.guild.id, town.bot.id)
        await socket.event("GUILD_DELETE")

    assert [name for name, _ in socket.events[2:]] == [
        "GUILD_ROLE_CREATE",
        "GUILD_MEMBER_UPDATE",
        "CHANNEL_UPDATE",
        "THREAD_CREATE",
        "THREAD_CREATE",
        "THREAD_MEMBERS_UPDATE",
        "VOICE_STATE_UPDATE",
        "VOICE_CHANNEL_STATUS_UPDATE",
        "GUILD_MEMBER_UPDATE",
        "GUILD_ROLE_DELETE",
        "GUILD_DELETE",
    ]


async def test_two_bots_see_each_other_and_keep_their_commands_apart(
    town: Any, connect: Any
) -> None:
    second = town.sim.add_bot("Second")
    town.sim.world.commands.upsert(second.id, None, {"name": "hey", "description": "Hey"})
    async with connect() as one, connect() as two:
        await one.identify(town.bot.token, TEXT)
        await two.identify(second.token, TEXT)
        await town.ann.slash(town.text, "hey")

        used = await two.event("INTERACTION_CREATE")
        await town.ann.type(town.text, "both")
        heard = await one.event("MESSAGE_CREATE")

    assert used["application_id"] == str(second.id)
    assert used["member"]["permissions"] == str(int(DEFAULT_PERMISSIONS))
    assert heard["content"] == "both"
    assert "INTERACTION_CREATE" not in [name for name, _ in one.events]
