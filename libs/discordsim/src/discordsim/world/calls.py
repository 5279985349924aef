"""Who is in which voice channel."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from discordsim.domain import Channel, ChannelKind, VoiceState
from discordsim.errors import RefusedError, invalid_form
from discordsim.events import Change, ChannelChanged, VoiceStateChanged, VoiceStatusChanged
from discordsim.permissions import Permission

if TYPE_CHECKING:
    from discordsim.events import Event, Events
    from discordsim.world.directory import Directory

__all__ = ("Calls",)

_STATUS_LIMIT = 500


class Calls:
    """Voice states by guild and user."""

    def __init__(self, directory: Directory, events: Events) -> None:
        self._directory = directory
        self._events = events
        self._states: dict[tuple[int, int], VoiceState] = {}
        events.subscribe(self._leave_deleted)

    def state(self, guild_id: int, user_id: int) -> VoiceState | None:
        """Return where somebody is, or None if they are in no voice channel of the guild."""
        return self._states.get((guild_id, user_id))

    def states_of(self, guild_id: int) -> tuple[VoiceState, ...]:
        """Return everybody in voice in a guild."""
        return tuple(each for each in self._states.values() if each.guild_id == guild_id)

    def in_channel(self, channel_id: int) -> tuple[VoiceState, ...]:
        """Return everybody in a voice channel."""
        return tuple(each for each in self._states.values() if each.channel_id == channel_id)

    def require_joining(self, user_id: int, channel: Channel) -> None:
        """Check that somebody may join a voice channel.

        Raises:
            RefusedError: it is none, it is full, or they may not connect.
        """
        if not channel.kind.is_vocal:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        self._directory.require(user_id, channel, Permission.CONNECT)
        inside = {each.user_id for each in self.in_channel(channel.id)} - {user_id}
        may_crowd = self._directory.permissions(user_id, channel) & Permission.MOVE_MEMBERS
        if channel.user_limit and len(inside) >= channel.user_limit and not may_crowd:
            raise RefusedError(400, 40032, "The voice channel is full")

    def enter(
        self,
        user_id: int,
        channel: Channel,
        session_id: str,
        *,
        self_mute: bool = False,
        self_deaf: bool = False,
    ) -> VoiceState:
        """Put somebody into a voice channel, from another one if they are in one.

        `require_joining` says whether they may; whoever is moved by others need not.
        """
        assert channel.guild_id is not None  # noqa: S101 - voice channels are of guilds
        speaks = self._directory.permissions(user_id, channel) & Permission.SPEAK
        return self._put(
            VoiceState(
                channel.guild_id,
                user_id,
                channel.id,
                session_id,
                self_mute,
                self_deaf,
                suppress=channel.kind is ChannelKind.STAGE or not speaks,
            )
        )

    def move(self, guild_id: int, user_id: int, channel: Channel) -> VoiceState:
        """Move somebody who is in voice.

        Raises:
            RefusedError: they are not in voice.
        """
        state = self._states.get((guild_id, user_id))
        if state is None:
            raise RefusedError(400, 40032, "Target user is not connected to voice.")
        return self._put(replace(state, channel_id=channel.id))

    def change(self, guild_id: int, user_id: int, **changes: Any) -> None:
        """Change mute, deaf or suppress of somebody who is in voice; others are left alone."""
        state = self._states.get((guild_id, user_id))
        if state is not None and (changed := replace(state, **changes)) != state:
            self._put(changed)

    def repeat(self, guild_id: int, user_id: int) -> None:
        """Tell again where somebody is, after their server mute or deaf has changed."""
        state = self._states.get((guild_id, user_id))
        if state is not None:
            self._put(state)

    def leave(self, guild_id: int, user_id: int) -> None:
        """Take somebody out of voice, if they are in it."""
        state = self._states.pop((guild_id, user_id), None)
        if state is not None:
            self._events.emit(VoiceStateChanged(replace(state, channel_id=None), state))

    def set_status(self, channel: Channel, status: str | None) -> None:
        """Set the line below a voice channel's name.

        Raises:
            RefusedError: it is no voice channel, or the line is too long.
        """
        if channel.kind is not ChannelKind.VOICE:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        if status is not None and len(status) > _STATUS_LIMIT:
            raise invalid_form(
                {"status": [("BASE_TYPE_MAX_LENGTH", "Must be 500 or fewer in length.")]}
            )
        changed = self._directory.change_channel(channel.id, quietly=True, status=status or None)
        self._events.emit(VoiceStatusChanged(changed))

    def _put(self, state: VoiceState) -> VoiceState:
        before = self._states.get((state.guild_id, state.user_id))
        self._states[state.guild_id, state.user_id] = state
        self._events.emit(VoiceStateChanged(state, before))
        return state

    def _leave_deleted(self, event: Event) -> None:
        """Whoever is in a channel that is deleted is disconnected."""
        if isinstance(event, ChannelChanged) and event.change is Change.DELETED:
            for state in self.in_channel(event.channel.id):
                self.leave(state.guild_id, state.user_id)
