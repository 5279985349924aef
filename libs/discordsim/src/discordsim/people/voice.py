"""A person's voice: in a call, speaking and hearing, end-to-end encrypted as everybody else's."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from discordsim.dave.delivery import PROTOCOL_VERSION
from discordsim.dave.opcodes import DaveOpcode
from discordsim.errors import NotInVoiceError
from discordsim.people.ears import Ears, Heard, HeardFrame
from discordsim.people.encryption import MemberEncryption
from discordsim.people.microphone import Microphone, Shot, Utterance
from discordsim.people.speech import OpusSettings, Speech
from discordsim.people.waiting import Bell
from discordsim.voice.opcodes import VoiceOpcode
from discordsim.voice.rtp import Rtp

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

__all__ = ("Line", "PersonVoice")

_MOST_MESSAGES = 4096
_MOST_UNREAD = 200
_UNREAD_S = 4.0
_MARK_SIZE = 3  # a supplement's size and the two bytes that end every encrypted frame


class Line(Protocol):
    """A person's connection to a call. Lives until `leave`."""

    @property
    def ssrc(self) -> int:
        """The source of the person's audio."""
        ...

    def send(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Send a message of the voice gateway."""
        ...

    def speak(self, packet: Rtp) -> None:
        """Send audio to everybody else."""
        ...

    def leave(self) -> None:
        """Leave the call; nothing happens the second time."""
        ...


@dataclass(frozen=True, slots=True)
class _Unread:
    """A frame that could not be decrypted yet."""

    user_id: int
    packet: Rtp
    time: float


class PersonVoice:
    """The voice half of a simulated person. One call at a time; outside of calls it is mute."""

    dave_version = PROTOCOL_VERSION

    def __init__(
        self,
        user_id: int,
        *,
        name: str = "",
        record: Callable[[str], None] = lambda _: None,
        opus: OpusSettings | None = None,
        commit_delay_s: float = 0.0,
        listens_to: Container[int] | None = None,
    ) -> None:
        """Make a voice that is in no call.

        Args:
            user_id: who it is.
            name: what the transcript calls them; the id if there is none.
            record: is told what happens, in a sentence.
            opus: how they are encoded.
            commit_delay_s: how long their client takes to answer proposals. Raise it to let a bot
                win the race for who changes the group.
            listens_to: whose audio is kept; None for everybody's. With 25 people in one call, who
                all hear each other, the simulator itself becomes the load.
        """
        self.user_id = user_id
        self.name = name or str(user_id)
        self.ears = Ears()
        """What they hear."""
        self.deafened = False
        """Whether audio goes past them."""
        self.muted = False
        """Whether their microphone is off: what they say goes nowhere."""
        self.commit_delay_s = commit_delay_s
        self.unreadable = 0
        """Packets of others that could not be decrypted for good."""
        self._record = record
        self._opus = opus
        self._listens_to = listens_to
        self._microphone = Microphone(self._shoot, self._announce)
        self._bell = Bell()
        self._garbled = 0
        self._encrypting = True
        self._unread: deque[_Unread] = deque(maxlen=_MOST_UNREAD)
        self._line: Line | None = None
        self._encryption: MemberEncryption | None = None
        self._others: set[int] = set()
        self._messages: asyncio.Queue[tuple[int, bytes | Mapping[str, Any]]] = asyncio.Queue()
        self._reader: asyncio.Task[None] | None = None
        self._on_leaving: Callable[[], None] = lambda: None

    # Speaking

    async def speak(
        self, audio: Path | str | Speech, *, wait_s: float = 10.0, encrypted: bool = True
    ) -> Utterance:
        """Say something, and return when the last of the five packets of silence has left.

        Args:
            audio: a recording, or speech that is encoded already.
            wait_s: how long to wait at most until this person can be heard: alone in the call, or
                a member of the group. 0 does not wait.
            encrypted: False sends frames in the clear, as no honest client does.

        Raises:
            NotInVoiceError: the person is in no call.
            NotSeenError: the group did not come about in time.
            UnreadableAudioError: the recording is none.
        """
        if self._line is None:
            raise NotInVoiceError(f"{self.name} is in no voice channel")
        if isinstance(audio, Speech):
            speech = audio
        else:
            speech = await asyncio.to_thread(Speech.from_file, audio, self._opus)
        if wait_s:
            await self.wait_until_ready(wait_s)
        self._record(f"voice: {self.name} speaks for {speech.duration_s:.1f} s")
        self._encrypting = encrypted
        try:
            said = await self._microphone.speak(speech)
        finally:
            self._encrypting = True
        self._record(f"voice: {self.name} is silent after {len(said.sent_times)} packets")
        return said

    def hush(self) -> None:
        """Break off what is being said."""
        self._microphone.hush()

    @property
    def is_speaking(self) -> bool:
        """Whether something is being said."""
        return self._microphone.is_speaking

    async def interrupt(
        self,
        audio: Path | str | Speech,
        *,
        user_id: int | None = None,
        after_s: float = 0.0,
        timeout_s: float = 30.0,
    ) -> Utterance:
        """Say something while somebody else is speaking.

        Args:
            audio: what to say.
            user_id: whom to interrupt; None for whoever is heard first.
            after_s: how long they may speak before.
            timeout_s: how long to wait at most until they are heard.

        Raises:
            NotSeenError: nobody was heard.
            NotInVoiceError: the person is in no call.
            UnreadableAudioError: the recording is none.
        """
        if not isinstance(audio, Speech):
            audio = await asyncio.to_thread(Speech.from_file, audio, self._opus)
        sound = await self.ears.wait_for_sound(user_id, timeout_s=timeout_s)
        await asyncio.sleep(max(0.0, sound.time + after_s - asyncio.get_running_loop().time()))
        return await self.speak(audio)

    def garble(self, packets: int) -> None:
        """Damage the next packets that are sent, so that nobody can decrypt them."""
        self._garbled = packets

    # Hearing

    def heard(self, user_id: int | None = None, *, since: float = 0.0) -> Heard:
        """Return what this person has heard; see `Ears.heard`."""
        return self.ears.heard(user_id, since=since)

    async def wait_for_sound(
        self, user_id: int | None = None, *, since: float | None = None, timeout_s: float = 10.0
    ) -> HeardFrame:
        """Return the first packet with sound in it; see `Ears.wait_for_sound`."""
        return await self.ears.wait_for_sound(user_id, since=since, timeout_s=timeout_s)

    async def wait_for_quiet(
        self, user_id: int | None = None, *, for_s: float = 0.5, timeout_s: float = 30.0
    ) -> None:
        """Return once there has been no sound for a while; see `Ears.wait_for_quiet`."""
        await self.ears.wait_for_quiet(user_id, for_s=for_s, timeout_s=timeout_s)

    # Being in a call

    @property
    def in_call(self) -> bool:
        """Whether the person is in a call."""
        return self._line is not None

    @property
    def is_ready(self) -> bool:
        """Whether others can hear this person, or there are none."""
        if self._encryption is None or not self._messages.empty():
            return False
        return not self._others or self._encryption.ready

    @property
    def epoch(self) -> int:
        """The epoch of the person's group; 0 outside of one."""
        return 0 if self._encryption is None else self._encryption.epoch

    @property
    def dave_executed(self) -> int:
        """The version of DAVE that the person's client sends at present; 0 for none."""
        return 0 if self._encryption is None else self._encryption.version

    @property
    def privacy_code(self) -> str | None:
        """What two people compare to find out that nobody sits between them."""
        return None if self._encryption is None else self._encryption.privacy_code

    async def wait_until_ready(self, timeout_s: float = 10.0) -> None:
        """Return once others can hear this person.

        Raises:
            NotSeenError: they cannot in time.
        """

        def look() -> bool | None:
            return True if self.is_ready else None

        what = f"{self.name} in an encrypted group with {len(self._others)} others"
        await self._bell.wait_for(look, timeout_s, what)

    async def wait_for(
        self, look: Callable[[PersonVoice], bool], *, timeout_s: float = 10.0, what: str = "that"
    ) -> None:
        """Return once `look` is true of this person; it is asked after each message that came.

        Args:
            look: for example `lambda voice: voice.epoch == 3`.
            timeout_s: how long to wait at most.
            what: what is waited for, for the error.

        Raises:
            NotSeenError: it was not in time.
        """

        def found() -> bool | None:
            return True if look(self) else None

        await self._bell.wait_for(found, timeout_s, what)

    # What the voice server calls: `Participant`, and how a line comes and goes

    def prepare(self, channel_id: int, protocol_version: int) -> None:
        """Begin a membership; messages of the new call may come from now on."""
        self._encryption = MemberEncryption(
            self.user_id, channel_id, protocol_version, self._record
        )
        self._others.clear()
        self._unread.clear()
        self._messages = asyncio.Queue(_MOST_MESSAGES)
        self._reader = asyncio.create_task(self._read(), name=f"discordsim voice of {self.name}")

    def connect(self, line: Line, on_leaving: Callable[[], None]) -> None:
        """Take the line to the call, and whom to tell when it is put down."""
        self._line = line
        self._on_leaving = on_leaving
        if self._microphone.is_speaking:  # moved in mid-sentence
            self._announce(True)

    async def disconnect(self) -> None:
        """Leave the call, if in one; what is being said goes on unheard."""
        line, self._line = self._line, None
        if line is not None:
            line.leave()
            self._on_leaving()
        self._encryption = None
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    def tell(self, opcode: int, content: bytes | Mapping[str, Any]) -> None:
        """Take a message; it is read in turn, like one that came by a network."""
        if self._messages.full():  # their client has stood still for minutes
            self._record(f"voice: {self.name} loses a message with opcode {opcode}")
            return
        self._messages.put_nowait((opcode, content))

    def hear(self, user_id: int, packet: Rtp) -> None:
        """Take somebody's audio."""
        if self.deafened or self._encryption is None:
            return
        if self._listens_to is not None and user_id not in self._listens_to:
            return
        frame = _Unread(user_id, packet, asyncio.get_running_loop().time())
        if not self._take(frame):
            if len(self._unread) == _MOST_UNREAD:
                self.unreadable += 1
            self._unread.append(frame)

    def _take(self, frame: _Unread) -> bool:
        """Decrypts and keeps a frame; says whether that was possible."""
        if self._encryption is None:
            return False
        opus = self._encryption.open(frame.user_id, frame.packet.payload)
        if opus is None:
            return False
        self.ears.take(frame.user_id, frame.packet, opus, frame.time)
        return True

    def _try_again(self) -> None:
        """Takes frames that came before the keys for them; gives up those that are too old."""
        old = asyncio.get_running_loop().time() - _UNREAD_S
        for _ in range(len(self._unread)):
            frame = self._unread.popleft()
            if self._take(frame):
                continue
            if frame.time < old:
                self.unreadable += 1
            else:
                self._unread.append(frame)

    async def _read(self) -> None:
        """Works off messages.

        In a task of its own, because answers must not overtake what the server still has to tell
        others: they would be asked to take a commit of proposals that they have not seen.
        """
        while True:
            opcode, content = await self._messages.get()
            if isinstance(content, Mapping):
                self._note(opcode, content)
            encryption, line = self._encryption, self._line
            if encryption is None or line is None:
                continue
            for answer, body in encryption.receive(opcode, content, {*self._others, self.user_id}):
                if answer is DaveOpcode.MLS_COMMIT_WELCOME and self.commit_delay_s:
                    await asyncio.sleep(self.commit_delay_s)
                line.send(answer, body)
            self._try_again()
            self._bell.ring()

    def _note(self, opcode: int, content: Mapping[str, Any]) -> None:
        """Keeps track of who is in the call."""
        if opcode == VoiceOpcode.CLIENTS_CONNECT:
            self._others.update(int(each) for each in content["user_ids"])
        elif opcode == VoiceOpcode.CLIENT_DISCONNECT:
            self._others.discard(int(content["user_id"]))

    def _announce(self, speaking: bool) -> None:
        if self._line is not None and not self.muted:
            self._line.send(VoiceOpcode.SPEAKING, {"speaking": int(speaking)})

    def _shoot(self, shot: Shot) -> bool:
        line, encryption = self._line, self._encryption
        if line is None or encryption is None or self.muted:
            return False
        payload = encryption.seal(shot.opus) if self._encrypting else shot.opus
        if payload is None:
            return False
        if self._garbled and len(payload) > 2 * _MARK_SIZE:
            self._garbled -= 1
            payload = bytes(byte ^ 0x5A for byte in payload[:-_MARK_SIZE]) + payload[-_MARK_SIZE:]
        line.speak(Rtp(line.ssrc, shot.sequence, shot.timestamp, payload, marker=shot.marker))
        return True
