"""The options of a slash command as a person fills them in.

Pure. Discord's client checks what people enter before the bot hears of it; so does this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discordsim.domain import Attachment, Channel, Role, User
from discordsim.errors import NotOfferedError
from discordsim.world.definitions import OptionType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from discordsim.domain import Json

__all__ = ("filled_options", "leaf_of", "spelled")

_NUMBERS = {OptionType.INTEGER, OptionType.NUMBER}


def leaf_of(definition: Json, path: Sequence[str]) -> tuple[Json, tuple[Json, ...]]:
    """Return the part of a command that runs, and the groups and subcommand that lead there.

    Args:
        definition: the command.
        path: names of the group and the subcommand; empty for a command without any.

    Raises:
        NotOfferedError: there is no such subcommand, or one has to be named.
    """
    here, steps = definition, list[Any]()
    for name in path:
        below = next(
            (
                each
                for each in here.get("options") or ()
                if each["name"] == name
                and each["type"] in {OptionType.SUBCOMMAND, OptionType.GROUP}
            ),
            None,
        )
        if below is None:
            raise NotOfferedError(f"/{definition['name']} has no subcommand {name!r}")
        steps.append(below)
        here = below
    nested = [
        each["name"] for each in here.get("options") or () if each["type"] <= OptionType.GROUP
    ]
    if nested:
        names = ", ".join(nested)
        raise NotOfferedError(f"/{spelled(definition, path)} needs a subcommand: {names}")
    return here, tuple(steps)


def spelled(definition: Json, path: Sequence[str]) -> str:
    """Return a command's full name, such as `config voice`."""
    return " ".join([str(definition["name"]), *path])


def filled_options(
    command: Json, values: Mapping[str, object], *, focused: str | None = None
) -> tuple[list[dict[str, Any]], dict[str, object]]:
    """Return the options as they go to the bot, and what their ids stand for.

    Args:
        command: the command or subcommand that runs.
        values: what the person enters, by option: text, numbers, `User`, `Channel`, `Role`,
            `Attachment`.
        focused: the option that the person is typing in, for autocompletion: others may be missing.

    Raises:
        NotOfferedError: an option is unknown, missing, of another type or out of bounds.
    """
    known = {str(each["name"]): each for each in command.get("options") or ()}
    for name in values:
        if name not in known:
            offered = ", ".join(known) or "none"
            raise NotOfferedError(f"no option {name!r}; there are: {offered}")
    filled: list[dict[str, Any]] = []
    things: dict[str, object] = {}
    for name, option in known.items():
        if name not in values:
            if option.get("required") and focused is None:
                raise NotOfferedError(f"option {name!r} is required")
            continue
        value = values[name] if name == focused else _value(option, values[name])
        if isinstance(value, User | Channel | Role | Attachment):
            things[str(value.id)] = value
            value = str(value.id)
        entry = {"name": name, "type": option["type"], "value": value}
        if name == focused:
            entry["focused"] = True
        filled.append(entry)
    return filled, things


def _value(option: Json, value: object) -> object:
    """Checks one value as Discord's client does."""
    name, kind = option["name"], option["type"]
    wanted: dict[int, tuple[type, ...]] = {
        OptionType.STRING: (str,),
        OptionType.INTEGER: (int,),
        OptionType.BOOLEAN: (bool,),
        OptionType.USER: (User,),
        OptionType.CHANNEL: (Channel,),
        OptionType.ROLE: (Role,),
        OptionType.MENTIONABLE: (User, Role),
        OptionType.NUMBER: (int, float),
        OptionType.ATTACHMENT: (Attachment,),
    }
    if not isinstance(value, wanted[kind]) or (kind in _NUMBERS and isinstance(value, bool)):
        kinds = " or ".join(each.__name__ for each in wanted[kind])
        raise NotOfferedError(f"option {name!r} takes {kinds}, not {value!r}")
    if (choices := option.get("choices")) and not option.get("autocomplete"):
        return _choice(name, choices, value)
    if isinstance(value, str):
        _require_within(name, len(value), option.get("min_length"), option.get("max_length"))
    elif kind in _NUMBERS and isinstance(value, int | float):
        _require_within(name, value, option.get("min_value"), option.get("max_value"))
    elif isinstance(value, Channel) and int(value.kind) not in (
        option.get("channel_types") or {int(value.kind)}
    ):
        raise NotOfferedError(f"option {name!r} does not take a channel of this kind")
    return value


def _choice(name: str, choices: Sequence[Json], value: object) -> object:
    for choice in choices:
        if value in (choice["value"], choice["name"]):
            return choice["value"]
    offered = ", ".join(str(choice["name"]) for choice in choices)
    raise NotOfferedError(f"option {name!r} offers {offered}, not {value!r}")


def _require_within(name: str, value: float, least: float | None, most: float | None) -> None:
    if (least is not None and value < least) or (most is not None and value > most):
        raise NotOfferedError(f"option {name!r} must be from {least} to {most}, not {value}")
