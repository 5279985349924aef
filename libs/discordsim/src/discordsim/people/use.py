"""Something of a bot that a person has used, and what the bot makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from discordsim.domain import InteractionKind
from discordsim.errors import NoResponseError, NotSeenError
from discordsim.world.callbacks import CallbackType, text_inputs

if TYPE_CHECKING:
    from discordsim.domain import Interaction, Json, Message
    from discordsim.people.mailbox import Mailbox
    from discordsim.world import World
    from discordsim.world.interactions import Given

__all__ = ("Form", "Use")


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a bot has opened for somebody."""

    interaction: Interaction
    """The use that opened it."""
    custom_id: str
    title: str
    components: tuple[Json, ...]

    @property
    def inputs(self) -> dict[str, Json]:
        """The text inputs by custom id."""
        return text_inputs(self.components)


class Use:
    """A command, a button, a menu or a form that was used; what is written to it is waited for."""

    def __init__(self, world: World, mailbox: Mailbox, interaction: Interaction) -> None:
        self._world = world
        self._mailbox = mailbox
        self.interaction = interaction
        """What the bot was told."""

    async def acknowledged(self) -> Given:
        """Return the bot's first answer, which Discord wants within three seconds.

        Raises:
            NoResponseError: there was none in time.
        """
        limit_s = self._world.interactions.limits.first_answer_s
        try:
            await self._mailbox.wait_until(
                lambda: self._given() is not None, timeout_s=limit_s + 0.1, what="an answer"
            )
        except NotSeenError as error:
            name = self._world.directory.display_name(self.interaction.application_id)
            raise NoResponseError(
                f"{name} did not respond within {limit_s:g} s to {_called(self.interaction)}"
            ) from error
        given = self._given()
        assert given is not None  # noqa: S101 - waited for
        return given

    async def response(self, *, timeout_s: float = 15.0) -> Message:
        """Return the message that the bot answers with or updates, once it says something.

        Args:
            timeout_s: how long it may "think" at most.

        Raises:
            NoResponseError: there was no first answer within three seconds.
            NotSeenError: it went on thinking, or answered without a message.
        """
        given = await self.acknowledged()
        if given.message_id is None:
            raise NotSeenError(f"{_called(self.interaction)} was answered by {given.type.name}")
        message_id = given.message_id

        def says() -> bool:
            message = self._world.messages.find(message_id)
            return message is None or not message.is_loading

        await self._mailbox.wait_until(
            says, timeout_s=timeout_s, what=f"an answer to {_called(self.interaction)}"
        )
        message = self._world.messages.find(message_id)
        if message is None:
            raise NotSeenError(f"the answer to {_called(self.interaction)} was deleted")
        return message

    async def form(self) -> Form:
        """Return the form that the bot opens.

        Raises:
            NoResponseError: there was no answer within three seconds.
            NotSeenError: the answer was no form.
        """
        given = await self.acknowledged()
        if given.type is not CallbackType.MODAL:
            raise NotSeenError(f"{_called(self.interaction)} was answered by {given.type.name}")
        data = given.data
        return Form(
            self.interaction, str(data["custom_id"]), str(data["title"]), tuple(data["components"])
        )

    async def choices(self) -> tuple[tuple[str, Any], ...]:
        """Return what the bot suggests: names and values.

        Raises:
            NoResponseError: there was no answer within three seconds.
        """
        given = await self.acknowledged()
        return tuple((each["name"], each["value"]) for each in given.data.get("choices") or ())

    def messages(self) -> tuple[Message, ...]:
        """Return everything that the bot has written to this so far, oldest first."""
        written = self._world.messages.history(
            self.interaction.channel_id, reader_id=self.interaction.user_id
        )
        return tuple(each for each in written if each.interaction_id == self.interaction.id)

    def _given(self) -> Given | None:
        return self._world.interactions.given(self.interaction)


def _called(interaction: Interaction) -> str:
    if interaction.kind in {InteractionKind.COMMAND, InteractionKind.AUTOCOMPLETE}:
        return f"/{interaction.data['name']}"
    return f"the component {interaction.data['custom_id']!r}"
