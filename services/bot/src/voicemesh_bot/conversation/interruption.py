"""What people's voices do to an answer, before anybody knows what they say.

    held back ──nobody whom it answers may still speak──▶ in the air ◀──false alarm──┐
                                                             │ a voice               │
                                                             ▼                       │
                                                           softer ──it goes on──▶ paused ─▶ given up

An answer whose sound has not begun is held back while a person whom it answers speaks. Once it is
in the air, anybody's voice makes it softer, and it pauses for who is being answered, or for a
name or a stop word. It goes on when the words were not meant for it; words that were end it, which
is not decided here.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.commands import DuckAudio

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.conversation.commands import Command
    from voicemesh_bot.conversation.hearing import Hearing
    from voicemesh_bot.conversation.options import ConversationOptions
    from voicemesh_bot.conversation.reply import Reply

__all__ = ("Interruption",)

_NEVER = float("inf")


class _Trust(Enum):
    """How far a person's voice is taken for a wish to speak."""

    CALLED = "called"
    """They said a name or a stop word: the answer waits for them."""
    ECHOES = "echoes"
    """Their microphone hears the bot: only their words count."""


class Interruption:
    """Softens, pauses and resumes the answer in the air; hands its commands to `emit`."""

    def __init__(
        self,
        options: ConversationOptions,
        hearing: Hearing,
        emit: Callable[[Command], None],
    ) -> None:
        self.options = options
        self._hearing = hearing
        self._emit = emit
        self._reply_id = 0
        self._trust: dict[str, _Trust] = {}
        self._paused_at_s = 0.0
        self._ducked = False

    def call(self, speaker: str, reply: Reply | None, now_s: float) -> None:
        """Pauses at once or does not begin, because somebody said a name or a stop word."""
        if reply is None:
            return
        self._turn_to(reply)
        self._trust[speaker] = _Trust.CALLED
        if reply.is_interruptible and not reply.playback.is_paused:
            self._pause(reply, now_s)

    def note_echo(self, speaker: str, reply: Reply | None) -> None:
        """Learns that a person's microphone hears the bot, for as long as this answer lasts."""
        if reply is not None:
            self._turn_to(reply)
            self._trust[speaker] = _Trust.ECHOES

    def check(self, reply: Reply | None, now_s: float) -> bool:
        """Does what is due.

        Returns:
            Whether the answer is to be given up, because a person speaks for too long.
        """
        if reply is not None:
            self._turn_to(reply)
            if now_s >= self._limit_due_s(reply):
                return True
            self._hold(reply, now_s)
            if reply.is_interruptible:
                self._pause_or_resume(reply, now_s)
        self._duck(reply, now_s)
        return False

    def deadline_s(self, reply: Reply | None) -> float | None:
        """When `check` has something to do if nothing else happens."""
        if reply is None or self._reply_id != reply.reply_id:
            return None
        due_s = [self._limit_due_s(reply)]
        if reply.is_interruptible:
            due_s.append(_NEVER if self._ducked else self._duck_due_s())
            is_paused = reply.playback.is_paused
            due_s.append(self._resume_due_s(reply) if is_paused else self._pause_due_s(reply))
        earliest_s = min(due_s)
        return None if earliest_s == _NEVER else earliest_s

    def _turn_to(self, reply: Reply) -> None:
        if reply.reply_id != self._reply_id:
            self._reply_id = reply.reply_id
            self._trust.clear()

    def _hold(self, reply: Reply, now_s: float) -> None:
        waits_for = reply.speakers | self._of(_Trust.CALLED)
        if any(self._hearing.is_open(speaker) for speaker in waits_for):
            reply.hold(now_s)
        else:
            reply.release(now_s)

    def _pause_or_resume(self, reply: Reply, now_s: float) -> None:
        if not reply.playback.is_paused:
            if now_s >= self._pause_due_s(reply):
                self._pause(reply, now_s)
        elif now_s >= self._resume_due_s(reply):
            reply.resume(now_s)
            for speaker in self._of(_Trust.CALLED):
                del self._trust[speaker]

    def _pause(self, reply: Reply, now_s: float) -> None:
        self._paused_at_s = now_s
        reply.pause(now_s)

    def _duck(self, reply: Reply | None, now_s: float) -> None:
        in_the_air = reply is not None and reply.is_interruptible
        wanted = in_the_air and now_s >= self._duck_due_s()
        if wanted is not self._ducked:
            self._ducked = wanted
            self._emit(DuckAudio(wanted))

    def _duck_due_s(self) -> float:
        since_s = self._hearing.talking_since_s(besides=self._of(_Trust.ECHOES))
        return self._due_s(since_s, self.options.duck_s)

    def _pause_due_s(self, reply: Reply) -> float:
        trusted = reply.speakers - self._of(_Trust.ECHOES)
        since_s = self._hearing.talks_since_s(trusted)
        return self._due_s(since_s, self.options.pause_s)

    def _due_s(self, since_s: float | None, speech_s: float) -> float:
        if since_s is None:
            return _NEVER
        return since_s + max(0.0, speech_s - self.options.noticed_s)

    def _resume_due_s(self, reply: Reply) -> float:
        waits_for = (reply.speakers - self._of(_Trust.ECHOES)) | self._of(_Trust.CALLED)
        if self._hearing.talks_since_s(waits_for) is not None:
            return _NEVER
        due_s = 0.0
        for speaker in waits_for:
            # Until the words are known, more patience; they may be for the bot.
            is_open = self._hearing.is_open(speaker)
            pause_s = self.options.resume_cap_s if is_open else self.options.resume_s
            due_s = max(due_s, self._hearing.quiet_since_s(speaker) + pause_s)
        return due_s

    def _limit_due_s(self, reply: Reply) -> float:
        if reply.held_since_s is not None:
            return reply.held_since_s + self.options.floor_limit_s
        if reply.playback.is_paused:
            return self._paused_at_s + self.options.floor_limit_s
        return _NEVER

    def _of(self, trust: _Trust) -> frozenset[str]:
        return frozenset(speaker for speaker, each in self._trust.items() if each is trust)
