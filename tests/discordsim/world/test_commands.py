"""Definitions of commands, and the options that people fill in."""

from __future__ import annotations

from typing import Any

import pytest

from discordsim import ChannelKind, NotOfferedError, RefusedError
from discordsim.domain import Channel, User
from discordsim.world.definitions import OptionType, check_commands, completed
from discordsim.world.options import filled_options, leaf_of

pytestmark = pytest.mark.unit


def command(**more: Any) -> dict[str, Any]:
    return {"name": "ask", "description": "Ask", **more}


def option(name: str = "text", kind: int = OptionType.STRING, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "description": "What", **more}


GROUP = option(
    "voice", OptionType.GROUP, options=[option("set", OptionType.SUBCOMMAND, options=[option()])]
)


@pytest.mark.parametrize(
    "definition",
    [
        command(),
        command(name="größe-2"),
        command(options=[option(required=True), option("more")]),
        command(options=[GROUP]),
        {"name": "Shout Loudly", "type": 3},
    ],
)
def test_good_definitions_are_taken(definition: Any) -> None:
    check_commands([definition])


@pytest.mark.parametrize(
    ("definition", "path"),
    [
        (command(name="Ask"), "0.name"),
        (command(name="two words"), "0.name"),
        (command(name="x" * 33), "0.name"),
        (command(description=""), "0.description"),
        (command(description="x" * 101), "0.description"),
        (command(type=9), "0.type"),
        ({"name": "Shout", "type": 3, "description": "no"}, "0.description"),
        (command(options=[option(), option()]), "0.options.0.name"),
        (command(options=[option(), option("b", required=True)]), "0.options.1"),
        (command(options=[option(kind=99)]), "0.options.0.type"),
        (command(options=[option(), GROUP]), "0.options"),
        (
            command(options=[option("a", OptionType.SUBCOMMAND, options=[GROUP])]),
            "0.options.0.options.0.type",
        ),
        (command(options=[option(str(n)) for n in range(26)]), "0.options"),
        (
            command(options=[option(choices=[{"name": "a", "value": "a"}], autocomplete=True)]),
            "0.options.0",
        ),
        (
            command(options=[option(choices=[{"name": "", "value": "a"}])]),
            "0.options.0.choices.0.name",
        ),
        (
            command(options=[option(kind=OptionType.USER, choices=[{"name": "a", "value": 1}])]),
            "0.options.0.choices",
        ),
    ],
)
def test_bad_definitions_are_refused_by_name(definition: Any, path: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_commands([definition])

    assert path in refused.value.fields


def test_there_are_bounds_on_all_commands_together() -> None:
    with pytest.raises(RefusedError, match="must be unique"):
        check_commands([command(), command()])
    with pytest.raises(RefusedError, match=r"reached \(100\)"):
        check_commands([command(name=f"c{n}") for n in range(101)])
    large = [
        option(f"o{n}", choices=[{"name": "x" * 100, "value": str(n) + "x" * 98}] * 3)
        for n in range(25)
    ]
    with pytest.raises(RefusedError, match="8000"):
        check_commands([command(options=large)])


def test_what_a_bot_leaves_out_is_filled_in() -> None:
    filled = completed(command(dm_permission=False, default_member_permissions=8))

    assert (filled["type"], filled["contexts"]) == (1, [0])
    assert filled["default_member_permissions"] == "8"


def test_subcommands_are_found_by_their_names() -> None:
    leaf, steps = leaf_of(command(options=[GROUP]), ["voice", "set"])

    assert leaf["name"] == "set"
    assert [step["name"] for step in steps] == ["voice", "set"]
    with pytest.raises(NotOfferedError, match="no subcommand 'get'"):
        leaf_of(command(options=[GROUP]), ["voice", "get"])


ANN = User(7, "ann", "Ann")
ROOM = Channel(8, ChannelKind.VOICE, "Bench", 1)


@pytest.mark.parametrize(
    ("wanted", "value", "sent"),
    [
        (option(), "hi", "hi"),
        (option(kind=OptionType.INTEGER), 3, 3),
        (option(kind=OptionType.NUMBER), 3, 3),
        (option(kind=OptionType.BOOLEAN), True, True),
        (option(kind=OptionType.USER), ANN, "7"),
        (option(kind=OptionType.CHANNEL, channel_types=[2]), ROOM, "8"),
        (option(choices=[{"name": "Red", "value": "r"}]), "Red", "r"),
        (option(choices=[{"name": "Red", "value": "r"}]), "r", "r"),
    ],
)
def test_options_are_sent_as_discord_sends_them(wanted: Any, value: Any, sent: Any) -> None:
    filled, things = filled_options(command(options=[wanted]), {"text": value})

    assert filled == [{"name": "text", "type": wanted["type"], "value": sent}]
    assert list(things.values()) == ([value] if isinstance(value, User | Channel) else [])


@pytest.mark.parametrize(
    ("wanted", "value", "sentence"),
    [
        (option(), 3, "takes str"),
        (option(kind=OptionType.INTEGER), True, "takes int"),
        (option(kind=OptionType.INTEGER, max_value=5), 6, "from None to 5"),
        (option(min_length=2), "x", "from 2 to None"),
        (option(kind=OptionType.USER), ROOM, "takes User"),
        (option(kind=OptionType.CHANNEL, channel_types=[0]), ROOM, "of this kind"),
        (option(choices=[{"name": "Red", "value": "r"}]), "blue", "offers Red"),
    ],
)
def test_options_that_the_client_would_not_send_are_not_offered(
    wanted: Any, value: Any, sentence: str
) -> None:
    with pytest.raises(NotOfferedError, match=sentence):
        filled_options(command(options=[wanted]), {"text": value})


def test_missing_and_unknown_options_are_named() -> None:
    leaf = command(options=[option(required=True)])

    with pytest.raises(NotOfferedError, match="'text' is required"):
        filled_options(leaf, {})
    with pytest.raises(NotOfferedError, match="no option 'txt'; there are: text"):
        filled_options(leaf, {"txt": "x"})
    filled, _ = filled_options(leaf, {"text": "par"}, focused="text")
    assert filled[0]["focused"]
