"""What Discord refuses in the definition of an application command.

Pure. Source: Discord API reference, "Application Commands": naming, options, limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.errors import invalid_form
from discordsim.world.content import Faults, too_long

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from discordsim.domain import Json

__all__ = ("CHAT_INPUT", "OptionType", "check_commands", "completed")

CHAT_INPUT, _USER, _MESSAGE = 1, 2, 3
_MOST = {CHAT_INPUT: 100, _USER: 15, _MESSAGE: 15}
_MOST_CHARACTERS = 8000

Fault = tuple[str, tuple[str, str]]


class OptionType:
    """Discord's types of command options."""

    SUBCOMMAND = 1
    GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    USER = 6
    CHANNEL = 7
    ROLE = 8
    MENTIONABLE = 9
    NUMBER = 10
    ATTACHMENT = 11


_TYPES = frozenset(range(1, 12))
_WITH_CHOICES = frozenset({OptionType.STRING, OptionType.INTEGER, OptionType.NUMBER})
_NESTED = frozenset({OptionType.SUBCOMMAND, OptionType.GROUP})


def completed(definition: Json) -> Json:
    """Return a definition with what Discord fills in where the bot said nothing."""
    filled: dict[str, Any] = {
        "type": CHAT_INPUT,
        "description": "",
        "default_member_permissions": None,
        "nsfw": False,
        "options": [],
        **definition,
    }
    if filled.get("contexts") is None:
        filled["contexts"] = [0, 1, 2] if definition.get("dm_permission", True) else [0]
    if filled.get("integration_types") is None:
        filled["integration_types"] = [0]
    permissions = filled["default_member_permissions"]
    filled["default_member_permissions"] = None if permissions is None else str(permissions)
    return filled


def check_commands(definitions: Sequence[Json], *, single: bool = False) -> None:
    """Check all commands of an application, for one guild or for all.

    Args:
        definitions: as sent.
        single: whether faults are named for one command sent alone rather than by its number.

    Raises:
        RefusedError: a name, a description, an option or a choice is not as Discord wants it.
    """
    faults: Faults = {}
    for number, definition in enumerate(definitions):
        for path, fault in _command_faults(definition):
            faults.setdefault(path if single else f"{number}.{path}", []).append(fault)
    seen: set[tuple[int, str]] = set()
    for number, definition in enumerate(definitions):
        key = int(definition.get("type", CHAT_INPUT)), str(definition.get("name"))
        if key in seen:
            faults.setdefault(f"{number}.name", []).append(
                ("APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
            )
        seen.add(key)
    for kind, most in _MOST.items():
        if sum(each.get("type", CHAT_INPUT) == kind for each in definitions) > most:
            faults["_"] = [
                ("APPLICATION_COMMAND_TOO_MANY", f"Maximum number of commands reached ({most})")
            ]
    if faults:
        raise invalid_form(faults)


def _command_faults(definition: Json) -> Iterator[Fault]:
    kind = definition.get("type", CHAT_INPUT)
    name = definition.get("name")
    if kind == CHAT_INPUT:
        yield from _name_faults("name", name)
        yield from _text_faults("description", definition.get("description"), 1, 100)
        yield from _options_faults("options", definition.get("options") or (), depth=0)
        if _characters(definition) > _MOST_CHARACTERS:
            yield (
                "options",
                ("APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)"),
            )
    elif kind in _MOST:
        yield from _text_faults("name", name, 1, 32)
        if definition.get("description"):
            yield (
                "description",
                (
                    "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION",
                    "Context menu commands cannot have description",
                ),
            )
    else:
        yield "type", ("BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")


def _name_faults(path: str, name: object) -> Iterator[Fault]:
    if not isinstance(name, str) or not name:
        yield path, ("BASE_TYPE_REQUIRED", "This field is required")
    elif len(name) > 32:
        yield path, too_long(32)
    elif name != name.lower() or not all(each.isalnum() or each in "-_'" for each in name):
        yield (
            path,
            (
                "APPLICATION_COMMAND_INVALID_NAME",
                "Command name is invalid: letters in lower case, digits, - and _ only",
            ),
        )


def _text_faults(path: str, text: object, least: int, most: int) -> Iterator[Fault]:
    if not isinstance(text, str) or len(text) < least:
        yield path, ("BASE_TYPE_REQUIRED", "This field is required")
    elif len(text) > most:
        yield path, too_long(most)


def _options_faults(path: str, options: Sequence[Json], *, depth: int) -> Iterator[Fault]:
    if len(options) > 25:
        yield path, ("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    names = [option.get("name") for option in options]
    optional_seen = False
    for number, option in enumerate(options):
        here = f"{path}.{number}"
        kind = option.get("type")
        if kind not in _TYPES:
            yield f"{here}.type", ("BASE_TYPE_CHOICES", "Value must be one of {1, …, 11}.")
            continue
        yield from _name_faults(f"{here}.name", option.get("name"))
        yield from _text_faults(f"{here}.description", option.get("description"), 1, 100)
        if names.count(option.get("name")) > 1:
            yield (
                f"{here}.name",
                ("APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", "Option names must be unique"),
            )
        if kind in _NESTED:
            if depth + (kind == OptionType.SUBCOMMAND) > 2 or (depth and kind == OptionType.GROUP):
                yield (
                    f"{here}.type",
                    (
                        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                        "Sub-command option nested wrongly",
                    ),
                )
            yield from _options_faults(
                f"{here}.options", option.get("options") or (), depth=depth + 1
            )
            continue
        if option.get("required") and optional_seen:
            yield (
                here,
                (
                    "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                    "Required options must be placed before non-required options",
                ),
            )
        optional_seen = optional_seen or not option.get("required")
        yield from _value_faults(here, option)
    if any(each.get("type") in _NESTED for each in options) and not all(
        each.get("type") in _NESTED for each in options
    ):
        yield (
            path,
            (
                "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
                "Sub-commands and groups exclude all other types of options",
            ),
        )


def _value_faults(path: str, option: Mapping[str, Any]) -> Iterator[Fault]:
    choices = option.get("choices") or ()
    if choices and option.get("autocomplete"):
        yield (
            path,
            ("APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", "Choices exclude autocomplete"),
        )
    if choices and option["type"] not in _WITH_CHOICES:
        yield f"{path}.choices", ("BASE_TYPE_CHOICES", "This type of option has no choices")
    if len(choices) > 25:
        yield f"{path}.choices", ("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    for number, choice in enumerate(choices):
        yield from _text_faults(f"{path}.choices.{number}.name", choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str) and len(choice["value"]) > 100:
            yield f"{path}.choices.{number}.value", too_long(100)


def _characters(definition: Json) -> int:
    """Names, descriptions and values, as Discord counts them towards 8,000."""
    total = len(str(definition.get("name") or "")) + len(str(definition.get("description") or ""))
    for option in definition.get("options") or ():
        total += _characters(option)
    for choice in definition.get("choices") or ():
        total += len(str(choice.get("name"))) + len(str(choice.get("value")))
    return total
