"""What the bot needs from the world, as its conversation sees it.

Implemented over gRPC in `clients/`, by fakes in tests; both pass the same contract suite. All
iterators may be closed at any time (`aclose`), which ends the work behind them; all raise
`ServiceError` of the chassis, of which `UnavailableError` means that nobody answers. Every wait
behind them has a deadline, except the wait for input that is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Sequence

    from voicemesh_bot.conversation.commands import Command, FrontCommand
    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import (
        Backend,
        FinishTurn,
        HistoryTurn,
        ListeningEvent,
        ModelEvent,
        OpusPacket,
        VoiceAudio,
    )

__all__ = (
    "Audience",
    "Backends",
    "Front",
    "LanguageModel",
    "Observer",
    "Readiness",
    "SpeechToText",
    "TextToSpeech",
    "VoiceCatalogue",
)


class SpeechToText(Protocol):
    """Hears one person at a time per call; any number of calls at once."""

    def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        """Turns of live speech; turn ids begin at 1 and rise, events of a turn come in order.

        Args:
            audio: signed 16-bit little-endian mono samples cut anywhere, or packets of one sender
                as they come: while none comes, time passes as silence, and so turns end. The end of
                it ends the open turn and then the events. Closed by the callee if it is a
                generator.
            sample_rate_hertz: of samples, 8000 to 192000; None for packets.
            held: whether a talk button is held, so that `FinishTurn` and not silence ends a turn.
            language_code: BCP-47 code of what is spoken; empty for the one that is set up.

        Raises:
            ServiceError: as the module says.
        """


class TextToSpeech(Protocol):
    """Speaks."""

    def speak(
        self,
        text: AsyncIterable[str],
        *,
        tenant: str = "",
        voice: str = "",
        language_code: str = "",
    ) -> AsyncGenerator[VoiceAudio, None]:
        """The sound of a text while it is written, clause by clause in order, without gaps.

        It is all samples or all packets, as whoever made the voice has chosen.

        Args:
            text: pieces cut anywhere. Closed by the callee if it is a generator.
            tenant: whose voices and pronunciations to use; empty for the shared ones.
            voice: id of the voice; empty for the one that is set up.
            language_code: BCP-47 code of the text's language; empty for the voice's own.

        Raises:
            ServiceError: as the module says.
        """


class VoiceCatalogue(Protocol):
    """Knows which voices there are."""

    async def voice_ids(self, *, tenant: str) -> tuple[str, ...]:
        """Ids that `TextToSpeech.speak` takes, in order.

        Args:
            tenant: whose own voices are among them.

        Raises:
            ServiceError: as the module says.
        """


class LanguageModel(Protocol):
    """Answers conversations."""

    def generate(
        self, history: Sequence[HistoryTurn], *, tenant: str
    ) -> AsyncGenerator[ModelEvent, None]:
        """One `ModelStarted`, then `ModelText`s, then one `ModelFinished`.

        Args:
            history: oldest first; the last turn is a person's and is answered.
            tenant: whose memory and models to use, 1 to 128 characters.

        Raises:
            ServiceError: as the module says.
        """


@dataclass(frozen=True)
class Backends:
    """The three services behind a conversation; shared by all sessions, owned by the program."""

    stt: SpeechToText
    """Hears."""

    tts: TextToSpeech
    """Speaks."""

    model: LanguageModel
    """Thinks."""


class Readiness(Protocol):
    """Knows whether a backend can be used."""

    async def is_ready(self, backend: Backend) -> bool:
        """Whether it says so itself, within a second or two; False if it cannot be reached."""


class Audience(Protocol):
    """Whoever sees and hears one session."""

    async def deliver(self, command: FrontCommand) -> None:
        """Carries one command out; called one at a time, in order.

        Waiting here holds the session back, so a slow audience cannot pile up work.

        Raises:
            AudienceGoneError: nobody is there any more; the session ends.
        """


class Observer(Protocol):
    """Learns of all that happens in one session, for a record or a transcript."""

    def note(self, event: Event, commands: Sequence[Command], now_s: float) -> None:
        """Called for each event, in order, before its commands are carried out.

        Never waits and never fails.

        Args:
            event: what happened.
            commands: what the conversation wants done about it.
            now_s: when, by the session's clock.
        """


class Front(Protocol):
    """A way for people to reach the bot: the console, or Discord.

    A front owns everything of its own: sockets, sessions, tasks.
    """

    async def start(self) -> None:
        """Lets people in; returns once they can come.

        Raises:
            StartupError: one sentence: what is wrong, where, how to mend it.
        """

    async def aclose(self) -> None:
        """Ends all sessions and lets nobody in any more; also after a failed `start`."""
