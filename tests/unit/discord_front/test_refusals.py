"""One sentence about whatever went wrong with a command."""

from __future__ import annotations

from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.client import intents, invite_link
from voicemesh_bot.discord_front.commands.refusals import Refusal, sentence_about
from voicemesh_bot.voice.errors import JoinError, QueueFullError
from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.errors import InvalidArgumentError, UnavailableError

pytestmark = pytest.mark.unit


class Answer:
    """Of Discord's, to a request that it refuses."""

    status = 403
    reason = "Forbidden"


def forbidden() -> discord.Forbidden:
    answer: Any = Answer()
    return discord.Forbidden(answer, {"code": 50013, "message": "Missing Permissions"})


def refused(status: int, code: int) -> discord.HTTPException:
    answer: Any = Answer()
    answer.status = status
    return discord.HTTPException(answer, {"code": code, "message": "secret"})


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refusal("Not now."), "Not now."),
        (JoinError("The channel is full."), "The channel is full."),
        (QueueFullError("Too much waits."), "Too much waits."),
        (DatabaseUnavailableError("db-3 at 10.0.0.7"), "I cannot reach my memory"),
        (StorageFullError("disk"), "I cannot reach my memory"),
        (InvalidArgumentError("names holds at most 10 names", field="names"), "Names holds at"),
        (UnavailableError("connection refused to 10.0.0.8"), "cannot reach my voice"),
        (InvalidArgumentError("duck_s is a number", field="duck_s"), "`duck_s` is a number."),
        (commands.UnexpectedQuoteError('"'), "the quotation marks"),
        (commands.RangeError("x" * 1900, 1, 1000), "1000 characters at most, not 1900"),
        (refused(404, 10062), "Discord did not take that"),
        (aiohttp.ServerDisconnectedError("10.0.0.9"), "Discord did not take that"),
        (forbidden(), "a permission of mine is missing"),
        (commands.NoPrivateMessage(), "in a server only"),
        (app_commands.NoPrivateMessage(), "in a server only"),
        (commands.MissingPermissions(["manage_guild"]), "the permission manage guild"),
        (commands.BadBoolArgument("perhaps"), "'perhaps': it is yes or no"),
        (commands.TooManyArguments("too many"), "I do not understand all"),
        (commands.CheckFailure("secret"), "You may not do that here."),
        (app_commands.CheckFailure("secret"), "You may not do that here."),
    ],
)
def test_people_are_told_what_they_can_use(error: Exception, sentence: str) -> None:
    told = sentence_about(error)

    assert sentence in told
    assert "10.0.0" not in told
    assert "secret" not in told


def test_what_a_command_raised_is_found_inside_of_what_discord_py_raises() -> None:
    inner = JoinError("The channel is full.")

    assert sentence_about(commands.CommandInvokeError(inner)) == "The channel is full."


def test_what_people_wrote_comes_back_short() -> None:
    kind = discord.AppCommandOptionType.string
    transformer = app_commands.Transformer()
    for error in (
        app_commands.TransformerError("x" * 6000, kind, transformer),
        commands.BadArgument("x" * 6000),
        commands.BadBoolArgument("x" * 6000),
    ):
        assert len(sentence_about(error)) < 300


def test_a_fault_is_in_the_log_under_the_id_that_people_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = (sentence_about(ZeroDivisionError("secret")) for _ in range(2))

    assert first != second
    assert "secret" not in first
    for told in (first, second):
        assert told.partition("(error ")[2].partition(")")[0] in caplog.text


def test_nothing_privileged_is_asked_for_but_the_content_of_messages() -> None:
    assert not intents().message_content
    wanted = intents(message_content=True)
    assert wanted.message_content
    assert wanted.guilds
    assert wanted.guild_messages
    assert wanted.dm_messages
    assert wanted.voice_states
    assert not wanted.members
    assert not wanted.presences


def test_the_invitation_has_what_the_bot_needs_and_no_more() -> None:
    link = invite_link(7)
    permissions = discord.Permissions(int(link.partition("permissions=")[2].partition("&")[0]))

    for name in ("connect", "speak", "use_voice_activation", "set_voice_channel_status"):
        assert getattr(permissions, name)
    for name in ("send_messages", "send_messages_in_threads", "attach_files", "request_to_speak"):
        assert getattr(permissions, name)
    assert not permissions.administrator
    assert not permissions.manage_guild
