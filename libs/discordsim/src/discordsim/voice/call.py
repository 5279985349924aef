"""One call: who is in a voice channel of one server, and what they tell each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from discordsim.dave import DeliveryService, Envelope
from discordsim.dave.delivery import PROTOCOL_VERSION
from discordsim.dave.opcodes import DaveOpcode
from discordsim.errors import MalformedMessageError
from discordsim.voice.opcodes import VoiceOpcode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from discordsim.voice.ports import Participant
    from discordsim.voice.rtp import Rtp
    from discordsim.voice.settings import VoiceSettings

__all__ = ("Call", "Seat")


class Seat:
    """Somebody's place in a call, by which they speak to it."""

    def __init__(self, call: Call, participant: Participant, ssrc: int) -> None:
        """Made by `Call.join`."""
        self.call = call
        self.participant = participant
        self.ssrc = ssrc
        self.speaking: int | None = None
        """Flags of the last opcode 5; None before the first."""

    @property
    def user_id(self) -> int:
        """Who sits here."""
        return self.participant.user_id

    def send(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Send a message of the voice gateway: opcodes 5, 23, 26, 28 and 31.

        Raises:
            MalformedMessageError: it cannot be read.
        """
        self.call.receive(self, opcode, content)

    def speak(self, packet: Rtp) -> None:
        """Send a packet of audio to everybody else."""
        self.call.route(self, packet)

    def leave(self) -> None:
        """Leave the call; nothing happens the second time."""
        self.call.leave(self)


class Call:
    """The clients in a channel. All methods run on the event loop and return at once."""

    def __init__(
        self, guild_id: int, channel_id: int, settings: VoiceSettings, record: Callable[[str], None]
    ) -> None:
        """Start without anybody.

        Args:
            guild_id: the guild.
            channel_id: the voice channel.
            settings: how the server behaves.
            record: is told what happens, in a sentence.
        """
        self.guild_id = guild_id
        self.channel_id = channel_id
        self._settings = settings
        self._record = record
        self._seats: dict[int, Seat] = {}
        self.dave = DeliveryService(channel_id, record=record)
        self._timers: dict[int, asyncio.TimerHandle] = {}

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Who is in the call."""
        return tuple(self._seats)

    def close(self) -> None:
        """Stop all timers."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    # Coming and going

    def join(self, participant: Participant, ssrc: int) -> Seat:
        """Give somebody a place; who had one before loses it.

        Args:
            participant: who comes.
            ssrc: the source of their audio.
        """
        if (before := self._seats.get(participant.user_id)) is not None:
            self.leave(before)
        seat = Seat(self, participant, ssrc)
        user_id = str(participant.user_id)
        self._tell_all(VoiceOpcode.CLIENTS_CONNECT, {"user_ids": [user_id]})
        if self._settings.undocumented_messages:
            self._tell_all(VoiceOpcode.CLIENT_FLAGS, {"user_id": user_id, "flags": 3})
            self._tell_all(VoiceOpcode.CLIENT_PLATFORM, {"user_id": user_id, "platform": 0})
        if self._seats:
            participant.tell(
                VoiceOpcode.CLIENTS_CONNECT, {"user_ids": [str(each) for each in self._seats]}
            )
        self._seats[participant.user_id] = seat
        self._record(f"voice: {user_id} is in the call of channel {self.channel_id}, ssrc {ssrc}")
        if participant.dave_version < PROTOCOL_VERSION:
            # Before they join, so that nobody waits for an answer that they cannot give.
            self._deliver(self.dave.set_version(0))
        self._deliver(self.dave.join(participant.user_id))
        for other in self._seats.values():
            if other is not seat and other.speaking is not None:
                participant.tell(VoiceOpcode.SPEAKING, _speaking(other))
        return seat

    def leave(self, seat: Seat) -> None:
        """Take a place away; nothing happens the second time."""
        if self._seats.get(seat.user_id) is not seat:
            return
        del self._seats[seat.user_id]
        self._record(f"voice: {seat.user_id} left the call of channel {self.channel_id}")
        self._tell_all(VoiceOpcode.CLIENT_DISCONNECT, {"user_id": str(seat.user_id)})
        self._deliver(self.dave.leave(seat.user_id))
        others_can = all(each.participant.dave_version for each in self._seats.values())
        if others_can and not seat.participant.dave_version:
            self._deliver(self.dave.set_version(PROTOCOL_VERSION))

    # What clients send

    def receive(self, seat: Seat, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Take a message of somebody in the call; see `Seat.send`."""
        if self._seats.get(seat.user_id) is not seat:
            return
        user_id = seat.user_id
        if isinstance(content, bytes):
            if opcode == DaveOpcode.MLS_KEY_PACKAGE:
                self._deliver(self.dave.key_package(user_id, content))
            elif opcode == DaveOpcode.MLS_COMMIT_WELCOME:
                self._deliver(self.dave.commit(user_id, content))
            else:
                raise MalformedMessageError(f"is binary with opcode {opcode}")
        elif opcode == VoiceOpcode.SPEAKING:
            seat.speaking = _integer(content, "speaking")
            self._tell_all(VoiceOpcode.SPEAKING, _speaking(seat), but=seat)
        elif opcode == DaveOpcode.TRANSITION_READY:
            self._deliver(self.dave.ready(user_id, _integer(content, "transition_id")))
        elif opcode == DaveOpcode.MLS_INVALID_COMMIT_WELCOME:
            self._deliver(self.dave.recover(user_id, _integer(content, "transition_id")))
        else:
            raise MalformedMessageError(f"has opcode {opcode}, which clients do not send")

    def route(self, seat: Seat, packet: Rtp) -> None:
        """Pass a packet on to everybody else; see `Seat.speak`."""
        if self._seats.get(seat.user_id) is not seat:
            return
        for other in self._seats.values():
            if other is not seat:
                other.participant.hear(seat.user_id, packet)

    # What a test asks for

    def set_dave_version(self, protocol_version: int) -> None:
        """Downgrade the call to no encryption (0), or upgrade it again (1)."""
        self._deliver(self.dave.set_version(protocol_version))

    def corrupt_next_commit(self, user_id: int) -> None:
        """Damage the next commit or welcome that somebody is sent."""
        self.dave.corrupt_next_commit(user_id)

    # Sending

    def _tell_all(
        self, opcode: VoiceOpcode, content: Mapping[str, Any], *, but: Seat | None = None
    ) -> None:
        for seat in self._seats.values():
            if seat is not but:
                seat.participant.tell(opcode, content)

    def _deliver(self, envelopes: list[Envelope]) -> None:
        """Hands out messages, and sees to it that no transition waits for ever."""
        for envelope in envelopes:
            if (seat := self._seats.get(envelope.user_id)) is not None:
                seat.participant.tell(envelope.opcode, envelope.content)
        pending = {transition.id for transition in self.dave.transitions}
        for done in self._timers.keys() - pending:
            self._timers.pop(done).cancel()
        for new in pending - self._timers.keys():
            self._timers[new] = asyncio.get_running_loop().call_later(
                self._settings.transition_timeout_s, self._expire, new
            )

    def _expire(self, transition_id: int) -> None:
        self._timers.pop(transition_id, None)
        self._deliver(self.dave.expire(transition_id))


def _speaking(seat: Seat) -> dict[str, Any]:
    return {"user_id": str(seat.user_id), "ssrc": seat.ssrc, "speaking": seat.speaking or 0}


def _integer(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int):
        raise MalformedMessageError(f"has no number {name}")
    return value
