"""A person who uses commands, buttons, menus and forms of bots."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discordsim.domain import Attachment, Channel, Command, InteractionKind, Message, User
from discordsim.people.files import File, attached
from discordsim.people.offers import Offers
from discordsim.people.texting import Texting
from discordsim.people.use import Form, Use

if TYPE_CHECKING:
    from discordsim.world import World

__all__ = ("Using",)


class Using(Texting):
    """The part of a person that uses what bots offer; see `Person`."""

    def __init__(self, world: World, user: User) -> None:
        """Take a user of the world.

        Args:
            world: where they are.
            user: who they are.
        """
        super().__init__(world, user)
        self._offers = Offers(world, user.id)

    async def slash(self, channel: Channel, command: str | Command, /, **options: object) -> Use:
        """Use a slash command, such as `await ann.slash(text, "config voice", name="joe")`.

        Args:
            channel: where.
            command: its name, with group and subcommand if it has them.
            options: what is entered: texts, numbers, and for users, channels, roles and files a
                `Person` or `User`, a `Channel`, a `Role`, a `File` or a `Path`.

        Raises:
            NotOfferedError: Discord's client does not offer that.
        """
        found, path = self._command(channel, command)
        values = {name: await self._thing(value) for name, value in options.items()}
        data = self._offers.filled(channel, found, path, values)
        for value in values.values():
            if isinstance(value, Attachment):
                self._world.messages.keep(value)
        return self._use(InteractionKind.COMMAND, found.application_id, channel, data)

    async def suggestions(
        self, channel: Channel, command: str | Command, option: str, text: str, /, **others: object
    ) -> Use:
        """Type into an option that completes itself; `Use.choices` has what the bot suggests.

        Raises:
            NotOfferedError: Discord's client does not offer that.
        """
        found, path = self._command(channel, command)
        values = {name: await self._thing(value) for name, value in others.items()}
        data = self._offers.filled(channel, found, path, {**values, option: text}, focused=option)
        return self._use(InteractionKind.AUTOCOMPLETE, found.application_id, channel, data)

    async def use_on(self, target: Message | Texting, command: str, channel: Channel) -> Use:
        """Use a command from the menu of a message or a user.

        Raises:
            NotOfferedError: Discord's client does not offer that.
        """
        thing = target if isinstance(target, Message) else target.user
        kind = 2 if isinstance(thing, User) else 3
        found = self._offers.command(self._now(channel), command, kind)
        data = self._offers.targeted(channel, found, thing)
        return self._use(InteractionKind.COMMAND, found.application_id, channel, data)

    async def click(self, message: Message, button: str) -> Use:
        """Press a button by its label, its emoji or its custom id.

        Raises:
            NotOfferedError: the message has no such button, or it is greyed out.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        data = self._offers.pressed(self._offers.component(now, button, button=True))
        return self._use_component(now, data)

    async def pick(self, message: Message, menu: str, *values: object) -> Use:
        """Choose from a menu by its placeholder or custom id.

        Raises:
            NotOfferedError: the message has no such menu, or it does not offer that.
        """
        now = self._world.messages.get(message.channel_id, message.id)
        found = self._offers.component(now, menu, button=False)
        things = [await self._thing(value) for value in values]
        channel = self._world.directory.channel(now.channel_id)
        return self._use_component(now, self._offers.picked(channel, found, things))

    async def submit(self, form: Form, texts: dict[str, str]) -> Use:
        """Fill a form in and send it.

        Args:
            form: see `Use.form`.
            texts: what is entered, by custom id or label.

        Raises:
            NotOfferedError: the form has no such input, or does not take such a text.
        """
        components = self._offers.entered(form.inputs, form.components, texts)
        opened_by = form.interaction
        return self._use(
            InteractionKind.MODAL,
            opened_by.application_id,
            self._world.directory.channel(opened_by.channel_id),
            {"custom_id": form.custom_id, "components": components},
            message_id=opened_by.message_id,
        )

    def _command(self, channel: Channel, command: str | Command) -> tuple[Command, list[str]]:
        if isinstance(command, Command):
            return command, []
        name, *path = re.split(r"\s+", command.strip().removeprefix("/"))
        return self._offers.command(self._now(channel), name), path

    async def _thing(self, value: object) -> object:
        if isinstance(value, Texting):
            return value.user
        if isinstance(value, File | Path):
            return await attached(self._world.ids, value)
        return value

    def _use_component(self, message: Message, data: Any) -> Use:
        channel = self._world.directory.channel(message.channel_id)
        kind = InteractionKind.COMPONENT
        return self._use(kind, message.author_id, channel, data, message_id=message.id)

    def _use(
        self,
        kind: InteractionKind,
        bot_id: int,
        channel: Channel,
        data: Any,
        *,
        message_id: int | None = None,
    ) -> Use:
        interaction = self._world.interactions.use(
            kind, bot_id, self.id, channel, data, message_id=message_id
        )
        return Use(self._world, self._mailbox, interaction)
