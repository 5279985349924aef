"""The end-to-end encryption of frames, and the frames that wait until it can be undone.

Somebody who joins may speak before this client is in the same group, and before it was told whose
audio it is. Their frames wait, and are then opened in the order in which they came: keys count
frames, and one that has opened a frame refuses all that came before the first that it opened.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_bot.voice.receive.packets import Outcome
from voicemesh_bot.voice.receive.ports import FrameRefusal, FrameRefusedError
from voicemesh_bot.voice.receive.rtp import MARK_OF_ENCRYPTION, SILENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_bot.voice.receive.counters import ReceiveCounters
    from voicemesh_bot.voice.receive.ports import Call, GroupEncryption
    from voicemesh_bot.voice.receive.recovery import DecryptionWatch

__all__ = ("FrameKeys", "OpenFrame", "SealedFrame", "SourceFrames")

_OUTCOME_OF = {
    FrameRefusal.NOT_READY: Outcome.NOT_READY,
    FrameRefusal.NO_DECRYPTOR: Outcome.NO_DECRYPTOR,
    FrameRefusal.UNENCRYPTED: Outcome.UNENCRYPTED,
    FrameRefusal.UNDECRYPTABLE: Outcome.UNDECRYPTABLE,
}
"""How a frame that is refused for good is counted."""


@dataclass(frozen=True, slots=True)
class SealedFrame:
    """A frame as it left the transport encryption."""

    sequence: int
    """RTP sequence number."""
    timestamp: int
    """RTP timestamp."""
    payload: bytes
    """Encrypted end to end as a rule; empty where a packet was nothing but padding."""
    came_s: float
    """When it came."""
    waits_for: Outcome = Outcome.UNKNOWN_SOURCE
    """How it will be counted if it waits in vain."""


@dataclass(frozen=True, slots=True)
class OpenFrame:
    """A frame that could be opened."""

    frame: SealedFrame
    """As it came."""
    opus: bytes
    """What is in it; empty for a frame of nothing but padding."""

    @property
    def is_sound(self) -> bool:
        """Whether it had to be decrypted to be had, and so says that the keys fit."""
        return bool(self.opus) and self.opus != SILENCE


class FrameKeys:
    """How frames of a call are opened at present."""

    def __init__(self, call: Call) -> None:
        """Use the group of `call`."""
        self._call = call
        self.version = 0
        """Version of DAVE by which people send; 0 if they do not encrypt."""

    @property
    def encryption(self) -> GroupEncryption | None:
        """The group, if there is one with keys."""
        encryption = self._call.encryption
        return encryption if encryption is not None and encryption.ready else None

    @property
    def state(self) -> object:
        """Something else as soon as frames that were refused might be opened."""
        encryption = self.encryption
        return self.version, None if encryption is None else encryption.epoch

    def open(self, user_id: int, payload: bytes) -> bytes:
        """The Opus packet in a frame.

        Args:
            user_id: the sender.
            payload: the frame, without padding.

        Raises:
            FrameRefusedError: it cannot be had now. Ciphertext is never given out as Opus.
        """
        if not payload or payload == SILENCE:
            return payload
        # Senders change over one by one: who still encrypts after a downgrade can be understood.
        if self.version == 0 and not payload.endswith(MARK_OF_ENCRYPTION):
            return payload
        if (encryption := self.encryption) is None:
            raise FrameRefusedError(FrameRefusal.NOT_READY)
        return encryption.decrypt(user_id, payload)


class SourceFrames:
    """Opens the frames of one source, now or later."""

    def __init__(
        self,
        keys: FrameKeys,
        watch: DecryptionWatch,
        counters: ReceiveCounters,
        *,
        most: int,
        longest_s: float,
    ) -> None:
        """Begin with none.

        Args:
            keys: what opens them.
            watch: is told of failures and successes.
            counters: where those that wait in vain are counted.
            most: frames that may wait; the oldest goes first.
            longest_s: how long they may wait.
        """
        self._keys = keys
        self._watch = watch
        self._counters = counters
        self._most = most
        self._longest_s = longest_s
        self._waiting: deque[SealedFrame] = deque()
        self._refused_in: object = None  # the keys' state when those that wait were tried

    @property
    def are_waiting(self) -> bool:
        """Whether any waits."""
        return bool(self._waiting)

    def hold(self, frame: SealedFrame, user_id: int | None = None) -> None:
        """Keeps a frame for later."""
        self._waiting.append(frame)
        if len(self._waiting) > self._most:
            self._counters.add(self._waiting.popleft().waits_for, user_id)

    def open(self, user_id: int, frame: SealedFrame, now_s: float) -> list[OpenFrame]:
        """What can be passed on now that a frame of a known user has come."""
        if self._waiting and self._refused_in != self._keys.state:
            self.hold(frame, user_id)
            return self.retry(user_id, now_s)
        try:
            opened = OpenFrame(frame, self._keys.open(user_id, frame.payload))
        except FrameRefusedError as error:
            self._watch.failed(user_id, error.refusal, now_s)
            if error.refusal is FrameRefusal.UNENCRYPTED:
                self._counters.add(Outcome.UNENCRYPTED, user_id)
            else:
                self._refused_in = self._keys.state
                self.hold(replace(frame, waits_for=_OUTCOME_OF[error.refusal]), user_id)
            return []
        if opened.is_sound:
            self._watch.opened(user_id)
            self.drop(user_id)  # Its keys are there, and do not fit those that wait.
        elif self._waiting:
            # It says nothing about the keys, and has its place behind those that wait.
            self.hold(replace(frame, waits_for=self._waiting[-1].waits_for), user_id)
            return []
        return [opened]

    def retry(self, user_id: int, now_s: float) -> list[OpenFrame]:
        """Those of the waiting that can be opened now, in order; none before the keys change."""
        self.expire(user_id, now_s)
        state = self._keys.state
        if not self._waiting or self._refused_in == state:
            return []
        self._refused_in = state
        tried = [self._try(user_id, frame) for frame in self._waiting]
        sound = [i for i, each in enumerate(tried) if isinstance(each, OpenFrame) and each.is_sound]
        # A frame that can be opened ends the wait of those before it.
        end = sound[-1] + 1 if sound else 0
        while end < len(tried) and isinstance(tried[end], OpenFrame):
            end += 1
        if sound:
            self._watch.opened(user_id)
        self._waiting = deque(_sealed(each) for each in tried[end:])
        opened: list[OpenFrame] = []
        for each in tried[:end]:
            if isinstance(each, OpenFrame):
                opened.append(each)
            else:
                self._counters.add(each.waits_for, user_id)
        return opened

    def find_sender(self, candidates: Iterable[int]) -> tuple[int, OpenFrame] | None:
        """Whose key opens a frame that waits, and what is in it.

        Only one member's can, so that this proves what opcode 5 would only say. The oldest frame is
        tried, and the newest, in case the oldest is from before this client's time.
        """
        encryption = self._keys.encryption
        marked = [each for each in self._waiting if each.payload.endswith(MARK_OF_ENCRYPTION)]
        if encryption is None or not marked:
            return None
        for frame in dict.fromkeys((marked[0], marked[-1])):
            for user_id in candidates:
                try:
                    opened = OpenFrame(frame, encryption.decrypt(user_id, frame.payload))
                except FrameRefusedError:
                    continue
                if opened.opus != frame.payload:
                    self._waiting.remove(frame)
                    return user_id, opened
        return None

    def expire(self, user_id: int | None, now_s: float) -> None:
        """Gives up what has waited for too long."""
        while self._waiting and self._waiting[0].came_s <= now_s - self._longest_s:
            self._counters.add(self._waiting.popleft().waits_for, user_id)

    def drop(self, user_id: int | None = None, outcome: Outcome | None = None) -> None:
        """Gives up all that waits, and counts it as `outcome` or as what it waited for."""
        for frame in self._waiting:
            self._counters.add(outcome or frame.waits_for, user_id)
        self._waiting.clear()

    def _try(self, user_id: int, frame: SealedFrame) -> OpenFrame | SealedFrame:
        try:
            return OpenFrame(frame, self._keys.open(user_id, frame.payload))
        except FrameRefusedError as error:
            return replace(frame, waits_for=_OUTCOME_OF[error.refusal])


def _sealed(frame: OpenFrame | SealedFrame) -> SealedFrame:
    return frame.frame if isinstance(frame, OpenFrame) else frame
