"""The console's WebSocket as the page, and as anybody else, meets it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from voicemesh_bot.console.front import ConsoleFront
from voicemesh_bot.console.replies import SOUND_HEADER
from voicemesh_bot.domain import ModelEvent, ModelStarted
from voicemesh_bot.metrics import BotMetrics
from voicemesh_bot.session import SessionOptions
from voicemesh_bot.settings import ConsoleSettings
from voicemesh_bot.watch import BackendWatch
from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import StartupError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from tests.contract.bot.conftest import FakeBackends

pytestmark = [pytest.mark.contract, pytest.mark.timeout(20)]


class Tab:
    """A page's end of the socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.sound: list[bytes] = []

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def expect(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; sound on the way to it is kept."""
        while True:
            message = await self.socket.receive(timeout=10)
            if message.type is aiohttp.WSMsgType.BINARY:
                self.sound.append(message.data)
                continue
            assert message.type is aiohttp.WSMsgType.TEXT, message
            content: dict[str, Any] = json.loads(message.data)
            if content["type"] == kind:
                return content

    async def closed(self) -> int | None:
        """The code with which the socket is closed."""
        while not self.socket.closed:
            await self.socket.receive(timeout=10)
        return self.socket.close_code


class Console:
    """A running console with fakes behind it."""

    def __init__(self, front: ConsoleFront, client: aiohttp.ClientSession) -> None:
        self.front = front
        self.client = client
        self.url = front.url

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        async with self.client.ws_connect(
            f"{self.url}/session", headers={"Origin": self.url}
        ) as socket:
            yield Tab(socket)


@asynccontextmanager
async def _running(fakes: FakeBackends, **settings: Any) -> AsyncIterator[Console]:
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        watch = BackendWatch(fakes, interval_s=0.01)
        watching = asyncio.create_task(watch.run())
        stack.push_async_callback(asyncio.wait, {watching})
        stack.callback(watching.cancel)
        front = ConsoleFront(
            ConsoleSettings(port=0, **settings),
            fakes.backends,
            watch,
            SessionOptions(tenant="console"),
            BotMetrics(new_registry()),
        )
        stack.push_async_callback(front.aclose)
        await front.start()
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Console(front, client)
    await _until(lambda: asyncio.all_tasks() <= before)


async def _until(condition: Callable[[], bool]) -> None:
    """However slow the machine is; the test's own timeout ends a wait that is in vain."""
    while not condition():
        await asyncio.sleep(0.005)


def _tasks_of_sessions() -> set[str]:
    names = {task.get_name() for task in asyncio.all_tasks()}
    return {name for name in names if "console" in name or "reply" in name or name == "listening"}


async def test_a_written_message_is_answered_in_text_and_sound(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        assert (await tab.expect("welcome"))["sample_rate_hertz"] == 24_000
        await tab.send("message", text="What is the time?")
        assert (await tab.expect("message"))["spoken"] is False
        reply = await tab.expect("reply_start")
        seconds = (await tab.expect("audio_end"))["seconds"]
        await tab.send("played", reply_id=reply["reply_id"], seconds=seconds)
        timing = (await tab.expect("timing"))["marks_ms"]
        end = await tab.expect("reply_end")

        assert (end["outcome"], end["heard_text"]) == ("complete", fakes.answer)
        assert {SOUND_HEADER.unpack(sound[:8]) for sound in tab.sound} == {(1, 24_000)}
        assert sum(len(sound) - 8 for sound in tab.sound) == pytest.approx(seconds * 48_000, abs=2)
        assert timing["end_of_speech"] == 0
        assert timing["first_sound_played"] >= timing["first_audio"] >= timing["first_token"]


async def test_a_spoken_turn_shows_partials_and_is_answered(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        await tab.send("listen", sample_rate_hertz=48_000)
        await tab.socket.send_bytes(b"\1\1" * 960)
        await tab.send("finish_turn")

        partial = await tab.expect("partial")
        assert (partial["stable"], partial["unstable"]) == ("What is", "the")
        message = await tab.expect("message")
        assert (message["text"], message["spoken"]) == (fakes.words, True)
        assert await tab.expect("reply_start")


async def test_the_lights_follow_the_services(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        await tab.expect("welcome")
        fakes.tts.down = True
        while (await tab.expect("services"))["services"].get("tts") is not False:
            pass
        assert (await tab.expect("notice"))["service"] == "tts"
        fakes.tts.down = False
        assert (await tab.expect("notice"))["good"] is True


async def test_a_ready_model_that_fails_is_told_as_trouble(fakes: FakeBackends) -> None:
    async def fails(*_: object, **__: object) -> AsyncGenerator[ModelEvent, None]:
        yield ModelStarted("response-1", "remote")
        msg = "the provider cannot be reached"
        raise UnavailableError(msg)

    async with _running(fakes) as console, console.tab() as tab:
        works, fakes.model.generate = fakes.model.generate, fails  # type: ignore[method-assign]
        await tab.send("message", text="Hello?")
        trouble = await tab.expect("trouble")
        assert (trouble["service"], trouble["on"]) == ("trainer", True)
        assert "could not be reached" in (await tab.expect("reply_end"))["sentence"]

        fakes.model.generate = works  # type: ignore[method-assign]
        await tab.send("message", text="Hello?")
        assert (await tab.expect("trouble"))["on"] is False


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ("{", "BAD_JSON", ""),
        ('{"type": "dance"}', "BAD_MESSAGE", "type"),
        ('{"type": "message", "text": ""}', "BAD_MESSAGE", "text"),
        ('{"type": "message", "text": " \\n "}', "BAD_MESSAGE", "text"),
        ('{"type": "listen", "sample_rate_hertz": 1}', "BAD_MESSAGE", "sample_rate_hertz"),
        ("[" * 10_000, "BAD_JSON", ""),
        (b"\1\1", "NOT_LISTENING", ""),
        ("x" * 20_000, "TOO_LARGE", ""),
    ],
)
async def test_a_bad_message_gets_one_error_and_the_session_goes_on(
    fakes: FakeBackends, message: str | bytes, code: str, field: str
) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        if isinstance(message, bytes):
            await tab.socket.send_bytes(message)
        else:
            await tab.socket.send_str(message)
        error = await tab.expect("error")
        assert (error["code"], error["field"]) == (code, field)

        await tab.send("message", text="Still there?")
        assert (await tab.expect("message"))["text"] == "Still there?"


@pytest.mark.parametrize(
    ("size", "code"), [(70_000, "TOO_LARGE"), (3, "BAD_AUDIO"), (0, "BAD_AUDIO")]
)
async def test_bad_sound_gets_one_error(fakes: FakeBackends, size: int, code: str) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        await tab.send("listen", sample_rate_hertz=16_000)
        await tab.socket.send_bytes(bytes(size))

        assert (await tab.expect("error"))["code"] == code


async def test_a_message_beyond_all_limits_closes_the_connection(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        await tab.expect("welcome")
        await tab.socket.send_bytes(bytes(300 * 1024))

        assert await tab.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_ten_bad_messages_close_the_connection(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        for _ in range(10):
            await tab.socket.send_str("?")

        assert await tab.closed() == aiohttp.WSCloseCode.POLICY_VIOLATION


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://127.0.0.1:1"])
async def test_another_sites_page_cannot_connect(fakes: FakeBackends, origin: str) -> None:
    async with _running(fakes) as console:
        headers = {"Origin": origin} if origin else {}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await console.client.ws_connect(f"{console.url}/session", headers=headers)

        assert refused.value.status == 403


@pytest.mark.parametrize("path", ["/", "/session", "/static/app.js"])
async def test_a_name_that_is_not_the_consoles_is_refused(fakes: FakeBackends, path: str) -> None:
    async with _running(fakes) as console:
        headers = {"Host": "evil.example:8080", "Origin": "http://evil.example:8080"}
        async with console.client.get(console.url + path, headers=headers) as answer:
            assert answer.status == 421


async def test_the_page_is_served_with_a_strict_policy(fakes: FakeBackends) -> None:
    async with _running(fakes) as console:
        async with console.client.get(console.url) as answer:
            policy = answer.headers["Content-Security-Policy"]
            page = await answer.text()
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script>" not in page
        assert "style=" not in page
        for path in ("/static/../front.py", "/static/" + "a" * 5000):
            async with console.client.get(console.url + path) as answer:
                assert answer.status == 404


async def test_a_full_house_turns_people_away_and_has_room_again(fakes: FakeBackends) -> None:
    async with _running(fakes, max_sessions=1) as console:
        async with console.tab() as first:
            await first.expect("welcome")
            async with console.tab() as second:
                assert "close one" in (await second.expect("error"))["message"]
                assert await second.closed() == aiohttp.WSCloseCode.TRY_AGAIN_LATER
        await _until(lambda: not _tasks_of_sessions())
        async with console.tab() as third:
            await third.expect("welcome")


async def test_a_tab_that_vanishes_leaves_nothing_behind(fakes: FakeBackends) -> None:
    fakes.model.hold = asyncio.Event()
    async with _running(fakes) as console:
        async with console.tab() as tab:
            await tab.send("listen", sample_rate_hertz=16_000)
            await tab.socket.send_bytes(b"\1\1" * 960)
            await tab.send("message", text="Talk.")
            await tab.expect("reply_text")
            assert _tasks_of_sessions()
            connection = tab.socket._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()

        await _until(lambda: not _tasks_of_sessions())


async def test_stopping_the_console_ends_open_sessions(fakes: FakeBackends) -> None:
    async with _running(fakes) as console, console.tab() as tab:
        await tab.expect("welcome")
        stopping = asyncio.create_task(console.front.aclose())

        assert await tab.closed() == aiohttp.WSCloseCode.GOING_AWAY
        await stopping


async def test_a_fault_of_the_bot_is_said_and_ends_only_that_session(
    fakes: FakeBackends, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise ZeroDivisionError

    async with _running(fakes) as console, console.tab() as tab, console.tab() as other:
        await tab.expect("welcome")
        await other.expect("welcome")
        with monkeypatch.context() as patched:
            patched.setattr("voicemesh_bot.conversation.Conversation._answer", explode)
            await tab.send("message", text="Boom")
            assert (await tab.expect("error"))["code"] == "INTERNAL"
            assert await tab.closed() == aiohttp.WSCloseCode.INTERNAL_ERROR
        await other.send("message", text="Well?")
        assert await other.expect("reply_start")


async def test_a_taken_port_is_named_in_one_sentence(fakes: FakeBackends) -> None:
    async with _running(fakes) as console:
        port = int(console.url.rsplit(":", 1)[1])
        with pytest.raises(StartupError, match=f"port {port} on 127.0.0.1 is taken"):
            async with _running_on(fakes, port):
                pass


@asynccontextmanager
async def _running_on(fakes: FakeBackends, port: int) -> AsyncIterator[None]:
    watch = BackendWatch(fakes)
    options = SessionOptions(tenant="console")
    front = ConsoleFront(
        ConsoleSettings(port=port), fakes.backends, watch, options, BotMetrics(new_registry())
    )
    try:
        await front.start()
        yield
    finally:
        await front.aclose()
