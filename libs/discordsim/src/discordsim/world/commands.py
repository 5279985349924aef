"""Application commands as bots register them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.domain import Command
from discordsim.errors import unknown
from discordsim.world.definitions import check_commands, completed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discordsim.domain import Json
    from discordsim.snowflakes import Snowflakes

__all__ = ("Commands",)


class Commands:
    """The commands of each application, for all guilds and for single ones."""

    def __init__(self, ids: Snowflakes) -> None:
        self._ids = ids
        self._commands: dict[int, Command] = {}

    def of(self, application_id: int, guild_id: int | None = None) -> tuple[Command, ...]:
        """Return the commands of an application for one guild alone, or those for all guilds."""
        return tuple(
            each
            for each in self._commands.values()
            if (each.application_id, each.guild_id) == (application_id, guild_id)
        )

    def usable_in(self, guild_id: int | None) -> tuple[Command, ...]:
        """Return what people are offered in a guild, or in direct messages."""
        return tuple(each for each in self._commands.values() if each.guild_id in {None, guild_id})

    def get(self, application_id: int, guild_id: int | None, command_id: int) -> Command:
        """Return a command.

        Raises:
            RefusedError: there is none with this id.
        """
        command = self._commands.get(command_id)
        if command is None or (command.application_id, command.guild_id) != (
            application_id,
            guild_id,
        ):
            raise unknown("application command")
        return command

    def overwrite(
        self, application_id: int, guild_id: int | None, definitions: Sequence[Json]
    ) -> tuple[Command, ...]:
        """Replace all commands of an application by these; those of the same name keep their id.

        Raises:
            RefusedError: Discord would not take the definitions.
        """
        check_commands(definitions)
        before = {(each.type, each.name): each.id for each in self.of(application_id, guild_id)}
        for command_id in before.values():
            del self._commands[command_id]
        for definition in definitions:
            key = int(definition.get("type", 1)), str(definition["name"])
            self._put(application_id, guild_id, definition, before.get(key))
        return self.of(application_id, guild_id)

    def upsert(self, application_id: int, guild_id: int | None, definition: Json) -> Command:
        """Add a command, or replace the one of the same name.

        Raises:
            RefusedError: Discord would not take the definition.
        """
        check_commands([definition], single=True)
        key = int(definition.get("type", 1)), str(definition["name"])
        before = {(each.type, each.name): each.id for each in self.of(application_id, guild_id)}
        return self._put(application_id, guild_id, definition, before.get(key))

    def edit(self, command: Command, changes: Json) -> Command:
        """Replace parts of a command.

        Raises:
            RefusedError: Discord would not take the definition.
        """
        definition = {**command.definition, **changes}
        check_commands([definition], single=True)
        return self._put(command.application_id, command.guild_id, definition, command.id)

    def delete(self, command: Command) -> None:
        """Delete a command."""
        del self._commands[command.id]

    def _put(
        self, application_id: int, guild_id: int | None, definition: Json, known: int | None
    ) -> Command:
        command = Command(
            known or self._ids.next(), application_id, guild_id, completed(definition)
        )
        self._commands[command.id] = command
        return command
