"""Commands and components used by people, and what bots answer.

Discord's own limits: three seconds for the first answer, fifteen minutes for the token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from discordsim.domain import (
    Channel,
    Interaction,
    InteractionKind,
    Json,
    Message,
    MessageFlag,
    MessageKind,
)
from discordsim.errors import RefusedError, unknown
from discordsim.events import InteractionAnswered, InteractionCreated
from discordsim.world.callbacks import CallbackType
from discordsim.world.messages import Draft

if TYPE_CHECKING:
    from collections.abc import Callable

    from discordsim.events import Events
    from discordsim.snowflakes import Snowflakes
    from discordsim.world.messages import Messages

__all__ = ("Given", "InteractionLimits", "Interactions")


@dataclass(frozen=True, slots=True)
class InteractionLimits:
    """How long a bot has, in seconds."""

    first_answer_s: float = 3.0
    """Until the first answer."""
    token_s: float = 900.0
    """Until the token can no longer be used."""


@dataclass(frozen=True, slots=True)
class Given:
    """A bot's first answer."""

    type: CallbackType
    data: Json
    """As sent."""
    message_id: int | None
    """Id of the message that it made or updated."""


@dataclass(slots=True)
class _Answer:
    interaction: Interaction
    given: Given | None = None


class Interactions:
    """All interactions by id, with what was answered."""

    def __init__(
        self,
        messages: Messages,
        ids: Snowflakes,
        events: Events,
        clock: Callable[[], float],
        limits: InteractionLimits,
    ) -> None:
        """Start with none.

        Args:
            messages: where answers are written.
            ids: makes ids.
            events: where interactions and answers are told.
            clock: seconds since 1970.
            limits: how long bots have.
        """
        self._messages = messages
        self._ids = ids
        self._events = events
        self._clock = clock
        self.limits = limits
        self._answers: dict[int, _Answer] = {}
        self._by_token: dict[str, int] = {}

    def use(
        self,
        kind: InteractionKind,
        application_id: int,
        user_id: int,
        channel: Channel,
        data: Json,
        *,
        message_id: int | None = None,
    ) -> Interaction:
        """Let somebody use a command, a component or a form; the bot is told."""
        interaction = Interaction(
            id=self._ids.next(),
            kind=kind,
            application_id=application_id,
            token=secrets.token_urlsafe(48),
            user_id=user_id,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            data=data,
            created_time=self._clock(),
            message_id=message_id,
        )
        self._answers[interaction.id] = _Answer(interaction)
        self._by_token[interaction.token] = interaction.id
        self._events.emit(InteractionCreated(interaction))
        return interaction

    def find(self, interaction_id: int) -> Interaction | None:
        """Return an interaction, or None."""
        answer = self._answers.get(interaction_id)
        return None if answer is None else answer.interaction

    def given(self, interaction: Interaction) -> Given | None:
        """Return the first answer, or None while there is none."""
        return self._answers[interaction.id].given

    def unanswered(self, interaction_id: int, token: str) -> Interaction:
        """Return the interaction that a first answer is for.

        Raises:
            RefusedError: there is none, it is too late, or it was answered already.
        """
        answer = self._answers.get(interaction_id)
        if (
            answer is None
            or answer.interaction.token != token
            or self._clock() - answer.interaction.created_time > self.limits.first_answer_s
        ):
            raise unknown("Interaction")
        if answer.given is not None:
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        return answer.interaction

    def of_token(self, application_id: int, token: str) -> Interaction:
        """Return the interaction that a token belongs to, once it has been answered.

        Raises:
            RefusedError: the token is of no interaction of this application, or too old.
        """
        answer = self._answers.get(self._by_token.get(token, 0))
        if answer is None or answer.interaction.application_id != application_id:
            raise unknown("Webhook")
        if self._clock() - answer.interaction.created_time > self.limits.token_s:
            raise RefusedError(401, 50027, "Invalid Webhook Token")
        if answer.given is None:
            raise unknown("Webhook")
        return answer.interaction

    def original(self, interaction: Interaction) -> Message:
        """Return the message of the first answer.

        Raises:
            RefusedError: it made none, or the message is gone.
        """
        given = self._answers[interaction.id].given
        message = None if given is None else self._messages.find(given.message_id or 0)
        if message is None:
            raise unknown("Message")
        return message

    def answer(
        self,
        interaction: Interaction,
        channel: Channel,
        callback: CallbackType,
        data: Json,
        draft: Draft | None = None,
    ) -> Message | None:
        """Record a bot's first answer and return the message that it made or updated.

        Args:
            interaction: what is answered; see `unanswered`.
            channel: where it was used.
            callback: the type of the answer.
            data: as sent, for forms and choices.
            draft: the message, or what the updated message becomes.

        Raises:
            RefusedError: the message is not as Discord wants it.
        """
        message: Message | None = None
        if callback is CallbackType.MESSAGE and draft is not None:
            message = self._write(interaction, channel, draft)
        elif callback is CallbackType.DEFERRED_MESSAGE:
            flags = MessageFlag.LOADING | (int(data.get("flags") or 0) & MessageFlag.EPHEMERAL)
            message = self._write(interaction, channel, Draft(flags=flags))
        elif callback in {CallbackType.DEFERRED_UPDATE, CallbackType.UPDATE_MESSAGE}:
            message = self._messages.find(interaction.message_id or 0)
            if message is not None and draft is not None:
                message = self._messages.edit(message, draft)
        message_id = None if message is None else message.id
        self._answers[interaction.id].given = Given(callback, data, message_id)
        self._events.emit(InteractionAnswered(interaction, int(callback), data))
        return message

    def follow_up(self, interaction: Interaction, channel: Channel, draft: Draft) -> Message:
        """Write one more message; the first after a deferred answer takes its place.

        Raises:
            RefusedError: the message is not as Discord wants it.
        """
        given = self._answers[interaction.id].given
        first = self._messages.find((given and given.message_id) or 0)
        if first is not None and first.is_loading:
            return self.fill(first, draft)
        return self._write(interaction, channel, draft)

    def fill(self, message: Message, draft: Draft) -> Message:
        """Edit an answer; one that was "thinking" now says what it has to.

        Raises:
            RefusedError: the message would be empty or is not as Discord wants it.
        """
        kept = message.flags & (MessageFlag.EPHEMERAL | MessageFlag.IS_COMPONENTS_V2)
        flags = (draft.flags & ~(MessageFlag.LOADING | MessageFlag.EPHEMERAL)) | kept
        return self._messages.edit(
            message, replace(draft, flags=flags), marks_edited=not message.is_loading
        )

    def _write(self, interaction: Interaction, channel: Channel, draft: Draft) -> Message:
        ephemeral = bool(draft.flags & MessageFlag.EPHEMERAL)
        return self._messages.write(
            interaction.application_id,
            channel,
            replace(
                draft,
                kind=MessageKind.CHAT_INPUT_COMMAND
                if interaction.kind is InteractionKind.COMMAND
                else MessageKind.DEFAULT,
                interaction_id=interaction.id,
                application_id=interaction.application_id,
                visible_to=interaction.user_id if ephemeral else None,
            ),
        )
