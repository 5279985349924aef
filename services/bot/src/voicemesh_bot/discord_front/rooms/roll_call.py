"""Keeps the conversation informed of who is in the channel, and hears those who agreed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_bot.discord_front.rooms.attendance import Attendance, Attendant
from voicemesh_bot.domain import OpusPacket

if TYPE_CHECKING:
    from collections.abc import Sequence

    import discord

    from voicemesh_bot.conversation.events import Arrived
    from voicemesh_bot.discord_front.rooms.wishes import Wishes
    from voicemesh_bot.session import Session
    from voicemesh_bot.voice.receive.packets import VoicePacket

__all__ = ("RollCall",)


class RollCall:
    """The people of one room."""

    def __init__(self, session: Session, wishes: Wishes) -> None:
        """Takes the conversation, and what people decided."""
        self._session = session
        self._wishes = wishes
        self._attendance = Attendance()
        self._calling = asyncio.Lock()
        self._heard: frozenset[int] = frozenset()
        self._open_ears: set[int] = set()
        self._is_over = False

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Who is there."""
        return self._attendance.user_ids

    def arrivals(self) -> tuple[Arrived, ...]:
        """Everybody, as they would be told to somebody who knows of nobody."""
        return self._attendance.arrivals()

    def hears(self, user_id: int) -> bool:
        """Whether somebody is listened to. Called for every packet."""
        return user_id in self._heard

    def hear(self, packets: Sequence[VoicePacket]) -> None:
        """Hands packets to the ears of those who spoke; never waits."""
        for packet in packets:
            if packet.user_id in self._open_ears:
                sound = OpusPacket(packet.opus, packet.sequence, packet.timestamp)
                self._session.hear(str(packet.user_id), sound)

    def hush(self) -> None:
        """Hears nobody from now on: the room is at its end."""
        self._is_over = True
        self._heard = frozenset()
        self._open_ears.clear()

    async def take(self, channel: discord.VoiceChannel | discord.StageChannel) -> bool:
        """Takes in who is in the channel; whether it is known what all of them decided."""
        async with self._calling:
            me = channel.guild.me.id
            user_ids = [user_id for user_id in channel.voice_states if user_id != me]
            complete = await self._wishes.learn(user_ids)
            if self._is_over:
                return True
            change = self._attendance.update(
                {user_id: self._attendant(channel.guild, user_id) for user_id in user_ids}
            )
            self._heard = self._attendance.heard
            for user_id in change.close:
                self._open_ears.discard(user_id)
                await self._session.close_ear(str(user_id))
            for event in change.events:
                await self._session.post(event)
            for user_id, language_code in change.open:
                if user_id not in self._heard:
                    break  # Hushed meanwhile.
                await self._session.open_ear(str(user_id), None, language_code=language_code)
                self._open_ears.add(user_id)
            return complete

    def _attendant(self, guild: discord.Guild, user_id: int) -> Attendant:
        member = guild.get_member(user_id)
        is_bot = member is not None and member.bot
        return Attendant(
            # Discord sends everybody who is in a voice channel; nobody should be unknown.
            name=f"person {user_id % 10_000}" if member is None else member.display_name,
            is_bot=is_bot,
            is_heard=self._wishes.guild.listen and not is_bot and self._wishes.agrees(user_id),
            language_code=self._wishes.language(user_id),
        )
