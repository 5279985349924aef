"""What is typed at the prompt. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ("HELP", "Action", "Verb", "read_line", "split_command")

HELP = """\
NAME: TEXT                    NAME writes TEXT where they are
NAME /COMMAND OPTION=VALUE    NAME uses a slash command; values may have spaces
NAME in CHANNEL               NAME goes to another text channel, or to `bot`: direct messages
NAME click LABEL              NAME presses a button of the last message that has one
NAME upload FILE              NAME sends a file
NAME react EMOJI              NAME reacts to the last message
NAME join CHANNEL             NAME joins a voice channel
NAME say FILE                 NAME says a recording there
NAME hear FILE                what NAME has heard is written to FILE, a WAV
NAME leave                    NAME leaves it
help, quit                    quit also by Ctrl-D"""


class Verb(StrEnum):
    """What people can do at the prompt."""

    WRITE = ":"
    USE = "/"
    GO = "in"
    CLICK = "click"
    UPLOAD = "upload"
    REACT = "react"
    JOIN = "join"
    SAY = "say"
    HEAR = "hear"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody is to do."""

    name: str
    verb: Verb
    rest: str


_WRITES = re.compile(r"(?P<name>[^\s:/]+):\s*(?P<rest>.*\S)\s*")
_USES = re.compile(r"(?P<name>\S+)\s+/(?P<rest>\S.*?)\s*")
_DOES = re.compile(r"(?P<name>\S+)\s+(?P<verb>[a-z]+)(?:\s+(?P<rest>.*?))?\s*")
_OPTION = re.compile(r"(?:^|\s)([\w-]+)=")


def read_line(line: str) -> Action | None:
    """Return what a line means, or None if that is nothing."""
    if (match := _WRITES.fullmatch(line)) is not None:
        return Action(match["name"], Verb.WRITE, match["rest"])
    if (match := _USES.fullmatch(line)) is not None:
        return Action(match["name"], Verb.USE, match["rest"])
    match = _DOES.fullmatch(line)
    if match is None or match["verb"] not in {str(verb) for verb in Verb}:
        return None
    verb, rest = Verb(match["verb"]), match["rest"] or ""
    return None if not rest and verb is not Verb.LEAVE else Action(match["name"], verb, rest)


def split_command(text: str) -> tuple[str, dict[str, str]]:
    """Return the name of a command, with its subcommand, and its options.

    A value goes on to the next `OPTION=`, so it may have spaces.
    """
    found = list(_OPTION.finditer(text))
    name = text[: found[0].start()] if found else text
    ends = [*(match.start() for match in found), len(text)][1:]
    options = {
        match[1]: text[match.end() : end].strip() for match, end in zip(found, ends, strict=False)
    }
    return " ".join(name.split()), options
