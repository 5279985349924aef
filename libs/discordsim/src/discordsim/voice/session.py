"""A bot's voice session: what it survives a connection with, and what it takes part in."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from discordsim.errors import MalformedMessageError
from discordsim.network import Path
from discordsim.voice.opcodes import VoiceOpcode
from discordsim.voice.outbox import Outbox
from discordsim.voice.rtp import OPUS_PAYLOAD_TYPE, Rtp, parse_header
from discordsim.voice.transport import KEY_SIZE, Transport, TransportMode
from discordsim.voice.wrapping import Wrapping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from discordsim.voice.call import Call, Seat
    from discordsim.voice.connection import Connection
    from discordsim.voice.faults import VoiceFaults
    from discordsim.voice.settings import VoiceSettings
    from discordsim.voice.udp import Address

__all__ = ("Admission", "Session", "SessionSurroundings")


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave for a bot to connect, as the main gateway gave it out."""

    guild_id: int
    channel_id: int
    user_id: int
    session_id: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionSurroundings:
    """What a session uses of its server."""

    settings: VoiceSettings
    faults: Callable[[], VoiceFaults]
    send: Callable[[bytes, Address], None]
    """Sends a datagram."""
    record: Callable[[str], None]


class Session:
    """One bot in one call. A participant of the call from its session description on."""

    def __init__(
        self,
        admission: Admission,
        ssrc: int,
        dave_version: int,
        surroundings: SessionSurroundings,
        seed: int,
    ) -> None:
        """Begin without connection.

        Args:
            admission: who it is, and which call.
            ssrc: source of its audio.
            dave_version: highest version of DAVE that the client says it speaks.
            surroundings: what it uses of the server.
            seed: what the faults of its packets are drawn from.
        """
        self.admission = admission
        self.ssrc = ssrc
        self.dave_version = dave_version
        self.connection: Connection | None = None
        """None while the client is away and may resume."""
        self.address: Address | None = None
        """Where its audio goes; known after IP discovery."""
        self.packets_in = 0
        """Packets of audio from the client that could be read."""
        self.packets_refused = 0
        """Packets from the client that could not."""
        self._surroundings = surroundings
        self._outbox = Outbox(surroundings.settings.resume_buffer)
        self._transport: Transport | None = None
        self._seat: Seat | None = None
        self._late: set[asyncio.TimerHandle] = set()
        self._paths = (
            Path(surroundings.faults().to_bots, seed),
            Path(surroundings.faults().from_bots, seed + 1),
        )
        self._wrapping = Wrapping(seed + 2)

    @property
    def user_id(self) -> int:
        """Who it is."""
        return self.admission.user_id

    @property
    def in_call(self) -> bool:
        """Whether the protocol is agreed upon and audio can flow."""
        return self._seat is not None

    @property
    def mode(self) -> TransportMode | None:
        """How its packets are encrypted; None before that is agreed upon."""
        return None if self._transport is None else self._transport.mode

    # Messages

    def tell(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Send a message, now or when the client resumes."""
        faults = self._surroundings.faults()
        if faults.mute_gateway:
            return
        if opcode == VoiceOpcode.SPEAKING and not isinstance(content, bytes):
            self._announce(content, faults)
            return
        self._send(opcode, content)

    def _announce(self, content: Mapping[str, Any], faults: VoiceFaults) -> None:
        """Says whose audio a source is, as late as faults want it."""
        if faults.video_announcements:
            ssrc = content["ssrc"]
            self._send(
                VoiceOpcode.VIDEO,
                {
                    "user_id": content["user_id"],
                    "audio_ssrc": ssrc,
                    "video_ssrc": ssrc + 1,
                    "rtx_ssrc": ssrc + 2,
                    "streams": [],
                },
            )
        if faults.speaking_delay_s is None:
            return
        if not faults.speaking_delay_s:
            self._send(VoiceOpcode.SPEAKING, content)
            return

        def send() -> None:
            self._late.discard(timer)
            self._send(VoiceOpcode.SPEAKING, content)

        timer = asyncio.get_running_loop().call_later(faults.speaking_delay_s, send)
        self._late.add(timer)

    def _send(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        wire = self._outbox.add(opcode, content)
        if self.connection is not None:
            self.connection.send(wire)

    def resume(self, connection: Connection, acknowledged: int) -> bool:
        """Go on with another connection, with all messages after `acknowledged`.

        Returns:
            Whether that is possible; if not, nothing has changed.
        """
        missed = self._outbox.since(acknowledged)
        if missed is None:
            return False
        self.connection = connection
        self._send(VoiceOpcode.RESUMED, {})
        for wire in missed:
            connection.send(wire)
        return True

    # The call

    def enter(self, call: Call, mode: TransportMode) -> None:
        """Agree upon a mode, and take part in the call."""
        key = secrets.token_bytes(KEY_SIZE)
        self._transport = Transport(mode, key)
        version = call.dave.protocol_version
        self.tell(
            VoiceOpcode.SESSION_DESCRIPTION,
            {
                "mode": mode,
                "secret_key": list(key),
                "dave_protocol_version": min(version, self.dave_version),
                "audio_codec": "opus",
                "video_codec": "H264",
                "media_session_id": secrets.token_hex(16),
            },
        )
        self._seat = call.join(self, self.ssrc)

    def receive(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Pass a message on to the call.

        Raises:
            MalformedMessageError: it cannot be read, or comes before the session description.
        """
        if self._seat is None:
            raise MalformedMessageError(f"with opcode {opcode} comes before the protocol is chosen")
        self._seat.send(opcode, content)

    def end(self) -> None:
        """Leave the call for good."""
        if self._seat is not None:
            self._seat.leave()
        for timer in self._late:
            timer.cancel()
        self._late.clear()

    # Audio

    def hear(self, user_id: int, packet: Rtp) -> None:
        """Send somebody's audio to the client."""
        if self._transport is None or self.address is None:
            return
        faults = self._surroundings.faults()
        path = self._paths[0]
        path.faults = faults.to_bots
        for header, plain in self._wrapping.wrap(packet, faults.packets):
            sealed = self._transport.seal(header, plain)
            for delay_s in path.deliveries():
                self._after(delay_s, self._surroundings.send, sealed, self.address)

    def receive_packet(self, packet: bytes) -> None:
        """Take a packet from the client, as the network lets it through."""
        path = self._paths[1]
        path.faults = self._surroundings.faults().from_bots
        for delay_s in path.deliveries():
            self._after(delay_s, self._take_packet, packet)

    def _after(self, delay_s: float, action: Callable[..., None], *arguments: object) -> None:
        if delay_s:
            # At most ten seconds, and harmless after the end: nobody is there any longer.
            asyncio.get_running_loop().call_later(delay_s, action, *arguments)
        else:
            action(*arguments)

    def _take_packet(self, packet: bytes) -> None:
        if self._transport is None or self._seat is None:
            return
        try:
            header = parse_header(packet)
            payload = header.strip(self._transport.open(packet, header.size))
            if header.ssrc != self.ssrc or header.payload_type != OPUS_PAYLOAD_TYPE:
                raise MalformedMessageError(
                    f"is of source {header.ssrc} and type {header.payload_type}, where"
                    f" {self.ssrc} and {OPUS_PAYLOAD_TYPE} were agreed upon"
                )
            if self._seat.speaking is None:
                raise MalformedMessageError("comes before opcode 5, which must name its source")
        except MalformedMessageError as error:
            self.packets_refused += 1
            if self.packets_refused == 1:
                self._surroundings.record(f"voice: a packet of {self.user_id} {error}")
            return
        self.packets_in += 1
        self._seat.speak(
            Rtp(
                self.ssrc,
                header.sequence,
                header.timestamp,
                payload,
                header.payload_type,
                header.marker,
            )
        )
