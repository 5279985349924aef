"""A whole room in virtual time: people who speak, a model, a voice and a player that really plays.

Nothing waits: time is a heap of what will happen. The player knows to 20 ms what was heard, and
fails the test at once where two answers would sound at the same time.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from voicemesh_bot.conversation import Conversation, ConversationOptions
from voicemesh_bot.conversation.commands import (
    BeginReply,
    CancelReply,
    CancelVoice,
    DuckAudio,
    EndAudio,
    EndSpeech,
    PauseAudio,
    PlayAudio,
    ResumeAudio,
    SpeakText,
    StopAudio,
    StopModel,
)
from voicemesh_bot.conversation.events import (
    Arrived,
    Heard,
    Played,
    ReplyProgress,
    Tick,
    VoiceFinished,
    VoiceProgress,
)
from voicemesh_bot.domain import (
    Final,
    ListeningEvent,
    ModelFinished,
    ModelText,
    Partial,
    SoftFinal,
    SpeechStarted,
    VoiceAudio,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.events import Event

FRAME_S = 0.02
REPORT_S = 0.1
CHARACTERS_PER_S = 15.0


@dataclass
class Sound:
    """The sound of one answer at the player."""

    left: list[float] = field(default_factory=list)
    heard_s: float = 0.0
    reported_s: float = 0.0
    ended: bool = False
    stopped: bool = False
    paused: bool = False

    @property
    def is_over(self) -> bool:
        return self.stopped or (self.ended and not self.left)


class Player:
    """Plays what it is told, frame by frame; refuses what no room should hear."""

    def __init__(self, report: Callable[[int, float], None]) -> None:
        self.sounds: dict[int, Sound] = {}
        self.ducked = False
        self._report = report

    @property
    def is_playing(self) -> bool:
        return any(s.left and not (s.stopped or s.paused) for s in self.sounds.values())

    def obey(self, command: Command) -> None:
        if isinstance(command, DuckAudio):
            assert command.ducked is not self.ducked, "ducked twice"
            self.ducked = command.ducked
        elif isinstance(command, PlayAudio):
            others = [s for id_, s in self.sounds.items() if id_ != command.reply_id]
            assert all(s.is_over for s in others), "two answers would sound at once"
            sound = self.sounds.setdefault(command.reply_id, Sound())
            assert not sound.stopped, "sound of an answer that was stopped"
            sound.left.append(command.audio.duration_s)
        elif isinstance(command, EndAudio):
            self.sounds.setdefault(command.reply_id, Sound()).ended = True
        elif isinstance(command, PauseAudio):
            assert not self.sounds[command.reply_id].paused, "paused twice"
            assert self.sounds[command.reply_id].heard_s > 0, "paused before it began"
            self.sounds[command.reply_id].paused = True
        elif isinstance(command, ResumeAudio):
            assert self.sounds[command.reply_id].paused, "resumed without a pause"
            self.sounds[command.reply_id].paused = False
        elif isinstance(command, StopAudio):
            sound = self.sounds[command.reply_id]
            sound.stopped, sound.left = True, []
            self._report(command.reply_id, sound.heard_s)

    def frame(self) -> None:
        for reply_id, sound in self.sounds.items():
            if sound.stopped or sound.paused or not sound.left:
                continue
            played_s = min(FRAME_S, sound.left[0])
            sound.left[0] -= played_s
            if sound.left[0] < 1e-9:
                sound.left.pop(0)
            is_first = not sound.heard_s
            sound.heard_s += played_s
            if is_first or not sound.left or sound.heard_s - sound.reported_s >= REPORT_S:
                sound.reported_s = sound.heard_s
                self._report(reply_id, sound.heard_s)


class World:
    """A conversation with everything around it."""

    def __init__(
        self,
        *,
        answer: str = "One two three four. Five six seven eight, nine and ten.",
        model_s: float = 0.15,
        voice_s: float = 0.1,
        **options: Any,
    ) -> None:
        self.conversation = Conversation(ConversationOptions(**options))
        self.player = Player(self._report)
        self.now_s = 0.0
        self.log: list[tuple[float, Command]] = []
        self.answer = answer
        self.texts: dict[int, str] = {}
        self.turns: dict[str, int] = {}
        self.voiced: set[int] = set()
        self.unvoiced: set[int] = set()
        self._model_s, self._voice_s = model_s, voice_s
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._working: set[int] = set()
        self._voicing: dict[int, str] = {}
        self._spoken: dict[int, int] = {}
        self._frame_due = False

    # What people do

    def arrive(self, speaker: str, **about: Any) -> None:
        self.do(Arrived(speaker, speaker.title(), **about))

    def speak(
        self,
        speaker: str,
        text: str,
        *,
        ms: float | None = None,
        soft: str | None = None,
        partials: Mapping[float, str] | None = None,
    ) -> int:
        """A turn that begins now, as stt would tell of it; returns its id.

        Args:
            speaker: who.
            text: what the final says.
            ms: length of the speech; 300 ms a word unless it is given.
            soft: what the soft final says, if it is not the same.
            partials: stable words by milliseconds after the beginning.
        """
        turn = self.turns[speaker] = self.turns.get(speaker, 0) + 1
        length_s = (ms if ms is not None else 300 * max(1, len(text.split()))) / 1000
        self.hear_in(min(length_s, 0.2), speaker, SpeechStarted(turn))
        for at_ms, words in (partials or {}).items():
            self.hear_in(at_ms / 1000, speaker, Partial(turn, 0, words, ""))
        guess = text if soft is None else soft
        self.hear_in(length_s + 0.15, speaker, SoftFinal(turn, 1, guess))
        self.hear_in(length_s + 0.45, speaker, Final(turn, 1, text, 0.45))
        return turn

    def hear_in(self, seconds: float, speaker: str, event: ListeningEvent) -> None:
        self.after(seconds, lambda: self.do(Heard(speaker, event)))

    # Time

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._due, (self.now_s + seconds, next(self._order), action))

    def run(self, seconds: float) -> None:
        """Lets time pass, with a tick wherever the conversation asks for one."""
        end_s = self.now_s + seconds
        while True:
            due_s = self.conversation.deadline_s
            next_s = self._due[0][0] if self._due else None
            if due_s is not None and (next_s is None or due_s < next_s):
                if due_s > end_s:
                    break
                self.now_s = max(self.now_s, due_s)
                self.do(Tick())
            elif next_s is not None and next_s <= end_s:
                self.now_s = max(self.now_s, next_s)
                heapq.heappop(self._due)[2]()
            else:
                break
        self.now_s = end_s

    def settle(self, most_s: float = 600.0) -> None:
        """Until nothing more happens by itself."""
        end_s = self.now_s + most_s
        while self._due or self.conversation.deadline_s is not None:
            assert self.now_s < end_s, "the conversation never comes to rest"
            self.run(1.0)

    def do(self, event: Event) -> list[Command]:
        commands = self.conversation.handle(event, self.now_s)
        for command in commands:
            self.log.append((self.now_s, command))
            self._carry_out(command)
        return commands

    # The backends

    def _carry_out(self, command: Command) -> None:
        if isinstance(command, BeginReply):
            self._working.add(command.reply_id)
            self.texts[command.reply_id] = self.answer
            self._later(self._model_s, command.reply_id, self._write)
        elif isinstance(command, CancelReply | CancelVoice):
            self._voicing.pop(command.reply_id, None)
            if isinstance(command, CancelVoice):
                self.unvoiced.add(command.reply_id)
            if isinstance(command, CancelReply):
                self._working.discard(command.reply_id)
        elif isinstance(command, StopModel):
            self._working.discard(command.reply_id)
        elif isinstance(command, SpeakText):
            text = self._voicing.get(command.reply_id, "")
            self.voiced.add(command.reply_id)
            self._voicing[command.reply_id] = text + command.text
        elif isinstance(command, EndSpeech):
            self._later(self._voice_s, command.reply_id, self._voice)
        else:
            self.player.obey(command)
            self._keep_playing()

    def _later(self, seconds: float, reply_id: int, action: Callable[[int], None]) -> None:
        self.after(seconds, lambda: action(reply_id))

    def _write(self, reply_id: int) -> None:
        if reply_id in self._working:
            self.do(ReplyProgress(reply_id, ModelText(self.texts[reply_id])))
        if reply_id in self._working:
            self.do(ReplyProgress(reply_id, ModelFinished()))

    def _voice(self, reply_id: int) -> None:
        """One clause, and the next a little later."""
        if reply_id not in self._voicing:
            return
        text, start = self._voicing[reply_id], self._spoken.get(reply_id, 0)
        end = min((text.find(mark, start) + 1 or len(text) for mark in ".,"), default=len(text))
        if start >= len(text):
            self.do(VoiceFinished(reply_id))
            return
        self._spoken[reply_id] = end
        seconds = (end - start) / CHARACTERS_PER_S
        self.do(VoiceProgress(reply_id, VoiceAudio(b"", 24_000, seconds, (start, end), True)))
        self._later(self._voice_s, reply_id, self._voice)

    def _keep_playing(self) -> None:
        if not self._frame_due and self.player.is_playing:
            self._frame_due = True
            self.after(FRAME_S, self._frame)

    def _frame(self) -> None:
        self._frame_due = False
        self.player.frame()
        self._keep_playing()

    def _report(self, reply_id: int, seconds: float) -> None:
        self.after(0.0, lambda: self.do(Played(reply_id, seconds)))


@pytest.fixture
def make_world() -> type[World]:
    return World
