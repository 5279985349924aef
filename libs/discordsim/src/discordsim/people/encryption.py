"""A person's end-to-end encryption: what Discord's own client does with opcodes 21 to 30.

Knows no sockets and no clock: messages in, answers out. The cryptography is davey's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import davey

from discordsim.dave.opcodes import DaveOpcode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ("SILENCE", "Answer", "MemberEncryption")

SILENCE = b"\xf8\xff\xfe"
"""Twenty milliseconds of silence in Opus; five of them end speech. They are never encrypted."""

Answer = tuple[DaveOpcode, bytes | Mapping[str, Any]]
"""Something to send back to the voice gateway."""

_MARK = b"\xfa\xfa"
"""The end of every encrypted frame."""


class MemberEncryption:
    """One person's membership in one call.

    davey switches both directions to new keys once it has processed a commit. Discord's own
    client sends with the old keys until all are ready (opcode 22), and understands both meanwhile.
    So a commit is kept until then, and frames that cannot be read yet are the caller's to try
    again.
    """

    def __init__(
        self, user_id: int, channel_id: int, protocol_version: int, record: Callable[[str], None]
    ) -> None:
        """Begin outside of any group.

        Args:
            user_id: who it is.
            channel_id: the channel, which names the group.
            protocol_version: what the call speaks now; 0 for no encryption.
            record: is told what goes wrong, in a sentence.
        """
        self.version = protocol_version
        """What this person sends; changed by executed transitions only."""
        self._user_id = user_id
        self._channel_id = channel_id
        self._record = record
        self._session = davey.DaveSession(davey.DAVE_PROTOCOL_VERSION, user_id, channel_id)
        self._knows_sender = False
        self._wants_in = bool(protocol_version)  # whether a key package is due
        self._prepared: dict[int, int] = {}  # version by transition
        self._commit: tuple[int, bytes] | None = None  # the transition it belongs to, and itself
        self._welcomed: int | None = None  # the transition after which this person may speak
        self.plain_allowed = not protocol_version
        """Whether frames without encryption are taken from others."""

    @property
    def ready(self) -> bool:
        """Whether frames can be sent: encrypted, or in the clear because the call is so."""
        return not self.version or (self._session.ready and self._welcomed is None)

    @property
    def epoch(self) -> int:
        """The epoch of the group; 0 outside of one."""
        return int(self._session.epoch or 0)

    @property
    def privacy_code(self) -> str | None:
        """What people read to each other to find out whether the group is the same for both."""
        code: str | None = self._session.voice_privacy_code
        return code

    # Frames

    def seal(self, opus: bytes) -> bytes | None:
        """Return an Opus packet as it is sent, or None while nothing can be sent."""
        if not self.version:
            return opus
        if not self.ready:
            return None
        sealed: bytes = self._session.encrypt_opus(opus)
        return sealed

    def open(self, user_id: int, frame: bytes) -> bytes | None:
        """Return the Opus packet in somebody's frame, or None if it cannot be read (yet)."""
        if frame == SILENCE:
            return frame
        if not frame.endswith(_MARK):
            return frame if self.plain_allowed else None
        if not self._session.ready:
            return None
        try:
            opus: bytes = self._session.decrypt(user_id, davey.MediaType.audio, frame)
        except ValueError:  # all that davey raises; why stands only in its text
            return None
        return opus

    # Messages

    def receive(
        self, opcode: int, content: bytes | Mapping[str, Any], expected: Iterable[int]
    ) -> list[Answer]:
        """Take a message of the voice gateway and return the answers, in order.

        Args:
            opcode: of the message; those that have nothing to do with encryption change nothing.
            content: bytes for a binary message, an object otherwise.
            expected: who is known to be in the call. Whoever else is proposed is refused, as DAVE
                demands.
        """
        if isinstance(content, bytes):
            return self._receive_binary(opcode, content, expected)
        if opcode == DaveOpcode.PREPARE_EPOCH and content["epoch"] == 1:
            return self._start_over()
        if opcode == DaveOpcode.PREPARE_TRANSITION:
            return self._prepare(content["transition_id"], content["protocol_version"])
        if opcode == DaveOpcode.EXECUTE_TRANSITION:
            return self._execute(content["transition_id"])
        return []

    def _receive_binary(self, opcode: int, content: bytes, expected: Iterable[int]) -> list[Answer]:
        if opcode == DaveOpcode.MLS_EXTERNAL_SENDER:
            self._session.set_external_sender(content)
            self._knows_sender = True
            return self._ask_in()
        if opcode == DaveOpcode.MLS_PROPOSALS:
            return self._propose(content, expected)
        if opcode == DaveOpcode.MLS_ANNOUNCE_COMMIT:
            transition_id = int.from_bytes(content[:2], "big")
            self._commit = (transition_id, content[2:])
            return self._prepare(transition_id, davey.DAVE_PROTOCOL_VERSION)
        if opcode == DaveOpcode.MLS_WELCOME:
            return self._welcome(int.from_bytes(content[:2], "big"), content[2:])
        return []

    def _start_over(self) -> list[Answer]:
        """Leaves the group for a new one that has no members yet."""
        self._forget_group()
        return self._ask_in()

    def _forget_group(self) -> None:
        self._session.reinit(davey.DAVE_PROTOCOL_VERSION, self._user_id, self._channel_id)
        self._commit = self._welcomed = None
        self._wants_in = True

    def _ask_in(self) -> list[Answer]:
        if not (self._wants_in and self._knows_sender):
            return []
        self._wants_in = False
        return [(DaveOpcode.MLS_KEY_PACKAGE, self._session.get_serialized_key_package())]

    def _propose(self, content: bytes, expected: Iterable[int]) -> list[Answer]:
        answers = self._settle()
        kinds = davey.ProposalsOperationType
        kind = kinds.revoke if content[0] else kinds.append
        try:
            result = self._session.process_proposals(kind, content[1:], list(expected))
        except ValueError as error:
            self._record(f"person {self._user_id} refuses proposals: {error}")
            return answers
        if result is not None:
            body = result.commit + (result.welcome or b"")
            answers.append((DaveOpcode.MLS_COMMIT_WELCOME, body))
        return answers

    def _welcome(self, transition_id: int, welcome: bytes) -> list[Answer]:
        try:
            self._session.process_welcome(welcome)
        except ValueError as error:
            return self._recover(transition_id, error)
        self._welcomed = transition_id or None
        return self._prepare(transition_id, davey.DAVE_PROTOCOL_VERSION)

    def _prepare(self, transition_id: int, version: int) -> list[Answer]:
        self._prepared[transition_id] = version
        if not version:
            self.plain_allowed = True
        if not transition_id:  # the one that needs nobody's consent
            return self._execute(transition_id)
        return [(DaveOpcode.TRANSITION_READY, {"transition_id": transition_id})]

    def _execute(self, transition_id: int) -> list[Answer]:
        if transition_id not in self._prepared:
            return []
        before, self.version = self.version, self._prepared.pop(transition_id)
        # Frames that were sent in the clear before an upgrade may arrive after it.
        self.plain_allowed = not (before and self.version)
        if self._welcomed == transition_id:
            self._welcomed = None
        if self._commit is not None and self._commit[0] == transition_id:
            return self._settle()
        return []

    def _settle(self) -> list[Answer]:
        """Carries out the commit that was kept."""
        if self._commit is None:
            return []
        transition_id, commit = self._commit
        self._commit = None
        try:
            self._session.process_commit(commit)
        except ValueError as error:
            return self._recover(transition_id, error)
        return []

    def _recover(self, transition_id: int, error: ValueError) -> list[Answer]:
        """Says that a commit or welcome was invalid, and asks to be added anew."""
        self._record(f"person {self._user_id} cannot follow transition {transition_id}: {error}")
        self._forget_group()
        complaint = {"transition_id": transition_id}
        return [(DaveOpcode.MLS_INVALID_COMMIT_WELCOME, complaint), *self._ask_in()]
