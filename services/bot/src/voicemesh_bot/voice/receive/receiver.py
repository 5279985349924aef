"""From datagrams to packets of speech, in the one order that works under DAVE.

    datagram ─▶ audio? ─▶ transport ─▶ extension, padding ─▶ whose? wanted? new?
             ─▶ end to end ─▶ order ─▶ packets for the event loop

All of it runs on the event loop, and takes some microseconds for each packet.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from voicemesh_bot.voice.receive.counters import ReceiveCounters
from voicemesh_bot.voice.receive.packets import Outcome, VoicePacket
from voicemesh_bot.voice.receive.recovery import DecryptionWatch, RecoveryOptions, RecoveryStep
from voicemesh_bot.voice.receive.reorder import ReorderBuffer, SeenSequences
from voicemesh_bot.voice.receive.rtp import SILENCE, read_header, unwrap
from voicemesh_bot.voice.receive.session import CallMessages
from voicemesh_bot.voice.receive.transport import ForgedPacketError, open_packet
from voicemesh_bot.voice.receive.unlocking import (
    FrameKeys,
    OpenFrame,
    SealedFrame,
    SourceFrames,
)
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from voicemesh_bot.voice.receive.ports import Call

__all__ = ("ReceiveOptions", "Received", "VoiceReceiver")

_MOST_SOURCES = 1000
_MOST_UNTAKEN = 5000
_RETRY_S = 0.1
"""Time between two looks at frames that wait, where nothing else calls for one."""
_GUESS_EVERY = 10
"""Frames of a source that nobody has named between two looks at whose key fits."""

_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ReceiveOptions:
    """How patient the receiver is."""

    reorder_s: float = 0.06
    """How long a packet that was overtaken is waited for."""

    waiting_frames: int = 100
    """Frames of one source kept while they cannot be opened: two seconds."""

    waiting_s: float = 5.0
    """Age at which those are worth nothing any more."""

    recovery: RecoveryOptions = field(default_factory=RecoveryOptions)
    """When frames that cannot be decrypted are taken for more than a passing trouble."""


@dataclass(frozen=True, slots=True)
class Received:
    """What `VoiceReceiver.take` gives."""

    packets: tuple[VoicePacket, ...]
    """Those of each person in order; those of different people as they came."""
    step: RecoveryStep = RecoveryStep.NONE
    """What should be done about the connection."""


@dataclass(slots=True)
class _Source:
    """What is kept of one source."""

    frames: SourceFrames
    order: ReorderBuffer
    seen: SeenSequences = field(default_factory=SeenSequences)
    unnamed: int = 0


class VoiceReceiver:
    """Receives for one voice connection; a new connection has a new one, with the same counters."""

    def __init__(
        self,
        call: Call,
        *,
        wanted: Callable[[int], bool],
        options: ReceiveOptions | None = None,
        counters: ReceiveCounters | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Receive what comes in `call`.

        Args:
            call: the connection.
            wanted: whether somebody, by user id, is listened to; nobody else's frames are decrypted
                end to end. Called often; must be quick.
            options: patience.
            counters: where outcomes are counted.
            clock: seconds that never go back.
        """
        self._call = call
        self._wanted = wanted
        self._options = options or ReceiveOptions()
        self._clock = clock
        self._messages = CallMessages()
        self._keys = FrameKeys(call)
        self._watch = DecryptionWatch(self._options.recovery)
        self._sources: dict[int, _Source] = {}
        self._untaken: deque[VoicePacket] = deque()
        self._unsettled: set[int] = set()  # sources of which something waits
        self.counters = counters or ReceiveCounters()
        """What became of every datagram."""

    # Packets

    def receive(self, datagram: bytes) -> None:
        """Takes what came on the socket; never raises. Call `take` after one or more."""
        try:
            self._receive(datagram, self._clock())
        except Exception as error:  # One packet's fault must not cost the next.
            if not self.counters.totals.get(Outcome.FAULT):
                _logger.error("a voice packet could not be received", exc_info=error)
            self.counters.add(Outcome.FAULT)

    def _receive(self, datagram: bytes, now_s: float) -> None:
        header = read_header(datagram)
        if header is None:
            self.counters.add(Outcome.NOT_AUDIO)
            return
        mode, key = self._call.mode, self._call.secret_key
        if mode is None or key is None:
            self.counters.add(Outcome.NO_KEY)
            return
        user_id = self._messages.speakers.user_of(header.ssrc)
        try:
            payload = unwrap(header, open_packet(mode, key, header, datagram))
        except ForgedPacketError:
            self.counters.add(Outcome.FORGED, user_id)
            return
        except ValueError:
            self.counters.add(Outcome.MALFORMED, user_id)
            return
        source = self._source(header.ssrc)
        if not source.seen.is_new(header.sequence):
            self.counters.add(Outcome.DUPLICATE, user_id)
            return
        frame = SealedFrame(header.sequence, header.timestamp, payload, now_s)
        if user_id is None:
            source.frames.hold(frame)
            self._find_sender(header.ssrc, source, now_s)
        elif self._wanted(user_id):
            for each in source.frames.open(user_id, frame, now_s):
                self._deliver(source, user_id, each, now_s)
        else:
            source.frames.drop(user_id, Outcome.UNWANTED)
            self.counters.add(Outcome.UNWANTED, user_id)
        if source.frames.are_waiting or source.order.due_s is not None:
            self._unsettled.add(header.ssrc)

    def _source(self, ssrc: int) -> _Source:
        source = self._sources.get(ssrc)
        if source is None:
            if len(self._sources) >= _MOST_SOURCES:
                self._drop_source(next(iter(self._sources)))
            frames = SourceFrames(
                self._keys,
                self._watch,
                self.counters,
                most=self._options.waiting_frames,
                longest_s=self._options.waiting_s,
            )
            source = self._sources[ssrc] = _Source(frames, ReorderBuffer(self._options.reorder_s))
        return source

    def _find_sender(self, ssrc: int, source: _Source, now_s: float) -> None:
        """Looks now and then whose the frames are that nobody has named."""
        source.unnamed += 1
        if source.unnamed % _GUESS_EVERY or (encryption := self._keys.encryption) is None:
            return
        speakers = self._messages.speakers
        candidates = filter(self._wanted, speakers.without_source(encryption.member_ids()))
        found = source.frames.find_sender(tuple(candidates))
        if found is not None:
            user_id, opened = found
            speakers.bind(ssrc, user_id)
            for each in (opened, *source.frames.retry(user_id, now_s)):
                self._deliver(source, user_id, each, now_s)

    def _deliver(self, source: _Source, user_id: int, opened: OpenFrame, now_s: float) -> None:
        frame, opus = opened.frame, opened.opus
        if not opus:
            self.counters.add(Outcome.EMPTY, user_id)
        packet = VoicePacket(user_id, opus, frame.sequence, frame.timestamp)
        ready = source.order.push(packet, now_s)
        self.counters.add(Outcome.LATE, user_id, ready.late if opus else 0)
        self.counters.add(Outcome.REORDERED, user_id, ready.mended)
        self._pass_on(ready.packets)

    def _pass_on(self, packets: tuple[VoicePacket, ...]) -> None:
        for packet in packets:
            outcome = Outcome.SILENCE if packet.opus == SILENCE else Outcome.HEARD
            self.counters.add(outcome, packet.user_id)
            self.counters.add(Outcome.LOST, packet.user_id, packet.lost_before)
            self._untaken.append(packet)
        while len(self._untaken) > _MOST_UNTAKEN:
            self.counters.add(Outcome.OVERFLOW, self._untaken.popleft().user_id)

    # The call

    def message(self, opcode: int, data: object) -> None:
        """Takes a JSON message of the voice gateway, after the library has dealt with it.

        Args:
            opcode: of the message; unknown ones are left alone.
            data: its content.
        """
        try:
            change = self._messages.take(opcode, data)
        except ValueError:
            self.counters.add(Outcome.BAD_MESSAGE)
            return
        if change.begins_anew:
            for ssrc in tuple(self._sources):
                self._drop_source(ssrc)
            self._watch = DecryptionWatch(self._options.recovery)
        for ssrc in change.stale_sources:
            self._drop_source(ssrc)
        for user_id in change.gone:
            self._watch.forget(user_id)
        if change.group_changed:
            self._watch.group_changed()
        self._keys.version = self._messages.encryption_version

    def take(self) -> Received:
        """What can be passed on, and what should be done; never waits.

        Call it after `receive` and `message`, and when `due_s` has come.
        """
        now_s = self._clock()
        self._settle(now_s)
        packets = tuple(self._untaken)
        self._untaken.clear()
        step = RecoveryStep.NONE
        if self._watch.is_alarmed(now_s):
            step = self._watch.step(
                now_s,
                transition_pending=self._call.transition_pending,
                can_reinitialise=self._messages.last_transition_id is not None,
            )
        return Received(packets, step)

    @property
    def due_s(self) -> float | None:
        """When `take` has something to do that no packet will announce; None for never."""
        due: list[float] = []
        for source in map(self._sources.__getitem__, self._unsettled):
            if (order_s := source.order.due_s) is not None:
                due.append(order_s)
            if source.frames.are_waiting:
                due.append(self._clock() + _RETRY_S)
        return min(due, default=None)

    @property
    def present(self) -> Collection[int]:
        """Users of whom the voice gateway has said that they are in the call."""
        return self._messages.present

    @property
    def last_transition_id(self) -> int | None:
        """The latest change of the group that was announced; None before the first."""
        return self._messages.last_transition_id

    def _settle(self, now_s: float) -> None:
        """Looks at all that waits: whether it can be opened now, or has waited long enough."""
        for ssrc in tuple(self._unsettled):
            source, user_id = self._sources[ssrc], self._messages.speakers.user_of(ssrc)
            if user_id is None:
                source.frames.expire(None, now_s)
            elif not self._wanted(user_id):
                source.frames.drop(user_id, Outcome.UNWANTED)
            else:
                for each in source.frames.retry(user_id, now_s):
                    self._deliver(source, user_id, each, now_s)
            self._pass_on(source.order.expire(now_s))
            if not source.frames.are_waiting and source.order.due_s is None:
                self._unsettled.discard(ssrc)

    def _drop_source(self, ssrc: int) -> None:
        """Forgets a source; what was only held for its order is passed on."""
        self._unsettled.discard(ssrc)
        source = self._sources.pop(ssrc, None)
        if source is None:
            return
        self._pass_on(source.order.flush())
        source.frames.drop()
