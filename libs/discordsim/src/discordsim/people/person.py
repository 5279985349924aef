"""A simulated person: writes, reads, clicks, joins, speaks and hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from discordsim.errors import NotInVoiceError
from discordsim.people.using import Using

if TYPE_CHECKING:
    from pathlib import Path

    from discordsim.domain import Channel, Guild, User, VoiceState
    from discordsim.people.ears import Heard, HeardFrame
    from discordsim.people.microphone import Utterance
    from discordsim.people.speech import Speech
    from discordsim.people.voice import PersonVoice
    from discordsim.regions import VoiceRegions
    from discordsim.world import World

__all__ = ("Person",)


class Person(Using):
    """Somebody in a guild. Made by `Simulator.add_person`.

    What Discord or its client would not let them do raises `RefusedError` or `NotOfferedError`;
    what does not happen in time raises `NotSeenError`.
    """

    def __init__(
        self,
        world: World,
        user: User,
        *,
        guild: Guild | None,
        regions: VoiceRegions,
        voice: PersonVoice,
    ) -> None:
        """Take a user of the world; `Simulator.add_person` makes one.

        Args:
            world: where they are.
            user: who they are.
            guild: the guild that they are mostly in, if any.
            regions: who lets them into voice channels.
            voice: what they speak and hear by.
        """
        super().__init__(world, user)
        self.guild = guild
        self.voice = voice
        """Everything about their voice; the methods here are what most tests need."""
        self._regions = regions
        regions.add_person(user.id, voice)

    @property
    def voice_state(self) -> VoiceState | None:
        """Where they are in voice, or None."""
        guild_id = self._voice_guild()
        return None if guild_id is None else self._world.calls.state(guild_id, self.id)

    async def join(self, channel: Channel, *, muted: bool = False, deafened: bool = False) -> None:
        """Join a voice channel, out of any other one.

        Raises:
            RefusedError: it is full, no voice channel, or not allowed.
        """
        place = self._world.directory.channel(channel.id)
        self._world.calls.require_joining(self.id, place)
        elsewhere = self._voice_guild()
        if elsewhere is not None and elsewhere != place.guild_id:
            self._world.calls.leave(elsewhere, self.id)
        self._world.calls.enter(
            self.id, place, f"session-of-{self.id}", self_mute=muted, self_deaf=deafened
        )
        await self._regions.settle()

    async def move(self, channel: Channel) -> None:
        """Go over to another voice channel; the same as to join it.

        Raises:
            RefusedError: it is full, no voice channel, or not allowed.
        """
        state = self.voice_state
        await self.join(
            channel,
            muted=state is not None and state.self_mute,
            deafened=state is not None and state.self_deaf,
        )

    async def leave(self) -> None:
        """Leave the voice channel, if in one."""
        guild_id = self._voice_guild()
        if guild_id is not None:
            self._world.calls.leave(guild_id, self.id)
        await self._regions.settle()

    def mute(self, on: bool = True) -> None:
        """Switch their microphone off, or on again.

        Raises:
            NotInVoiceError: they are in no voice channel.
        """
        self._world.calls.change(self._in_voice(), self.id, self_mute=on)

    def deafen(self, on: bool = True) -> None:
        """Switch off what they hear, or on again.

        Raises:
            NotInVoiceError: they are in no voice channel.
        """
        self._world.calls.change(self._in_voice(), self.id, self_deaf=on)

    async def speak(self, audio: Path | str | Speech, *, wait_s: float = 10.0) -> Utterance:
        """Say something with the timing of Discord's client; returns when it is said.

        Args:
            audio: a recording, or speech that is encoded already.
            wait_s: how long to wait at most until others can decrypt this person.

        Raises:
            NotInVoiceError: they are in no voice channel.
            NotSeenError: the encrypted group did not come about in time.
            UnreadableAudioError: it is no recording.
        """
        return await self.voice.speak(audio, wait_s=wait_s)

    async def interrupt(
        self,
        audio: Path | str | Speech,
        *,
        whom: int | None = None,
        after_s: float = 0.0,
        timeout_s: float = 30.0,
    ) -> Utterance:
        """Say something while somebody else speaks.

        Args:
            audio: what to say.
            whom: id of whom to interrupt; None for whoever is heard first.
            after_s: how long they may speak before.
            timeout_s: how long to wait at most until they are heard.

        Raises:
            NotSeenError: nobody was heard.
            NotInVoiceError: they are in no voice channel.
            UnreadableAudioError: it is no recording.
        """
        return await self.voice.interrupt(audio, user_id=whom, after_s=after_s, timeout_s=timeout_s)

    def heard(self, whom: int | None = None, *, since: float = 0.0) -> Heard:
        """Return what they have heard, of all or of one: audio, and the time of every frame.

        Args:
            whom: id of a speaker; None for everybody.
            since: seconds of the event loop's clock.
        """
        return self.voice.heard(whom, since=since)

    async def wait_for_sound(
        self, whom: int | None = None, *, since: float | None = None, timeout_s: float = 10.0
    ) -> HeardFrame:
        """Return the first frame with sound in it; what was heard before `since` does not count.

        Raises:
            NotSeenError: nothing was heard.
        """
        return await self.voice.wait_for_sound(whom, since=since, timeout_s=timeout_s)

    async def wait_for_quiet(
        self, whom: int | None = None, *, for_s: float = 0.5, timeout_s: float = 30.0
    ) -> None:
        """Return when there has been no sound for a while.

        Raises:
            NotSeenError: it went on.
        """
        await self.voice.wait_for_quiet(whom, for_s=for_s, timeout_s=timeout_s)

    def _voice_guild(self) -> int | None:
        for guild in self._world.directory.guilds_of(self.id):
            if self._world.calls.state(guild.id, self.id) is not None:
                return guild.id
        return None

    def _in_voice(self) -> int:
        guild_id = self._voice_guild()
        if guild_id is None:
            raise NotInVoiceError(f"{self.name} is in no voice channel")
        return guild_id
