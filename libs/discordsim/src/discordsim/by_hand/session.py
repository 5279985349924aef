"""Does what is typed at the prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from discordsim.by_hand.lines import HELP, Action, Verb, read_line, split_command
from discordsim.domain import ChannelKind
from discordsim.errors import DiscordSimError, NotOfferedError
from discordsim.world.content import interactive_components
from discordsim.world.definitions import OptionType
from discordsim.world.options import leaf_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.by_hand.world_file import WorldFile
    from discordsim.domain import Channel, Guild
    from discordsim.people.person import Person
    from discordsim.simulator import Simulator

__all__ = ("Session",)

_TRUE = frozenset({"true", "yes", "on", "1"})


class Session:
    """People of a world file, moved by lines of text."""

    def __init__(self, simulator: Simulator, world: WorldFile, show: Callable[[str], None]) -> None:
        """Fill a simulator with what the file says.

        Args:
            simulator: where; it must have been started.
            world: who and what.
            show: prints a line.
        """
        self._simulator = simulator
        self._show = show
        self._people: dict[str, Person] = {}
        self._guilds: dict[str, Guild] = {}
        self._places: dict[str, Channel] = {}
        for entry in world.guilds:
            guild = simulator.add_guild(entry.name)
            texts = [simulator.add_channel(guild, name) for name in entry.text]
            for name in entry.voice:
                simulator.add_voice_channel(guild, name)
            for name in entry.people:
                if name in self._people:
                    simulator.world.directory.add_member(guild.id, self._people[name].id)
                    continue
                self._people[name] = simulator.add_person(name, guild)
                self._guilds[name] = guild
                if texts:
                    self._places[name] = texts[0]

    async def obey(self, line: str) -> None:
        """Do what a line says; what goes wrong is shown."""
        if not line.strip():
            return
        action = read_line(line)
        if action is None:
            self._show(HELP)
            return
        try:
            await self._do(action)
        except (DiscordSimError, OSError) as error:
            self._show(f"! {error}")

    async def _do(self, action: Action) -> None:
        person = self._people.get(action.name)
        if person is None:
            raise NotOfferedError(f"there is no {action.name}; there is: {', '.join(self._people)}")
        match action.verb:
            case Verb.GO:
                self._places[action.name] = self._channel(action, ChannelKind.TEXT)
            case Verb.JOIN:
                await person.join(self._channel(action, ChannelKind.VOICE))
            case Verb.LEAVE:
                await person.leave()
            case Verb.SAY:
                await person.speak(Path(action.rest))
            case Verb.HEAR:
                person.heard().write_wav(Path(action.rest))
            case _:
                await self._write(person, action)

    async def _write(self, person: Person, action: Action) -> None:
        place = self._places.get(action.name)
        if place is None:
            raise NotOfferedError(f"{action.name} is in no text channel")
        match action.verb:
            case Verb.WRITE:
                await person.type(place, action.rest)
            case Verb.USE:
                await self._use(person, place, action.rest)
            case Verb.UPLOAD:
                await person.upload(place, Path(action.rest))
            case Verb.CLICK:
                with_buttons = [
                    message
                    for message in person.messages(place)
                    if any(interactive_components(message.components))
                ]
                if not with_buttons:
                    raise NotOfferedError("no message here has a button")
                await person.click(with_buttons[-1], action.rest)
            case Verb.REACT:
                messages = person.messages(place)
                if not messages:
                    raise NotOfferedError("there is no message here")
                await person.react(messages[-1], action.rest)

    async def _use(self, person: Person, place: Channel, text: str) -> None:
        called, texts = split_command(text)
        name, *path = called.split()
        offered = self._simulator.world.commands.usable_in(place.guild_id)
        command = next((each for each in offered if each.name == name), None)
        types: dict[str, int] = {}
        if command is not None:
            leaf, _ = leaf_of(command.definition, path)
            types = {option["name"]: option["type"] for option in leaf.get("options") or ()}
        options = {
            option: self._value(value, types.get(option, OptionType.STRING))
            for option, value in texts.items()
        }
        await person.slash(place, called, **options)

    def _value(self, text: str, kind: int) -> object:
        """What is typed, as the option wants it."""
        try:
            if kind == OptionType.INTEGER:
                return int(text)
            if kind == OptionType.NUMBER:
                return float(text)
        except ValueError as error:
            raise NotOfferedError(f"{text!r} is no number") from error
        if kind == OptionType.BOOLEAN:
            return text.lower() in _TRUE
        if kind in {OptionType.USER, OptionType.MENTIONABLE} and text in self._people:
            return self._people[text]
        if kind == OptionType.ATTACHMENT:
            return Path(text)
        if kind == OptionType.CHANNEL:
            for guild in self._simulator.world.directory.guilds():
                for channel in self._simulator.world.directory.channels_of(guild.id):
                    if channel.name == text.removeprefix("#"):
                        return channel
        return text

    def _channel(self, action: Action, kind: ChannelKind) -> Channel:
        person = self._people[action.name]
        if kind is ChannelKind.TEXT and action.rest == "bot":
            return person.direct_messages(self._simulator.bot.id)
        directory = self._simulator.world.directory
        known = [
            channel
            for guild in directory.guilds_of(person.id)
            for channel in directory.channels_of(guild.id)
            if channel.kind is kind or (kind is ChannelKind.TEXT and channel.kind.is_thread)
        ]
        for channel in known:
            if channel.name == action.rest.removeprefix("#"):
                return channel
        names = ", ".join(channel.name for channel in known)
        raise NotOfferedError(f"there is no {action.rest!r}; there is: {names}")
