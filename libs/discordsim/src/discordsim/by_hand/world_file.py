"""Who and what there is in a world, from a TOML file.

```toml
bot = "Helper"

[[guilds]]
name = "Workshop"
text = ["general", "help"]
voice = ["Bench"]
people = ["Ann", "Ben"]
```
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from discordsim.errors import DiscordSimError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("DEFAULT_WORLD", "GuildEntry", "WorldFile", "WorldFileError")


class WorldFileError(DiscordSimError):
    """A world file cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class GuildEntry:
    """A guild of the file."""

    name: str
    text: tuple[str, ...] = ("general",)
    """Names of text channels."""
    voice: tuple[str, ...] = ("Voice",)
    """Names of voice channels."""
    people: tuple[str, ...] = ("Ann", "Ben")
    """Names of members. The same name in two guilds is the same person."""


@dataclass(frozen=True, slots=True)
class WorldFile:
    """What a file says."""

    bot: str
    guilds: tuple[GuildEntry, ...]

    @classmethod
    def read(cls, path: Path) -> WorldFile:
        """Read a file.

        Raises:
            WorldFileError: it cannot be read, or says something that is not understood.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WorldFileError(f"{path}: {error}") from error
        _require_known(str(path), table, {"bot", "guilds"})
        entries = table.get("guilds")
        if not isinstance(entries, list) or not entries:
            raise WorldFileError(f"{path}: there is no [[guilds]]")
        bot = table.get("bot", "Bot")
        if not isinstance(bot, str) or not bot:
            raise WorldFileError(f"{path}: bot must be a name")
        return cls(bot, tuple(_guild(f"{path}: guild {n}", each) for n, each in enumerate(entries)))


def _guild(place: str, entry: dict[str, Any]) -> GuildEntry:
    _require_known(place, entry, {field.name for field in fields(GuildEntry)})
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise WorldFileError(f"{place}: name is missing")
    names: dict[str, tuple[str, ...]] = {}
    for part in ("text", "voice", "people"):
        if part not in entry:
            continue
        listed = entry[part]
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise WorldFileError(f"{place}: {part} must be a list of names")
        if any(" " in each for each in listed if part == "people"):
            raise WorldFileError(f"{place}: names of people have no spaces, as they are commands")
        names[part] = tuple(listed)
    return GuildEntry(name, **names)


def _require_known(place: str, table: dict[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(table) - known):
        raise WorldFileError(f"{place}: {', '.join(unknown)} is not known")


DEFAULT_WORLD = WorldFile("Bot", (GuildEntry("Workshop"),))
"""The world without a file."""
