"""A voice server, people, and an unmodified discord.py whose main gateway the test plays."""

from __future__ import annotations

import asyncio
import json
import secrets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import davey
import discord
import numpy as np
import pytest
from nacl.secret import Aead

from discordsim.certificates import Certificates
from discordsim.people.speech import Speech
from discordsim.people.voice import PersonVoice
from discordsim.voice import VoiceFaults, VoiceServer, VoiceSettings
from discordsim.voice.rtp import Header, Rtp, parse_header
from discordsim.voice.transport import Transport, TransportMode

GUILD, CHANNEL, OTHER_CHANNEL, BOT = 900_010, 900_020, 900_021, 800_001
OPUS_PAYLOAD_TYPE = 0x78


@dataclass
class Received:
    """One packet as a bot that knows all of `discord-voice` would take it."""

    ssrc: int
    sequence: int
    timestamp: int
    frame: bytes
    """After transport decryption, without extension and padding."""
    opus: bytes | None
    """None if davey cannot decrypt it."""


class MainGateway:
    """Stands where discord.py's main websocket does, and answers opcode 4."""

    def __init__(self, bot: DiscordPy) -> None:
        self._bot = bot
        self._tasks: set[asyncio.Task[None]] = set()

    async def voice_state(
        self, guild_id: int, channel_id: int | None, self_mute: bool, self_deaf: bool
    ) -> None:
        # Later, as a network would: discord.py waits for the answer only after this has returned.
        task = asyncio.create_task(self._answer(channel_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, channel_id: int | None) -> None:
        await asyncio.sleep(0.005)
        if channel_id is None:
            self._bot.server.dismiss(GUILD, BOT)
            self._bot.tell_state(None)
        else:
            self._bot.admit(channel_id)

    def is_ratelimited(self) -> bool:
        return False


class DiscordPy:
    """An unmodified discord.py, and its voice client."""

    def __init__(self, server: VoiceServer) -> None:
        self.server = server
        self.client = discord.Client(intents=discord.Intents.default())
        self.received: list[Received] = []
        self.noise: list[bytes] = []
        self.messages: list[tuple[int, Any]] = []
        self.session_id = ""
        self.server_update_first = False

    async def start(self, certificates: Certificates) -> None:
        await self.client._async_setup_hook()
        connector = aiohttp.TCPConnector(ssl=certificates.client_context())
        self.client.http._HTTPClient__session = aiohttp.ClientSession(connector=connector)  # type: ignore[attr-defined]
        state = self.client._connection
        state.user = discord.user.ClientUser(state=state, data=_user(BOT))  # type: ignore[arg-type]
        guild = discord.Guild(data=_GUILD, state=state)  # type: ignore[arg-type]
        state._add_guild(guild)
        gateway = MainGateway(self)
        state._get_websocket = lambda *_, **__: gateway  # type: ignore[assignment]

    async def aclose(self) -> None:
        for voice in self.client.voice_clients:
            await voice.disconnect(force=True)
        await self.client.http._HTTPClient__session.close()  # type: ignore[attr-defined]

    async def connect(self, channel_id: int = CHANNEL, *, listening: bool = True) -> None:
        channel = self.client.get_channel(channel_id)
        assert isinstance(channel, discord.VoiceChannel)
        voice = await channel.connect(timeout=10, reconnect=True, cls=_Listening)
        if listening:
            voice._connection.add_socket_listener(self._take)

    @property
    def voice(self) -> discord.VoiceClient:
        (voice,) = self.client.voice_clients
        assert isinstance(voice, discord.VoiceClient)
        return voice

    def admit(self, channel_id: int, server: VoiceServer | None = None) -> None:
        """What the main gateway does when the bot is in a channel."""
        self.server = server or self.server
        self.session_id = self.session_id or secrets.token_hex(8)
        token = secrets.token_hex(8)
        self.server.admit(GUILD, channel_id, BOT, self.session_id, token)
        grant: Any = {"token": token, "guild_id": str(GUILD), "endpoint": self.server.endpoint}
        if self.server_update_first:
            self.client._connection.parse_voice_server_update(grant)
            self.tell_state(channel_id)
        else:
            self.tell_state(channel_id)
            self.client._connection.parse_voice_server_update(grant)

    def tell_state(self, channel_id: int | None) -> None:
        if channel_id is None:
            self.session_id = ""
        state: Any = {
            "guild_id": str(GUILD),
            "channel_id": None if channel_id is None else str(channel_id),
            "user_id": str(BOT),
            "session_id": self.session_id or "gone",
            "deaf": False,
            "mute": False,
            "self_deaf": False,
            "self_mute": False,
            "self_video": False,
            "suppress": False,
            "request_to_speak_timestamp": None,
        }
        self.client._connection.parse_voice_state_update(state)

    def _take(self, packet: bytes) -> None:
        """Takes a packet on the socket's thread, by the documentation and without our own code."""
        if len(packet) < 16 or packet[0] >> 6 != 2 or packet[1] & 0x7F != OPUS_PAYLOAD_TYPE:
            self.noise.append(packet)
            return
        connection = self.voice._connection
        size = 12 + 4 * (packet[0] & 0x0F)
        words = 0
        if packet[0] & 0x10:
            words = struct.unpack_from(">H", packet, size + 2)[0]
            size += 4
        plain = Aead(bytes(connection.secret_key)).decrypt(
            packet[size:-4], packet[:size], packet[-4:] + bytes(20)
        )
        frame = plain[4 * words :]
        if packet[0] & 0x20:
            frame = frame[: -frame[-1]]
        if not frame:
            self.noise.append(packet)
            return
        sequence, timestamp, ssrc = struct.unpack_from(">HII", packet, 2)
        self.received.append(Received(ssrc, sequence, timestamp, frame, None))
        # The first may come before opcode 5 says whose they are. They must be decrypted first all
        # the same: davey takes what is older than the first of a sender for a replay.
        for each in [each for each in self.received if each.ssrc == ssrc and each.opus is None]:
            each.opus = self._decrypt(ssrc, each.frame)

    def _decrypt(self, ssrc: int, frame: bytes) -> bytes | None:
        connection = self.voice._connection
        if not connection.dave_protocol_version or connection.dave_session is None:
            return frame
        user_id = self.users.get(ssrc)
        if user_id is None:
            return None
        try:
            opus: bytes = connection.dave_session.decrypt(user_id, davey.MediaType.audio, frame)
        except ValueError:
            return None
        return opus

    @property
    def users(self) -> dict[int, int]:
        """Who is behind which source, by opcode 5."""
        return {data["ssrc"]: int(data["user_id"]) for opcode, data in self.messages if opcode == 5}

    def opcodes(self) -> list[int]:
        return [opcode for opcode, _ in self.messages]

    def heard(self) -> list[bytes]:
        """The packets of speech that could be decrypted, in the order of arrival."""
        return [
            each.opus
            for each in self.received
            if each.opus is not None and each.opus != b"\xf8\xff\xfe"
        ]


class _Listening(discord.VoiceClient):
    """discord.py's own client with its own hook for messages; nothing is replaced."""

    def create_connection_state(self) -> Any:
        return discord.voice_state.VoiceConnectionState(self, hook=self._hook)

    async def _hook(self, _: Any, message: dict[str, Any]) -> None:
        bot = self.client.bot  # type: ignore[attr-defined]
        bot.messages.append((message["op"], message["d"]))


class RawClient:
    """A voice client that sends exactly what a test says. It speaks no DAVE."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._datagrams: asyncio.Queue[bytes] = asyncio.Queue()
        self._udp: asyncio.DatagramTransport | None = None
        self.last_seq = -1
        self.ssrc = 0
        self.transport: Transport | None = None

    async def send(self, opcode: int, content: Any) -> None:
        await self._socket.send_json({"op": opcode, "d": content})

    async def send_text(self, text: str) -> None:
        await self._socket.send_str(text)

    async def send_bytes(self, data: bytes) -> None:
        await self._socket.send_bytes(data)

    async def expect(self, opcode: int) -> Any:
        """The content of the next message with an opcode; others are skipped."""
        async with asyncio.timeout(5):
            while True:
                message = await self._socket.receive()
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.last_seq, found = struct.unpack_from(">HB", message.data)
                    content: Any = message.data[3:]
                else:
                    assert message.type is aiohttp.WSMsgType.TEXT, f"closed with {message.data}"
                    fields = json.loads(message.data)
                    found, content = fields["op"], fields["d"]
                    self.last_seq = fields.get("seq", self.last_seq)
                if found == opcode:
                    return content

    async def closed(self) -> int:
        """The code that the server closes with."""
        async with asyncio.timeout(5):
            while True:
                message = await self._socket.receive()
                if message.type is aiohttp.WSMsgType.CLOSE:
                    return int(message.data)
                assert message.type is not aiohttp.WSMsgType.CLOSED, "closed without a code"

    async def identify(self, *, dave: int = 0, **changes: Any) -> None:
        await self.send(0, {**_IDENTITY, "max_dave_protocol_version": dave, **changes})

    async def connect(
        self, mode: TransportMode = TransportMode.AES256_GCM, *, dave: int = 0
    ) -> None:
        """Goes through everything up to the session description, UDP included."""
        await self.identify(dave=dave)
        ready = await self.expect(2)
        self.ssrc = ready["ssrc"]
        assert mode in ready["modes"]
        self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self._datagrams), remote_addr=(ready["ip"], ready["port"])
        )
        self._udp.sendto(struct.pack(">HHI66x", 1, 70, self.ssrc))
        reply = await self.datagram()
        address = reply[8:72].rstrip(b"\0").decode()
        assert (address, struct.unpack(">H", reply[72:])[0]) == self._udp.get_extra_info("sockname")
        data = {"address": address, "port": 1, "mode": mode}
        await self.send(1, {"protocol": "udp", "data": data})
        description = await self.expect(4)
        assert description["mode"] == mode
        self.transport = Transport(mode, bytes(description["secret_key"]))

    async def datagram(self) -> bytes:
        return await asyncio.wait_for(self._datagrams.get(), 5)

    def send_datagram(self, data: bytes) -> None:
        assert self._udp is not None
        self._udp.sendto(data)

    def send_audio(self, sequence: int, opus: bytes) -> None:
        assert self.transport is not None
        packet = Rtp(self.ssrc, sequence, 960 * sequence, opus)
        self.send_datagram(self.transport.seal(packet.header(padded=False), opus))

    async def packets(self, count: int) -> list[tuple[Header, bytes]]:
        """The next packets of audio: header and plain payload."""
        assert self.transport is not None
        found: list[tuple[Header, bytes]] = []
        while len(found) < count:
            data = await self.datagram()
            header = parse_header(data)
            plain = self.transport.open(data, header.size)
            found.append((header, header.strip(plain)))
        return found

    @property
    def waiting(self) -> int:
        """Datagrams that nobody has asked for."""
        return self._datagrams.qsize()

    async def aclose(self) -> None:
        await self._socket.close()
        if self._udp is not None:
            self._udp.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, queue: asyncio.Queue[bytes]) -> None:
        self._queue = queue

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._queue.put_nowait(data)


_IDENTITY = {
    "server_id": str(GUILD),
    "user_id": str(BOT),
    "session_id": "session",
    "token": "token",
}


def _user(user_id: int) -> dict[str, Any]:
    return {
        "id": str(user_id),
        "username": f"user{user_id}",
        "discriminator": "0",
        "avatar": None,
        "global_name": None,
        "bot": user_id == BOT,
    }


def _channel(channel_id: int, position: int) -> dict[str, Any]:
    return {
        "id": str(channel_id),
        "type": 2,
        "name": f"voice{position}",
        "position": position,
        "bitrate": 64000,
        "user_limit": 0,
        "permission_overwrites": [],
    }


_GUILD: dict[str, Any] = {
    "id": str(GUILD),
    "name": "guild",
    "owner_id": str(BOT),
    "roles": [],
    "emojis": [],
    "features": [],
    "channels": [_channel(CHANNEL, 0), _channel(OTHER_CHANNEL, 1)],
    "members": [
        {
            "user": _user(BOT),
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        }
    ],
}


@dataclass
class Stage:
    """Everything that a test of voice needs; all of it ends with the test."""

    certificates: Certificates
    lines: list[str] = field(default_factory=list)
    servers: list[VoiceServer] = field(default_factory=list)
    people: list[PersonVoice] = field(default_factory=list)
    bots: list[DiscordPy] = field(default_factory=list)
    clients: list[RawClient] = field(default_factory=list)
    session: aiohttp.ClientSession | None = None

    async def server(
        self, faults: VoiceFaults | None = None, settings: VoiceSettings | None = None
    ) -> VoiceServer:
        made = VoiceServer(
            self.certificates, faults=faults, settings=settings, record=self.lines.append
        )
        await made.start()
        self.servers.append(made)
        return made

    def person(self, user_id: int, **options: Any) -> PersonVoice:
        made = PersonVoice(user_id, record=self.lines.append, **options)
        self.people.append(made)
        return made

    async def bot(self, server: VoiceServer, *, listening: bool = True) -> DiscordPy:
        """A discord.py that is connected."""
        made = DiscordPy(server)
        made.client.bot = made  # type: ignore[attr-defined]
        await made.start(self.certificates)
        self.bots.append(made)
        await made.connect(listening=listening)
        return made

    async def client(self, server: VoiceServer) -> RawClient:
        """A client that is admitted and has done nothing but open a websocket."""
        server.admit(GUILD, CHANNEL, BOT, "session", "token")
        return await self.open(server)

    async def open(self, server: VoiceServer) -> RawClient:
        if self.session is None:
            connector = aiohttp.TCPConnector(ssl=self.certificates.client_context())
            self.session = aiohttp.ClientSession(connector=connector)
        made = RawClient(await self.session.ws_connect(f"wss://{server.endpoint}/?v=8"))
        await made.expect(8)
        self.clients.append(made)
        return made

    async def aclose(self) -> None:
        for client in self.clients:
            await client.aclose()
        if self.session is not None:
            await self.session.close()
        for bot in self.bots:
            await bot.aclose()
        for person in self.people:
            await person.disconnect()
        for server in self.servers:
            await server.aclose()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.generate(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
async def stage(certificates: Certificates) -> AsyncIterator[Stage]:
    made = Stage(certificates)
    try:
        yield made
    finally:
        print(*made.lines, sep="\n")  # noqa: T201 - shown by pytest for a test that fails
        await made.aclose()


@pytest.fixture(scope="session")
def tone() -> Speech:
    """Half a second that is audible in every packet."""
    time = np.arange(24_000) / 48_000
    return Speech.from_samples((0.3 * np.sin(2 * np.pi * 330 * time)).astype(np.float32), 48_000)


Eventually = Callable[..., Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Waits for something in a thread or a process that rings no bell of this loop."""

    async def wait(look: Callable[[], object], timeout_s: float = 10.0) -> None:
        async with asyncio.timeout(timeout_s):
            while not look():
                await asyncio.sleep(0.01)

    return wait


@pytest.fixture
def recording(speech: Path) -> Path:
    return speech / "librivox-0870.wav"
