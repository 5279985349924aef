"""What people are told when a command cannot be carried out: one sentence each."""

from __future__ import annotations

import uuid

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from voicemesh_bot.discord_front.sentences import sentence_for
from voicemesh_bot.voice.errors import JoinError, QueueFullError
from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.errors import InvalidArgumentError, ServiceError
from voicemesh_chassis.logs import get_logger

__all__ = ("Refusal", "sentence_about")

_logger = get_logger(__name__)

_NO_MEMORY = "I cannot reach my memory right now; please try again in a minute."
_NOT_HERE = "That works in a server only, not in direct messages."
_FORBIDDEN = "Discord does not let me do that here; a permission of mine is missing."
_DISCORD = "Discord did not take that; please try again."
_MAY_NOT = "You may not do that here; it takes the permission {permissions}."


_LONGEST = 50
"""Characters of what somebody wrote that are said back to them."""


class Refusal(commands.CommandError):
    """A command is not carried out; the message is a sentence for people."""


def sentence_about(error: BaseException) -> str:
    """What a person is told; a fault of ours is logged, with an id that they can quote."""
    while isinstance(
        error,
        commands.HybridCommandError
        | commands.CommandInvokeError
        | commands.ConversionError
        | app_commands.CommandInvokeError,
    ):
        error = error.original
    if isinstance(error, Refusal | JoinError | QueueFullError):
        return str(error)
    if isinstance(error, DatabaseUnavailableError | StorageFullError):
        return _NO_MEMORY
    if isinstance(error, InvalidArgumentError):
        return f"{_as_begun(error.message)}."
    if isinstance(error, ServiceError):
        return sentence_for(error, "voice")  # Commands ask no other service.
    if isinstance(error, discord.Forbidden):
        return _FORBIDDEN
    if isinstance(error, discord.HTTPException):
        # The trouble is Discord's: too late for an answer (10062), or it is out of order.
        _logger.warning("discord refused", what="a command", status=error.status)
        return _DISCORD
    if isinstance(error, aiohttp.ClientError):
        _logger.warning("discord cannot be reached", what="a command", error=type(error).__name__)
        return _DISCORD
    return _about_use(error) or _about_fault(error)


def _about_use(error: BaseException) -> str | None:
    """What was wrong with how a command was used; None if that is not what was wrong."""
    if isinstance(error, commands.NoPrivateMessage | app_commands.NoPrivateMessage):
        return _NOT_HERE
    if isinstance(error, commands.MissingPermissions | app_commands.MissingPermissions):
        named = " and ".join(name.replace("_", " ") for name in error.missing_permissions)
        return _MAY_NOT.format(permissions=named)
    if isinstance(error, commands.MissingRequiredArgument):
        return f"Something is missing after the command: {error.param.name}."
    if isinstance(error, commands.CommandOnCooldown | app_commands.CommandOnCooldown):
        return f"Not so fast; try again in {error.retry_after:.0f} s."
    if isinstance(error, app_commands.TransformerError):
        return f"I do not understand {str(error.value)[:_LONGEST]!r} there."
    if isinstance(error, commands.BadBoolArgument):
        return f"I do not understand {error.argument[:_LONGEST]!r}: it is yes or no."
    if isinstance(error, commands.TooManyArguments):
        return "I do not understand all of what is after the command."
    if isinstance(error, commands.ArgumentParsingError):
        return "I do not understand the quotation marks there; one is missing, or one too many."
    if isinstance(error, commands.RangeError) and isinstance(error.value, str):
        return f"That is too long: {error.maximum} characters at most, not {len(error.value)}."
    if isinstance(error, commands.UserInputError):
        return str(error)[:200] or "I do not understand that."
    if isinstance(error, commands.CheckFailure | app_commands.CheckFailure):
        return "You may not do that here."
    return None


def _as_begun(message: str) -> str:
    """A service's sentence with a capital; what is a name in a program stays as it is."""
    first, space, rest = message.partition(" ")
    if "_" in first:
        return f"`{first}`{space}{rest}"
    return f"{message[:1].upper()}{message[1:]}"


def _about_fault(error: BaseException) -> str:
    error_id = uuid.uuid4().hex[:8]
    _logger.error("a command failed", error_id=error_id, exc_info=error)
    return f"Something went wrong in me; an administrator finds it in the log (error {error_id})."
