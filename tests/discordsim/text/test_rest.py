"""REST as a client without a library sees it: statuses, codes, limits, files."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import pytest

from discordsim import File, MessageFlag, Overwrite, Permission

pytestmark = pytest.mark.integration


async def test_login_needs_the_right_token(town: Any, api: Any) -> None:
    status, me = await api("GET", "/users/@me")
    assert (status, me["id"], me["bot"]) == (200, str(town.bot.id), True)

    api.token = "wrong"
    assert await api("GET", "/users/@me") == (401, {"message": "401: Unauthorized", "code": 0})


async def test_json_has_exactly_the_content_type_that_libraries_compare(api: Any) -> None:
    _, _, headers = await api.whole("GET", "/oauth2/applications/@me")

    assert headers["Content-Type"] == "application/json"


async def test_what_the_simulator_does_not_know_is_said(town: Any, api: Any) -> None:
    status, body = await api("GET", "/guilds/1/scheduled-events")

    assert (status, body) == (404, {"message": "404: Not Found", "code": 0})
    assert "discordsim does not know it" in town.sim.transcript.render()


@pytest.mark.parametrize(
    ("body", "code", "path", "sentence"),
    [
        ({"content": "x" * 2001}, 50035, "content", "Must be 2000 or fewer in length."),
        ({"content": "   "}, 50006, None, None),
        ({}, 50006, None, None),
        ({"embeds": [{"title": "x" * 257}]}, 50035, "embeds.0.title", "256 or fewer"),
        ({"embeds": [{}] * 11}, 50035, "embeds", "between 0 and 10"),
        (
            {"embeds": [{"description": "x" * 3001}] * 2},
            50035,
            "embeds",
            "exceeds maximum size of 6000",
        ),
        (
            {"content": "x", "message_reference": {"message_id": "5"}},
            50035,
            "message_reference",
            "Unknown message",
        ),
        (
            {"content": "x", "components": [{"type": 1, "components": []}]},
            50035,
            "components.0.components",
            "between 1 and 5",
        ),
        ({"content": "x", "poll": {"question": {}}}, 50035, "poll", "knows no poll"),
        ({"content": ["x"]}, 50035, "content", "Could not interpret"),
    ],
)
async def test_messages_are_refused_as_discord_does(
    town: Any, api: Any, body: Any, code: int, path: str | None, sentence: str | None
) -> None:
    status, found = await api("POST", f"/channels/{town.text.id}/messages", body)

    assert (status, found["code"]) == (400, code)
    node = found.get("errors", {})
    for part in path.split(".") if path else ():
        node = node[part]
    assert sentence is None or sentence in node["_errors"][0]["message"]
    assert town.sim.messages(town.text) == ()


async def test_a_body_that_is_no_json_is_refused(town: Any, api: Any) -> None:
    status, found = await api("POST", f"/channels/{town.text.id}/messages", data="{nonsense")

    assert (status, found["code"]) == (400, 50109)


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/channels/5", 10003),
        ("GET", "/guilds/5", 10004),
        ("GET", "/channels/{text}/messages/5", 10008),
        ("GET", "/guilds/{guild}/members/5", 10007),
        ("GET", "/users/5", 10013),
        ("POST", "/webhooks/{bot}/no-token", 10015),
        ("POST", "/interactions/5/no-token/callback", 10062),
        ("GET", "/applications/{bot}/commands/5", 10063),
        ("GET", "/guilds/{guild}/voice-states/@me", 10065),
    ],
)
async def test_what_is_not_there_is_unknown(
    town: Any, api: Any, method: str, path: str, code: int
) -> None:
    filled = path.format(text=town.text.id, guild=town.guild.id, bot=town.bot.id)

    status, found = await api(method, filled, {} if method == "POST" else None)

    assert (status, found["code"]) == (404, code)


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        7,
        None,
        {"embeds": 5},
        {"embeds": [{"title": 5}]},
        {"embeds": [{"fields": "x"}]},
        {"components": {"type": 1}},
        {"components": [{"type": 1, "components": [5]}]},
        {"content": "x", "allowed_mentions": 3},
        {"content": "x", "message_reference": "no"},
        {"content": "x", "flags": "many"},
        {"content": "x", "attachments": [3]},
        {"name": {"a": 1}, "type": "x", "options": 3},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/channels/{text}/messages"),
        ("POST", "/channels/{text}/threads"),
        ("POST", "/applications/{bot}/commands"),
        ("PUT", "/applications/{bot}/commands"),
        ("POST", "/interactions/5/token/callback"),
        ("POST", "/users/@me/channels"),
    ],
)
async def test_nonsense_is_refused_and_breaks_nothing(
    town: Any, api: Any, body: Any, method: str, path: str
) -> None:
    filled = path.format(text=town.text.id, bot=town.bot.id)

    status, found = await api(method, filled, body)

    assert 200 <= status < 500
    assert status == 200 or isinstance(found, dict | list)
    assert (await api("GET", "/users/@me"))[0] == 200


async def test_an_id_that_is_none_is_an_invalid_form(api: Any) -> None:
    status, found = await api("GET", "/channels/general")

    assert (status, found["code"]) == (400, 50035)
    assert "not snowflake" in found["errors"]["channel_id"]["_errors"][0]["message"]


async def test_permissions_are_looked_at(town: Any, api: Any) -> None:
    hidden = town.sim.add_channel(
        town.guild,
        "hidden",
        overwrites=(Overwrite(town.guild.id, is_role=True, deny=Permission.VIEW_CHANNEL),),
    )
    anns = await town.ann.type(town.text, "mine")
    path = f"/channels/{town.text.id}/messages/{anns.id}"

    assert (await api("GET", f"/channels/{hidden.id}/messages"))[1]["code"] == 50001
    assert (await api("DELETE", path))[1]["code"] == 50013
    assert (await api("PATCH", path, {"content": "yours"}))[1]["code"] == 50005
    status, _ = await api("PATCH", f"/guilds/{town.guild.id}/members/{town.ann.id}", {"mute": True})
    assert status == 403


async def test_history_is_paged_from_the_newest(town: Any, api: Any) -> None:
    sent = [await town.ann.type(town.text, str(number)) for number in range(5)]
    root = f"/channels/{town.text.id}/messages"

    async def contents(query: str) -> list[str]:
        return [each["content"] for each in (await api("GET", f"{root}?{query}"))[1]]

    assert await contents("limit=2") == ["4", "3"]
    assert await contents(f"before={sent[3].id}&limit=2") == ["2", "1"]
    assert await contents(f"after={sent[1].id}&limit=2") == ["3", "2"]
    assert await contents(f"around={sent[2].id}&limit=3") == ["3", "2", "1"]
    assert (await api("GET", f"{root}?limit=101"))[1]["code"] == 50035


async def test_files_are_uploaded_and_fetched_without_login(town: Any, api: Any) -> None:
    form = aiohttp.FormData(quote_fields=False)
    told = {"content": "see", "attachments": [{"id": 0, "description": "a cat"}]}
    form.add_field("payload_json", json.dumps(told))
    form.add_field("files[0]", b"meow", filename="my cat.txt", content_type="image/x")

    status, message = await api("POST", f"/channels/{town.text.id}/messages", data=form)

    assert status == 200
    (file,) = message["attachments"]
    assert (file["filename"], file["size"], file["description"]) == ("my_cat.txt", 4, "a cat")
    assert file["content_type"] == "text/plain"
    async with api.session.get(file["url"]) as response:
        assert await response.read() == b"meow"
    async with api.session.get(file["url"].replace("cat", "dog")) as response:
        assert response.status == 404


async def test_large_files_are_fetched_whole(town: Any, api: Any) -> None:
    message = await town.ann.upload(town.text, File("big.bin", bytes(range(256)) * 16_000))
    _, found = await api("GET", f"/channels/{town.text.id}/messages/{message.id}")

    async with api.session.get(found["attachments"][0]["url"]) as response:
        assert await response.read() == message.attachments[0].content


async def test_files_stay_or_go_when_a_message_is_edited(town: Any, api: Any) -> None:
    form = aiohttp.FormData(quote_fields=False)
    for number in range(2):
        form.add_field(f"files[{number}]", b"x", filename=f"{number}.txt")
    _, message = await api("POST", f"/channels/{town.text.id}/messages", data=form)
    path = f"/channels/{town.text.id}/messages/{message['id']}"

    _, same = await api("PATCH", path, {"content": "both"})
    _, fewer = await api("PATCH", path, {"attachments": [{"id": same["attachments"][1]["id"]}]})

    assert [each["filename"] for each in same["attachments"]] == ["0.txt", "1.txt"]
    assert [each["filename"] for each in fewer["attachments"]] == ["1.txt"]


async def test_files_that_are_too_large_are_refused(town: Any, api: Any) -> None:
    form = aiohttp.FormData(quote_fields=False)
    content = io.BytesIO(bytes(10 * 1024 * 1024 + 1))
    form.add_field("files[0]", content, filename="big.bin")

    status, found = await api("POST", f"/channels/{town.text.id}/messages", data=form)

    assert (status, found["code"]) == (413, 40005)


async def test_a_voice_message_needs_its_length_and_levels(town: Any, api: Any) -> None:
    def form(**about: Any) -> aiohttp.FormData:
        made = aiohttp.FormData(quote_fields=False)
        fields = {"flags": 8192, "attachments": [{"id": 0, **about}]}
        made.add_field("payload_json", json.dumps(fields))
        made.add_field("files[0]", b"OggS", filename="voice.ogg")
        return made

    path = f"/channels/{town.text.id}/messages"
    _, refused = await api("POST", path, data=form())
    status, message = await api("POST", path, data=form(duration_secs=1.5, waveform="AAA="))

    assert refused["code"] == 50161
    assert status == 200
    assert message["flags"] == MessageFlag.IS_VOICE_MESSAGE
    assert message["attachments"][0]["duration_secs"] == 1.5


async def test_a_nonce_writes_once(town: Any, api: Any) -> None:
    body = {"content": "once", "nonce": "7", "enforce_nonce": True}

    _, first = await api("POST", f"/channels/{town.text.id}/messages", body)
    _, second = await api("POST", f"/channels/{town.text.id}/messages", body)

    assert first["id"] == second["id"]
    assert len(town.sim.messages(town.text)) == 1


async def test_nobody_is_pinged_who_is_not_allowed_to_be(town: Any, api: Any) -> None:
    question = await town.ann.type(town.text, "hm?")
    path, reply = f"/channels/{town.text.id}/messages", {"message_id": str(question.id)}

    _, loud = await api("POST", path, {"content": town.ben.mention, "message_reference": reply})
    _, quiet = await api(
        "POST",
        path,
        {
            "content": town.ben.mention,
            "message_reference": reply,
            "allowed_mentions": {"parse": []},
        },
    )

    assert {each["id"] for each in loud["mentions"]} == {str(town.ben.id), str(town.ann.id)}
    assert quiet["mentions"] == []
    assert quiet["referenced_message"]["content"] == "hm?"


async def test_reactions_are_added_listed_and_cleared(town: Any, api: Any) -> None:
    message = await town.ann.type(town.text, "nice")
    root = f"/channels/{town.text.id}/messages/{message.id}"
    await town.ben.react(message, "🎉")

    assert (await api("PUT", f"{root}/reactions/🎉/@me"))[0] == 204
    _, users = await api("GET", f"{root}/reactions/🎉")
    _, seen = await api("GET", root)
    assert {each["id"] for each in users} == {str(town.ben.id), str(town.bot.id)}
    assert (seen["reactions"][0]["count"], seen["reactions"][0]["me"]) == (2, True)

    assert (await api("DELETE", f"{root}/reactions/🎉/@me"))[0] == 204
    assert (await api("DELETE", f"{root}/reactions/🎉/{town.ben.id}"))[0] == 403


async def test_messages_are_pinned_and_deleted_at_once(town: Any, api: Any) -> None:
    role = town.sim.world.directory.add_role(town.guild.id, "mods", Permission.MANAGE_MESSAGES)
    town.sim.world.directory.change_member(
        town.guild.id, town.bot.id, role_ids=frozenset({role.id})
    )
    sent = [await town.ann.type(town.text, str(number)) for number in range(3)]
    root = f"/channels/{town.text.id}"

    assert (await api("PUT", f"{root}/messages/pins/{sent[0].id}"))[0] == 204
    _, pins = await api("GET", f"{root}/messages/pins")
    assert [each["message"]["content"] for each in pins["items"]] == ["0"]

    body = {"messages": [str(each.id) for each in sent[:2]]}
    assert (await api("POST", f"{root}/messages/bulk-delete", body))[0] == 204
    assert [message.content for message in town.sim.messages(town.text)] == ["2"]


async def test_the_voice_status_is_set_by_who_is_there(town: Any, api: Any) -> None:
    path = f"/channels/{town.voice.id}/voice-status"
    refused, _ = await api("PUT", path, {"status": "listening"})
    town.sim.world.calls.enter(town.bot.id, town.voice, "session")

    status, _ = await api("PUT", path, {"status": "listening"})
    _, too_long = await api("PUT", path, {"status": "x" * 501})

    assert (refused, status, too_long["code"]) == (403, 204, 50035)
    assert town.sim.world.directory.channel(town.voice.id).status == "listening"


async def test_commands_are_checked_and_keep_their_ids(town: Any, api: Any) -> None:
    root = f"/applications/{town.bot.id}/commands"
    definition = {"name": "ask", "description": "Ask", "options": []}

    _, first = await api("PUT", root, [definition])
    _, second = await api("PUT", root, [definition, {"name": "Shout", "type": 3}])
    _, refused = await api("PUT", root, [{"name": "Bad Name", "description": ""}])
    foreign, _ = await api("PUT", f"/applications/{town.ann.id}/commands", [])

    assert first[0]["id"] == second[0]["id"]
    assert set(refused["errors"]["0"]) == {"name", "description"}
    assert foreign == 403
    assert town.sim.commands() == ("Shout", "ask")


async def test_a_switch_makes_requests_slow(town: Any, api: Any) -> None:
    town.sim.rest.slow("GET /users/@me", 0.15)
    loop = asyncio.get_running_loop()
    began = loop.time()

    assert (await api("GET", "/users/@me"))[0] == 200

    assert loop.time() - began >= 0.15


async def test_a_switch_limits_fails_and_breaks_off_requests(town: Any, api: Any) -> None:
    town.sim.rest.limit("GET /users/*", retry_after_s=0.5, is_global=True)
    status, found, headers = await api.whole("GET", "/users/@me")
    assert (status, found["retry_after"], found["global"]) == (429, 0.5, True)
    assert {"Via", "Retry-After", "X-RateLimit-Global"} <= set(headers)

    town.sim.rest.fail("*", status=503)
    assert (await api("GET", "/users/@me"))[0] == 503
    town.sim.rest.break_off("*")
    with pytest.raises(aiohttp.ClientError):
        await api("POST", "/users/@me/channels", {})  # a GET would be tried again by itself
    assert (await api("GET", "/users/@me"))[0] == 200


async def test_limits_are_enforced_for_each_channel_by_itself(town: Any, api: Any) -> None:
    town.sim.rest.enforces_limits = True
    other = town.sim.add_channel(town.guild, "other")

    async def write(channel: int) -> tuple[int, str]:
        path = f"/channels/{channel}/messages"
        status, _, headers = await api.whole("POST", path, {"content": "x"})
        return status, headers["X-RateLimit-Remaining"]

    found = [await write(town.text.id) for _ in range(6)]

    assert found == [(200, "4"), (200, "3"), (200, "2"), (200, "1"), (200, "0"), (429, "0")]
    assert await write(other.id) == (200, "4")
