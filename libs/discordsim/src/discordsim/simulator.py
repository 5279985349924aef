"""Everything together: one local Discord, for one test or for one afternoon."""

from __future__ import annotations

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from discordsim.certificates import Certificates
from discordsim.gateway import PRIVILEGED_INTENTS, GatewayServer
from discordsim.narration import sentence_of
from discordsim.people.person import Person
from discordsim.people.voice import PersonVoice
from discordsim.people.waiting import Bell
from discordsim.places import Places
from discordsim.processes import BotProcess
from discordsim.regions import VoiceRegions
from discordsim.rest import RestServer
from discordsim.rest.server import application
from discordsim.transcript import Transcript
from discordsim.voice import VoiceFaults, VoiceSettings
from discordsim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from types import TracebackType

    from discordsim.domain import BotAccount, Channel, Guild, User
    from discordsim.events import Event
    from discordsim.rest import RestFaults
    from discordsim.world.interactions import InteractionLimits

__all__ = ("Simulator",)

_SHUTDOWN_S = 2.0


class Simulator(Places):
    """A Discord on the loopback interface. Use it as an async context manager, in one event loop.

    ```python
    async with Simulator() as sim:
        guild = sim.add_guild("Workshop")
        text = sim.add_channel(guild, "general")
        ann = sim.add_person("Ann", guild)
        async with sim.start_bot(sys.executable, "-m", "discordsim.redirect", "bot.py"):
            await ann.type(text, "hello")
            reply = await ann.wait_for_message(text)
    ```
    """

    def __init__(
        self,
        *,
        bot_name: str = "Bot",
        privileged_intents: int = PRIVILEGED_INTENTS,
        limits: InteractionLimits | None = None,
        voice_settings: VoiceSettings | None = None,
        heartbeat_interval_s: float = 41.25,
        transcript: Transcript | None = None,
    ) -> None:
        """Make a Discord with one bot account and nobody else.

        Args:
            bot_name: name of the bot under test.
            privileged_intents: bits of privileged intents that are switched on for it.
            limits: how long bots have to answer interactions.
            voice_settings: how voice servers behave.
            heartbeat_interval_s: how often bots must send a heartbeat on the main gateway.
            transcript: where what happens is written; None begins a new one.
        """
        self.transcript = transcript or Transcript()
        """What happened."""
        self._bell = Bell()
        record = self._record
        super().__init__(World(limits=limits))
        self.world.events.subscribe(self._narrate)
        self._certificates: Certificates | None = None
        self.voice = VoiceRegions(
            self.world,
            record=record,
            faults=VoiceFaults(),
            settings=voice_settings or VoiceSettings(),
        )
        """Voice servers: faults, close codes, region changes."""
        self.gateway = GatewayServer(
            self.world,
            record=record,
            on_voice=self.voice.request,
            heartbeat_interval_s=heartbeat_interval_s,
        )
        """The main gateway, with its switches."""
        self._rest = RestServer(self.world, record=record, gateway_uri=lambda: self.gateway.uri)
        self._open = AsyncExitStack()
        self.bot = self.add_bot(bot_name, privileged_intents=privileged_intents)
        """The bot under test."""

    # Life

    async def start(self) -> None:
        """Listen on free ports of the loopback interface."""
        directory = tempfile.TemporaryDirectory(prefix="discordsim-")
        self._open.callback(directory.cleanup)
        self._certificates = Certificates.generate(Path(directory.name))
        app = application()
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        self._rest.add_to(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        self._open.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self._open.push_async_callback(self.gateway.aclose)
        host, port = runner.addresses[0][:2]
        self._rest.address = self.world.cdn_uri = f"http://{host}:{port}"
        self.gateway.uri = f"ws://{host}:{port}/gateway"
        await self.voice.start(self._certificates)
        self._open.push_async_callback(self.voice.aclose)

    async def aclose(self) -> None:
        """Close everything."""
        await self._open.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    # Where it is

    @property
    def certificates(self) -> Certificates:
        """What voice servers prove themselves by.

        Raises:
            RuntimeError: the simulator has not been started.
        """
        if self._certificates is None:
            raise RuntimeError("the simulator is not started")
        return self._certificates

    @property
    def api_uri(self) -> str:
        """Root of the REST API, such as `http://127.0.0.1:8090/api/v10`."""
        return self._rest.api_uri

    @property
    def gateway_uri(self) -> str:
        """Address of the main gateway, such as `ws://127.0.0.1:8090/gateway`."""
        return self.gateway.uri

    @property
    def rest(self) -> RestFaults:
        """Switches for what goes wrong with REST."""
        return self._rest.faults

    def environment(
        self, bot: BotAccount | None = None, *, prefix: str = "DISCORD_"
    ) -> dict[str, str]:
        """Return the variables by which a bot in a process of its own finds this Discord.

        Args:
            bot: which bot; None for the first.
            prefix: what `API_URI` and `GATEWAY_URI` begin with in that bot.

        Returns:
            `DISCORD_TOKEN`, the two addresses, and `SSL_CERT_FILE`, which makes Python trust the
            voice servers and nobody else.
        """
        return {
            "DISCORD_TOKEN": (bot or self.bot).token,
            f"{prefix}API_URI": self.api_uri,
            f"{prefix}GATEWAY_URI": self.gateway_uri,
            "SSL_CERT_FILE": str(self.certificates.authority_file),
        }

    # Who and what there is

    def add_person(
        self,
        name: str,
        *guilds: Guild,
        is_bot: bool = False,
        permissions: int = 0,
        commit_delay_s: float = 0.0,
        listens_to: Container[int] | None = None,
    ) -> Person:
        """Add somebody.

        Args:
            name: their name.
            guilds: where they are a member; the first is their `guild`.
            is_bot: whether others see them as a bot: somebody else's, played by the test.
            permissions: what they may beyond what everybody may, by a role of their own.
            commit_delay_s: how long their voice client takes to answer proposals.
            listens_to: ids of those whose audio they keep; None for everybody.
        """
        user = self.world.directory.add_user(name, is_bot=is_bot)
        for guild in guilds:
            roles = (
                (self.world.directory.add_role(guild.id, f"role of {name}", permissions).id,)
                if permissions
                else ()
            )
            self.world.directory.add_member(guild.id, user.id, roles)
        voice = PersonVoice(
            user.id,
            name=name,
            record=self._record,
            commit_delay_s=commit_delay_s,
            listens_to=listens_to,
        )
        return Person(
            self.world,
            user,
            guild=guilds[0] if guilds else None,
            regions=self.voice,
            voice=voice,
        )

    # What tests do

    def start_bot(
        self,
        *command: str,
        bot: BotAccount | None = None,
        prefix: str = "DISCORD_",
        environment: Mapping[str, str] | None = None,
        ready_s: float = 30.0,
    ) -> BotProcess:
        """Return a bot as a process; as a context manager it is started, ready, and ended.

        Args:
            command: the program and its arguments.
            bot: which account it uses; None for the first.
            prefix: see `environment`.
            environment: further variables; those of this process are kept.
            ready_s: how long it may take to log in.
        """
        account = bot or self.bot
        variables = {**self.environment(account, prefix=prefix), **(environment or {})}
        name = self.world.directory.display_name(account.id)

        async def ready() -> None:
            await self.wait_until_ready(account, timeout_s=ready_s)

        return BotProcess(command, variables, name=name, record=self._record, ready=ready)

    async def wait_until_ready(
        self, bot: BotAccount | None = None, *, timeout_s: float = 30.0
    ) -> None:
        """Return when a bot has a connection to the gateway and has logged in there.

        Raises:
            NotSeenError: it has not.
        """
        account = bot or self.bot
        name = self.world.directory.display_name(account.id)
        await self.wait_until(
            lambda: self.gateway.is_online(account.id),
            timeout_s=timeout_s,
            what=f"{name} logged in",
        )

    async def wait_until_offline(
        self, bot: BotAccount | None = None, *, timeout_s: float = 30.0
    ) -> None:
        """Return when a bot has no connection to the gateway.

        Raises:
            NotSeenError: it still has one.
        """
        account = bot or self.bot
        name = self.world.directory.display_name(account.id)
        await self.wait_until(
            lambda: not self.gateway.is_online(account.id),
            timeout_s=timeout_s,
            what=f"{name} logged out",
        )

    async def wait_until_in_voice(
        self, guild: Guild, bot: BotAccount | None = None, *, timeout_s: float = 30.0
    ) -> None:
        """Return when a bot is in a call, with everything agreed upon.

        Raises:
            NotSeenError: it is not.
        """
        account = bot or self.bot
        name = self.world.directory.display_name(account.id)
        await self.wait_until(
            lambda: self.voice.is_connected(guild.id, account.id),
            timeout_s=timeout_s,
            what=f"{name} in voice",
        )

    async def wait_until(
        self, look: Callable[[], bool], *, timeout_s: float = 10.0, what: str = "that"
    ) -> None:
        """Return when `look` is true; it is asked whenever the transcript gets a line.

        Raises:
            NotSeenError: it did not become so in time.
        """
        await self._bell.wait_for(lambda: True if look() else None, timeout_s, what)

    async def move(self, who: Person | BotAccount | User, channel: Channel) -> None:
        """Move somebody who is in voice, as a moderator does.

        Raises:
            RefusedError: they are not in voice.
        """
        self.world.calls.move(channel.guild_id or 0, who.id, channel)
        await self.voice.settle()

    async def disconnect(self, who: Person | BotAccount | User, guild: Guild) -> None:
        """Throw somebody out of voice, as a moderator does."""
        self.world.calls.leave(guild.id, who.id)
        await self.voice.settle()

    def _narrate(self, event: Event) -> None:
        if (sentence := sentence_of(self.world, event)) is not None:
            self._record(sentence)

    def _record(self, text: str) -> None:
        self.transcript.write(text)
        self._bell.ring()
