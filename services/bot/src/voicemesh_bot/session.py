"""One conversation in motion: carries the state machine's commands out.

One task takes events from a bounded queue, one at a time, and everything else that a session does
(the model, the voice, the ears) is a task of its group that only posts events. Ending `run` ends
them all.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_bot.answering import Answering
from voicemesh_bot.conversation import Conversation, ConversationOptions
from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    CancelVoice,
    EndSpeech,
    SpeakText,
    StopModel,
    WorkCommand,
)
from voicemesh_bot.conversation.events import HearingLost, Tick
from voicemesh_bot.domain import VoiceChoice
from voicemesh_bot.errors import AudienceGoneError
from voicemesh_bot.listening import Listening, ListeningOptions, Manner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import HistoryTurn
    from voicemesh_bot.feeds import Sound
    from voicemesh_bot.ports import Audience, Backends, Observer

__all__ = ("Session", "SessionOptions")

_INBOX_EVENTS = 256


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What a session needs to know."""

    tenant: str
    """Whose memory and models to use."""

    conversation: ConversationOptions = field(default_factory=ConversationOptions)
    """How the conversation behaves."""

    listening: ListeningOptions = field(default_factory=ListeningOptions)
    """How speakers are listened to."""

    voice_for: Callable[[str], VoiceChoice] = lambda _: VoiceChoice()
    """How a speaker wants to be answered, by the id of who is answered."""

    observe: Callable[[], Iterable[Observer]] = tuple
    """Makes those who learn of all that happens, for each session anew."""


class Session:
    """A conversation between an audience and the backends; `run` it as a task.

    A front posts what people do with `post`, hands their sound to `hear`, and receives what they
    shall see and hear through its `Audience`.
    """

    def __init__(
        self,
        backends: Backends,
        audience: Audience,
        options: SessionOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backends = backends
        self._audience = audience
        self._options = options
        self._observers = tuple(options.observe())
        self._clock = clock
        self._conversation = Conversation(options.conversation)
        self._inbox: asyncio.Queue[Event] = asyncio.Queue(_INBOX_EVENTS)
        self._tasks: asyncio.TaskGroup | None = None
        self._answers: dict[int, Answering] = {}
        self._ears: dict[str, tuple[Listening, asyncio.Task[None]]] = {}
        self._next_turn_ids: dict[str, int] = {}

    @property
    def history(self) -> tuple[HistoryTurn, ...]:
        """What was said and heard so far, oldest first."""
        return self._conversation.history

    async def run(self) -> None:
        """Converses until cancelled or until the audience has gone."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._converse()
        except* AudienceGoneError:
            pass  # The usual end: the tab was closed.
        finally:
            self._tasks = None

    async def post(self, event: Event) -> None:
        """Hands an event to the conversation; waits while it has too much to do."""
        await self._inbox.put(event)

    async def open_ear(
        self,
        speaker: str,
        sample_rate_hertz: int | None,
        *,
        held: bool = False,
        language_code: str = "",
    ) -> None:
        """Begins to listen to a speaker, or goes on if that is what is done already.

        Args:
            speaker: who.
            sample_rate_hertz: of the samples that will be given to `hear`; None for Opus packets.
            held: whether a talk button is held, so that `finish_turn` and not silence ends turns.
            language_code: BCP-47 code of what they speak; empty for the one that is set up.
        """
        # Turns of an ear that was closed are over: their ids are not used again.
        first_turn_id = self._next_turn_ids.pop(speaker, 1)
        manner = Manner(sample_rate_hertz, held, language_code)
        if speaker in self._ears:
            listening, task = self._ears[speaker]
            if listening.manner == manner:
                return
            first_turn_id = listening.next_turn_id
            task.cancel()
            await self.post(HearingLost(speaker))
        listening = Listening(
            speaker,
            manner,
            self._backends.stt,
            self.post,
            self._options.listening,
            first_turn_id=first_turn_id,
        )
        task = self._group().create_task(listening.run(), name="listening")
        self._ears[speaker] = (listening, task)

    def hear(self, speaker: str, audio: Sound) -> None:
        """Takes the sound of a speaker whose ear is open, of the kind given there; never waits."""
        self._ears[speaker][0].hear(audio)

    def finish_turn(self, speaker: str) -> None:
        """Ends a speaker's open turn; does nothing for one who was never heard."""
        if speaker in self._ears:
            self._ears[speaker][0].finish_turn()

    async def close_ear(self, speaker: str) -> None:
        """Stops listening to a speaker at once; their open turn is forgotten."""
        if speaker in self._ears:
            listening, task = self._ears.pop(speaker)
            task.cancel()
            self._next_turn_ids[speaker] = listening.next_turn_id
            await self.post(HearingLost(speaker))

    async def _converse(self) -> None:
        while True:
            event = await self._next_event()
            now_s = self._clock()
            commands = self._conversation.handle(event, now_s)
            for observer in self._observers:
                observer.note(event, commands, now_s)
            for command in commands:
                await self._carry_out(command)

    async def _next_event(self) -> Event:
        deadline_s = self._conversation.deadline_s
        wait_s = None if deadline_s is None else max(0.0, deadline_s - self._clock())
        try:
            async with asyncio.timeout(wait_s):
                return await self._inbox.get()
        except TimeoutError:
            return Tick()

    async def _carry_out(self, command: Command) -> None:
        if isinstance(command, WorkCommand):
            self._work(command)
        else:
            await self._audience.deliver(command)

    def _work(self, command: WorkCommand) -> None:
        if isinstance(command, BeginReply):
            answer = Answering(
                command.reply_id,
                self._backends,
                self.post,
                self._group(),
                tenant=self._options.tenant,
                voice=self._options.voice_for(command.speaker),
            )
            self._answers[command.reply_id] = answer
            answer.begin(command.history)
        elif (answering := self._answers.get(command.reply_id)) is None:
            return
        elif isinstance(command, SpeakText):
            answering.speak(command.text)
        elif isinstance(command, EndSpeech):
            answering.end_speech()
        elif isinstance(command, StopModel):
            answering.stop_model()
        elif isinstance(command, CancelVoice):
            answering.stop_voice()
        elif isinstance(command, CancelReply):
            answering.stop_model()
            answering.stop_voice()
            del self._answers[command.reply_id]

    def _group(self) -> asyncio.TaskGroup:
        if self._tasks is None:
            msg = "the session is not running"
            raise RuntimeError(msg)
        return self._tasks
