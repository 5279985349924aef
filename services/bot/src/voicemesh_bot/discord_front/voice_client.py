"""discord.py's voice client, with ears.

What is used of discord.py 2.7.1 beyond its documentation, all of it here and in `dave` and
`voice_connection`, and all of it tested against the simulator:

- `VoiceClient.create_connection_state`, to give the state a hook for messages, which is kept over
  reconnects;
- `VoiceConnectionState._create_socket`, to read the socket here;
- the gateway's `poll_event` and `discover_ip`, which are wrapped or replaced in each instance;
- the state's key, mode and DAVE session;
- `VoiceConnectionState._disconnected`, which stays set after a recovery, so that the next region
  change would be taken for a kick.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import discord
from discord.voice_state import ConnectionFlowState, VoiceConnectionState

from voicemesh_bot.discord_front.dave import DiscordCall, GuardedSession
from voicemesh_bot.discord_front.ip_discovery import IpDiscovery
from voicemesh_bot.voice.receive.counters import ReceiveCounters
from voicemesh_bot.voice.receive.receiver import ReceiveOptions, VoiceReceiver
from voicemesh_bot.voice.receive.recovery import RecoveryStep
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection, Coroutine, Sequence

    from discord.gateway import DiscordVoiceWebSocket
    from discord.types.voice import GuildVoiceState

    from voicemesh_bot.voice.receive.packets import VoicePacket

__all__ = ("Ears", "ReceivingVoiceClient")

_logger = get_logger(__name__)

_SESSION_DESCRIPTION = 4
_BROKEN = 1006
"""The close code for a connection that ended without any."""
_LONGEST_DATAGRAM = 2048
_MOST_AT_ONCE = 64
"""Packets that are taken before the event loop gets its turn: a few milliseconds' work."""
_MENDED_AT_ONCE = {1000, 4014}
"""Close codes after which discord.py does what is right, and does it quickly."""


@dataclass(frozen=True, slots=True)
class Ears:
    """Where what is received goes. Everything is called on the event loop, and must not raise."""

    wanted: Callable[[int], bool]
    """Whether somebody is listened to; called often, and must be quick."""
    on_packets: Callable[[Sequence[VoicePacket]], None]
    """Takes packets of any number of people."""
    on_step: Callable[[RecoveryStep], None] = lambda _: None
    """Is told that something must be done about the connection."""
    on_loss: Callable[[], None] = lambda: None
    """Is told, once or more often, that the connection is closed, other than by a move, or that
    discord.py has given it up."""
    options: ReceiveOptions = field(default_factory=ReceiveOptions)
    """How patient receiving is."""
    counters: ReceiveCounters = field(default_factory=ReceiveCounters)
    """Where what became of each packet is counted."""


class _ConnectionState(VoiceConnectionState):
    """discord.py's connection, read by the event loop and not by discord.py's thread.

    That thread waits in `select` for up to 30 seconds for a socket that has been closed, or whose
    number another one has got, and hears nothing of the new one meanwhile: a move while people
    speak ends so every now and then. Without a listener it sleeps; the loop needs no second thread
    to be woken for every packet, either. And a socket that discord.py replaces, it never closes.
    """

    close_code: int | None = None
    """By which Discord closed the gateway, as discord.py saw it; None while it is open. aiohttp's
    own note of it does not survive that discord.py closes the socket too."""

    def __init__(
        self,
        client: discord.VoiceClient,
        *,
        hook: Callable[[DiscordVoiceWebSocket, dict[str, Any]], Coroutine[Any, Any, None]],
        hear: Callable[[list[bytes]], None],
        present: Callable[[], Collection[int]],
        on_loss: Callable[[], None],
    ) -> None:
        super().__init__(client, hook=hook)
        self._present = present
        self._loop = client.loop
        self._discovery = IpDiscovery()
        self._hear = hear
        self._on_loss = on_loss
        self._read: socket.socket | None = None

    async def _connect_websocket(self, resume: bool) -> DiscordVoiceWebSocket:
        gateway = await super()._connect_websocket(resume)
        self.close_code, poll = None, gateway.poll_event

        async def poll_event() -> None:
            try:
                await poll()
            except Exception as error:  # discord.py's reader would end, and nobody be told.
                await self._after_failure(gateway, error)

        async def discover_ip() -> tuple[str, int]:
            return await self._discovery.ask(
                self.ssrc, lambda datagram: gateway.loop.sock_sendall(self.socket, datagram)
            )

        vars(gateway).update(poll_event=poll_event, discover_ip=discover_ip)
        return gateway

    async def _after_failure(self, gateway: DiscordVoiceWebSocket, error: Exception) -> None:
        """Sees to what went wrong with a message; returns if the next one can be read."""
        if not isinstance(error, discord.ConnectionClosed):
            if not gateway.ws.closed and not isinstance(error, OSError):
                _logger.error("a message of the voice gateway was not understood", exc_info=error)
                return
            # It was closed while a message was answered.
            code = gateway._close_code or gateway.ws.close_code or _BROKEN
            error = discord.ConnectionClosed(gateway.ws, shard_id=None, code=code)
        self.close_code = error.code
        if gateway._keep_alive is not None:  # Its thread would find out seconds later.
            gateway._keep_alive.stop()
        if error.code in _MENDED_AT_ONCE or not self.is_connected():
            raise error
        self._on_loss()
        # Whoever is told makes another connection. discord.py must not ask Discord for one too, and
        # waits here until it is given up.
        await asyncio.Event().wait()

    async def reinit_dave_session(self) -> None:
        # discord.py sends a key package of the session at once: it is guarded for what comes then.
        await super().reinit_dave_session()
        session = self.dave_session
        if session is not None and not isinstance(session, GuardedSession):
            guarded: Any = GuardedSession(session, self._present)
            self.dave_session = guarded

    def _create_socket(self) -> None:
        before = self.socket
        self._stop_reading()
        super()._create_socket()
        self._read = self.socket
        self._loop.add_reader(self.socket, self._receive, self.socket)
        if before:
            before.close()

    async def disconnect(
        self, *, force: bool = True, cleanup: bool = True, wait: bool = False
    ) -> None:
        self._stop_reading()
        await super().disconnect(force=force, cleanup=cleanup, wait=wait)

    async def soft_disconnect(
        self, *, with_state: ConnectionFlowState = ConnectionFlowState.got_both_voice_updates
    ) -> None:
        self._stop_reading()
        await super().soft_disconnect(with_state=with_state)

    def _stop_reading(self) -> None:
        if self._read is not None:  # Before it is closed: then it has no number any more.
            self._loop.remove_reader(self._read)
            self._read = None

    def _receive(self, source: socket.socket) -> None:
        datagrams: list[bytes] = []
        with suppress(OSError):  # There is no more; or nobody listens on the other side.
            while len(datagrams) < _MOST_AT_ONCE:
                datagrams.append(source.recv(_LONGEST_DATAGRAM))
        self._hear([each for each in datagrams if not self._discovery.take(each)])


class ReceivingVoiceClient(discord.VoiceClient):
    """A voice client that hands on what it hears; give it to `connect(cls=...)`."""

    def __init__(
        self, client: discord.Client, channel: discord.abc.Connectable, *, ears: Ears
    ) -> None:
        """Made by discord.py; `ears` is bound with `functools.partial`."""
        self._ears = ears
        self._timer: asyncio.TimerHandle | None = None
        self.has_ended = False
        """Whether discord.py has given up this connection."""
        self._was_in = False
        self.was_put_out = False
        """Whether it ended because somebody, or Discord, took the bot out of the channel."""
        super().__init__(client, channel)

    def create_connection_state(self) -> VoiceConnectionState:
        """The connection, with the receiver on it; called once, by discord.py."""
        state = self._state_of_connection = _ConnectionState(
            self,
            hook=self._on_message,
            hear=self._hear,
            present=self._present,
            on_loss=self._ears.on_loss,
        )
        self.receiver = VoiceReceiver(
            DiscordCall(state),
            wanted=self._ears.wanted,
            options=self._ears.options,
            counters=self._ears.counters,
        )
        return state

    async def on_voice_state_update(self, data: GuildVoiceState) -> None:
        """Takes the bot's own voice state from the main gateway."""
        channel_id: object = data["channel_id"]  # None, whatever discord.py's types say.
        if channel_id is not None:
            self._was_in = True
        elif not self._connection._expecting_disconnect:
            self.was_put_out = True
        await super().on_voice_state_update(data)

    def cleanup(self) -> None:
        """Called by discord.py when it has given up."""
        self.has_ended = True
        if self._timer is not None:
            self._timer.cancel()
        super().cleanup()
        self._ears.on_loss()

    @property
    def close_code(self) -> int | None:
        """By which the voice gateway was closed last; None while it is open."""
        return self._state_of_connection.close_code

    async def rejoin_group(self) -> bool:
        """Asks to be put into the encrypted group anew; False where that cannot be asked for."""
        transition_id = self.receiver.last_transition_id
        if transition_id is None or not self.is_connected():
            return False
        await self._connection._recover_from_invalid_commit(transition_id)
        return True

    async def abandon(self) -> None:
        """Gives up this connection, and returns when Discord has taken the bot out of its channel.

        Whatever discord.py is doing about it is ended first: it would take the bot out of the
        channel that a new connection has just entered. So would this one's own leaving, if it were
        not waited for.
        """
        for task in (self._connection._runner, self._connection._connector):
            if task is not None:
                task.cancel()
        leaving = self.client.wait_for("voice_state_update", check=self._is_out)
        out = asyncio.ensure_future(leaving)
        try:
            if not self.has_ended:
                await self._connection.disconnect(force=True)
            if self.guild.me.voice is not None or not self._was_in:
                await out
        finally:
            out.cancel()
            self.cleanup()

    def _is_out(self, member: discord.Member, _: object, after: discord.VoiceState) -> bool:
        return member.id == self.user.id and after.channel is None

    def keep_alive(self, number: int) -> None:
        """Sends a datagram that keeps the way back open through routers that forget."""
        with suppress(OSError):
            self._connection.send_packet(number.to_bytes(8, "little"))

    async def _on_message(self, _: object, message: dict[str, Any]) -> None:
        if message["op"] == _SESSION_DESCRIPTION:
            self._connection._disconnected.clear()
        self.receiver.message(message["op"], message.get("d"))
        self._take()

    def _hear(self, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            self.receiver.receive(datagram)
        self._take()

    def _present(self) -> Collection[int]:
        """Who is in the call, by what the voice gateway has said and by what the main one has."""
        return {*self.receiver.present, *self.channel.voice_states, self.user.id}

    def _take(self) -> None:
        received = self.receiver.take()
        if received.packets:
            self._ears.on_packets(received.packets)
        if received.step is not RecoveryStep.NONE:
            self._ears.on_step(received.step)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = self.receiver.due_s
        if due_s is not None and not self.has_ended:
            wait_s = max(0.0, due_s - time.monotonic())
            self._timer = self.loop.call_later(wait_s, self._take)
