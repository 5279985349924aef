"""One open tab: its WebSocket at `/session` and its conversation, which live and end together.

Text messages are JSON objects with a `type`; binary messages are sound. From the page:

    {"type": "message", "text": "..."}                  a written message, 1 to 2,000 characters
    {"type": "listen", "sample_rate_hertz": 48000, "held": false}
                                                        binary messages with sound will follow; if
                                                        a button is held, silence ends no turn
    binary: signed 16-bit little-endian mono samples    at most 64 KiB, only after listen
    {"type": "finish_turn"}                             the talk button was let go
    {"type": "stop"}                                    be quiet
    {"type": "played", "reply_id": 1, "seconds": 0.4}   sound of an answer played so far
    {"type": "voice", "on": true}                       whether answers are spoken

To the page, `welcome` first:

    {"type": "welcome", "sample_rate_hertz": 24000, "services": {"stt": true, ...}}
    {"type": "services", "services": {...}}             which backends are ready; at every change
    {"type": "speech_started", "turn_id": 1}            a voice is heard
    {"type": "partial", "turn_id": 1, "stable": "...", "unstable": "..."}
    {"type": "silence"}                                 the turn had no words
    {"type": "message", "message_id": 1, "text": "...", "spoken": true}
    {"type": "reply_start", "reply_id": 1, "message_id": 1}
    {"type": "reply_text", "reply_id": 1, "text": "..."}
    binary: reply id and sample rate (unsigned 32-bit little-endian each), then samples
    {"type": "audio_end", "reply_id": 1, "seconds": 2.5}
    {"type": "audio_stop", "reply_id": 1}               be silent at once
    {"type": "audio_pause", "reply_id": 1, "on": true}  be silent, and go on with "on": false
    {"type": "duck", "on": true}                        play softly
    {"type": "reply_end", "reply_id": 1, "outcome": "complete", "heard_text": "...", ...}
    {"type": "timing", "reply_id": 1, "marks_ms": {"transcript": 512.0, ...}, ...}
    {"type": "notice", "text": "...", "service": "stt", "good": false}
    {"type": "trouble", "service": "trainer", "on": true}
                                                        its last work failed, though it may be ready
    {"type": "error", "code": "BAD_JSON", "message": "...", "field": ""}

A bad message is answered with one error and otherwise ignored; after ten the connection is closed
(1008). Messages over 256 KiB close it at once (1009), a fault of the bot with 1011, a full house
with 1013 after an error, the end of the bot with 1001.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSCloseCode, WSMsgType, web

from voicemesh_bot.console.replies import as_error, as_message, as_services, as_welcome
from voicemesh_bot.console.requests import (
    BadRequestError,
    FinishTurnRequest,
    ListenRequest,
    MessageRequest,
    PlayedRequest,
    Request,
    StopRequest,
    check_audio,
    parse_request,
)
from voicemesh_bot.conversation.events import (
    BackendChanged,
    Played,
    StopPressed,
    Typed,
    VoiceSwitched,
)
from voicemesh_bot.domain import Backend
from voicemesh_bot.errors import AudienceGoneError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from aiohttp import WSMessage

    from voicemesh_bot.conversation.commands import FrontCommand
    from voicemesh_bot.session import Session
    from voicemesh_bot.watch import BackendWatch

__all__ = ("MOST_MESSAGE_BYTES", "Connection", "WebSocketAudience")

MOST_MESSAGE_BYTES = 256 * 1024
"""Messages above it are not even read; smaller ones that are too large get an error."""

_SPEAKER = "you"
_MOST_ERRORS = 10
_SEND_TIMEOUT_S = 10.0

_logger = get_logger(__name__)


class WebSocketAudience:
    """The page as the conversation's audience."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def deliver(self, command: FrontCommand) -> None:
        """Sends a command to the page."""
        await self.send(as_message(command))

    async def send(self, message: str | bytes) -> None:
        """Sends a message; raises `AudienceGoneError` if the page has gone or does not read."""
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_str(message)
        except (TimeoutError, ConnectionError, RuntimeError) as error:
            # RuntimeError is what aiohttp says once the socket is closing.
            msg = "the page does not take messages any more"
            raise AudienceGoneError(msg) from error


class Connection:
    """Runs one tab's conversation until either side ends it."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        audience: WebSocketAudience,
        session: Session,
        watch: BackendWatch,
        *,
        sample_rate_hertz: int,
    ) -> None:
        self._socket = socket
        self._audience = audience
        self._session = session
        self._watch = watch
        self._sample_rate_hertz = sample_rate_hertz
        self._listens = False
        self._errors = 0
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Serves the page; returns when it has gone and nothing of the session is left."""
        unsubscribe = self._watch.subscribe(lambda *_: self._changed.set())
        work = [
            asyncio.create_task(self._session.run(), name="console session"),
            asyncio.create_task(self._read(), name="console reader"),
            asyncio.create_task(self._tell_services(), name="console services"),
        ]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        finally:
            unsubscribe()
            for task in work:
                task.cancel()
            outcomes = await asyncio.gather(*work, return_exceptions=True)
        await self._close(outcomes)

    async def _close(self, outcomes: list[BaseException | None]) -> None:
        faults = [error for error in outcomes if isinstance(error, Exception)]
        unexpected = [error for error in faults if not isinstance(error, AudienceGoneError)]
        for error in unexpected:
            _logger.error("a console session failed", exc_info=error)
        if unexpected and not self._socket.closed:
            error = BadRequestError("INTERNAL", "The bot failed; its log has the cause.")
            try:
                await self._audience.send(as_error(error))
            except AudienceGoneError:
                return
            await self._socket.close(code=WSCloseCode.INTERNAL_ERROR)
        elif not self._socket.closed:
            await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            try:
                await self._take(message)
            except BadRequestError as error:
                await self._audience.send(as_error(error))
                self._errors += 1
                if self._errors >= _MOST_ERRORS:
                    await self._socket.close(
                        code=WSCloseCode.POLICY_VIOLATION, message=b"too many bad messages"
                    )
                    return

    async def _take(self, message: WSMessage) -> None:
        if message.type is WSMsgType.BINARY:
            if not self._listens:
                msg = "Sound must be announced by a listen message with its sample rate."
                raise BadRequestError("NOT_LISTENING", msg)
            check_audio(message.data)
            self._session.hear(_SPEAKER, message.data)
        elif message.type is WSMsgType.TEXT:
            await self._do(parse_request(message.data))

    async def _do(self, request: Request) -> None:
        session = self._session
        if isinstance(request, MessageRequest):
            await session.post(Typed(_SPEAKER, request.text))
        elif isinstance(request, ListenRequest):
            rate, held = request.sample_rate_hertz, request.held
            await session.open_ear(_SPEAKER, rate, held=held)
            self._listens = True
        elif isinstance(request, FinishTurnRequest):
            session.finish_turn(_SPEAKER)
        elif isinstance(request, StopRequest):
            await session.post(StopPressed())
        elif isinstance(request, PlayedRequest):
            await session.post(Played(request.reply_id, request.seconds))
        else:
            await session.post(VoiceSwitched(request.on))

    async def _tell_services(self) -> None:
        told = dict(self._watch.ready)
        rate = self._sample_rate_hertz
        await self._audience.send(as_welcome(sample_rate_hertz=rate, ready=told))
        for backend, ready in told.items():
            if not ready:
                await self._session.post(BackendChanged(backend, ready))
        while True:
            await self._changed.wait()
            self._changed.clear()
            now = dict(self._watch.ready)
            await self._audience.send(as_services(now))
            for backend in Backend:
                if now.get(backend) != told.get(backend):
                    await self._session.post(BackendChanged(backend, now[backend]))
            told = now
