"""What is typed at the prompt, and world files."""

from __future__ import annotations

from pathlib import Path

import pytest

from discordsim.by_hand.lines import Action, Verb, read_line, split_command
from discordsim.by_hand.world_file import GuildEntry, WorldFile, WorldFileError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("Ann: hello there\n", Action("Ann", Verb.WRITE, "hello there")),
        ("Ann: see /this: and that", Action("Ann", Verb.WRITE, "see /this: and that")),
        ("Ann /ask text=why: because", Action("Ann", Verb.USE, "ask text=why: because")),
        ("Ann join Bench", Action("Ann", Verb.JOIN, "Bench")),
        ("Ann leave", Action("Ann", Verb.LEAVE, "")),
        ("Ann say my voice.wav", Action("Ann", Verb.SAY, "my voice.wav")),
        ("Ann join", None),
        ("Ann dances wildly", None),
        ("Ann:", None),
        ("help", None),
    ],
)
def test_lines_mean_one_thing_or_nothing(line: str, action: Action | None) -> None:
    assert read_line(line) == action


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("ask", "ask", {}),
        ("config  voice name=joe", "config voice", {"name": "joe"}),
        ("ask text=how are you count=3", "ask", {"text": "how are you", "count": "3"}),
        ("ask text=a=b", "ask", {"text": "a=b"}),
    ],
)
def test_values_of_options_may_have_spaces(text: str, name: str, options: dict[str, str]) -> None:
    assert split_command(text) == (name, options)


def test_a_world_file_says_who_and_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_text('bot = "Helper"\n[[guilds]]\nname = "Club"\npeople = ["Zoe"]\nvoice = []\n')

    assert WorldFile.read(path) == WorldFile(
        "Helper", (GuildEntry("Club", ("general",), (), ("Zoe",)),)
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"there is no \[\[guilds\]\]"),
        ("bot = 3\n[[guilds]]\nname = 'A'", "bot must be a name"),
        ("[[guilds]]\nname = 'A'\ncolour = 1", "guild 0: colour is not known"),
        ("[[guilds]]\ntext = ['a']", "name is missing"),
        ("[[guilds]]\nname = 'A'\npeople = 'Ann'", "people must be a list of names"),
        ("[[guilds]]\nname = 'A'\npeople = ['Ann Lee']", "have no spaces"),
        ("[[guilds", "Expected"),
    ],
)
def test_a_world_file_that_is_wrong_says_where(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "world.toml"
    path.write_text(text)

    with pytest.raises(WorldFileError, match=sentence):
        WorldFile.read(path)


def test_a_world_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorldFileError, match=r"absent\.toml"):
        WorldFile.read(tmp_path / "absent.toml")
