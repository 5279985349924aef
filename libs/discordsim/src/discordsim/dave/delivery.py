"""DAVE's delivery service for one call: messages in, messages out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from discordsim.dave.group import Group, Proposing
from discordsim.dave.messages import KeyPackage, group_id, split_commit_welcome
from discordsim.dave.opcodes import DaveOpcode
from discordsim.dave.sender import ExternalSender
from discordsim.dave.transitions import Transition, Transitions
from discordsim.dave.wire import uint, vector
from discordsim.errors import MalformedMessageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ("PROTOCOL_VERSION", "DeliveryService", "Envelope")

PROTOCOL_VERSION = 1
"""The newest version of DAVE that this speaks."""

_APPEND, _REVOKE = 0, 1


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message for one client."""

    user_id: int
    opcode: DaveOpcode
    content: bytes | Mapping[str, Any] = field(repr=False)
    """Bytes for a binary message, a JSON object otherwise."""


class DeliveryService:
    """Keeps one call's group in line with who is in the call.

    Every method answers with the messages to send, in order. Each receiver must get its own in that
    order, and all of them before the next method is called.

    While a transition waits for somebody to get ready, nothing new is proposed: who comes and goes
    meanwhile is proposed together once it is executed.
    """

    def __init__(
        self,
        channel_id: int,
        *,
        protocol_version: int = PROTOCOL_VERSION,
        record: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start without anybody.

        Args:
            channel_id: the channel, which names the group.
            protocol_version: 1, or 0 for a call without encryption.
            record: is told what happens, in a sentence.
        """
        self._record = record
        self._sender = ExternalSender()
        self._group = Group(group_id(channel_id), self._sender.sign)
        self._transitions = Transitions()
        self._users: dict[int, KeyPackage | None] = {}
        self._introduced: set[int] = set()  # who has the external sender's package
        self._corrupt: set[int] = set()
        self._wanted_version = protocol_version
        self._version = protocol_version

    @property
    def protocol_version(self) -> int:
        """What somebody who joins now is told to speak."""
        return self._wanted_version

    @property
    def executed_version(self) -> int:
        """What all speak now, after the last transition that was executed."""
        return self._version

    @property
    def epoch(self) -> int:
        """The group's epoch; 0 until there is a group."""
        return self._group.epoch

    @property
    def members(self) -> tuple[int, ...]:
        """Who is in the group, by user id."""
        return self._group.members

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """What is prepared and not executed."""
        return self._transitions.pending

    # Coming and going

    def join(self, user_id: int) -> list[Envelope]:
        """Let somebody in; the group takes them once their key package comes."""
        self._users[user_id] = None
        self._introduced.discard(user_id)
        return self._introduce([user_id]) if self._wanted_version else []

    def _introduce(self, user_ids: Iterable[int]) -> list[Envelope]:
        """Tells those who do not know whom to believe proposals from."""
        new = [each for each in user_ids if each not in self._introduced]
        self._introduced.update(new)
        return [
            Envelope(each, DaveOpcode.MLS_EXTERNAL_SENDER, self._sender.package) for each in new
        ]

    def leave(self, user_id: int) -> list[Envelope]:
        """Let somebody out."""
        self._users.pop(user_id, None)
        self._corrupt.discard(user_id)
        return self._forget(user_id)

    def _forget(self, user_id: int) -> list[Envelope]:
        """Waits for somebody no longer."""
        found: list[Envelope] = []
        for transition in self._transitions.forget(user_id):
            found += self._execute(transition)
        return found + self._settle()

    # What clients send

    def key_package(self, user_id: int, body: bytes) -> list[Envelope]:
        """Take a key package (opcode 26); from a member it means: remove me and add me anew.

        Raises:
            MalformedMessageError: it cannot be read, or is somebody else's.
        """
        package = KeyPackage.parse(body)
        if package.user_id != user_id:
            raise MalformedMessageError(f"is the key package of user {package.user_id}")
        if user_id not in self._users:
            return []
        self._users[user_id] = package
        return self._settle()

    def commit(self, user_id: int, body: bytes) -> list[Envelope]:
        """Take a commit (opcode 28); the first valid one of an epoch wins.

        Raises:
            MalformedMessageError: it cannot be read.
        """
        commit, welcome = split_commit_welcome(body)
        accepted = self._group.accept(user_id, commit, welcome, self._wanted())
        if isinstance(accepted, str):
            self._record(f"dave: commit of {user_id} not taken: it is {accepted}")
            return []
        existing = [each for each in accepted.existing if each in self._users]
        added = [each for each in accepted.added if each in self._users]
        transition = self._transitions.prepare([*existing, *added], PROTOCOL_VERSION)
        self._record(
            f"dave: epoch {self.epoch} by {user_id}, members {_names(self.members)},"
            f" transition {transition.id}"
        )
        number = uint(transition.id, 2)
        found = [
            self._envelope(each, DaveOpcode.MLS_ANNOUNCE_COMMIT, number, commit.message)
            for each in existing
        ]
        return found + [
            self._envelope(each, DaveOpcode.MLS_WELCOME, number, accepted.welcome or b"")
            for each in added
        ]

    def _envelope(
        self, user_id: int, opcode: DaveOpcode, number: bytes, message: bytes
    ) -> Envelope:
        """Makes a commit or a welcome, damaged if a test asked for it."""
        if user_id in self._corrupt:
            self._corrupt.discard(user_id)
            self._record(f"dave: opcode {opcode} for {user_id} is damaged")
            message = message[:-1] + bytes([message[-1] ^ 0xFF])
        return Envelope(user_id, opcode, number + message)

    def recover(self, user_id: int, transition_id: int) -> list[Envelope]:
        """Take the complaint that a commit or welcome was invalid (opcode 31).

        A new key package follows, and with it the client is removed and added again.
        """
        self._record(f"dave: {user_id} cannot follow transition {transition_id} and starts anew")
        if user_id in self._users:
            self._users[user_id] = None
        return self._forget(user_id)

    def ready(self, user_id: int, transition_id: int) -> list[Envelope]:
        """Note that a client is ready for a transition (opcode 23)."""
        transition = self._transitions.ready(user_id, transition_id)
        return [] if transition is None else self._execute(transition) + self._settle()

    def expire(self, transition_id: int) -> list[Envelope]:
        """Execute a transition although somebody is not ready."""
        late = [each.waiting for each in self.transitions if each.id == transition_id]
        transition = self._transitions.expire(transition_id)
        if transition is None:
            return []
        self._record(f"dave: transition {transition_id} waits no longer for {_names(late[0])}")
        return self._execute(transition) + self._settle()

    # What a test asks for

    def set_version(self, protocol_version: int) -> list[Envelope]:
        """Downgrade the call to no encryption (0), or upgrade it again (1)."""
        if protocol_version == self._wanted_version:
            return []
        self._wanted_version = protocol_version
        if protocol_version:
            return self._upgrade()
        if not self._users:
            self._version = 0
            return []
        transition = self._transitions.prepare(self._users, 0)
        self._record(f"dave: downgrade, transition {transition.id}")
        content = {"protocol_version": 0, "transition_id": transition.id}
        return self._to_all(DaveOpcode.PREPARE_TRANSITION, content)

    def corrupt_next_commit(self, user_id: int) -> None:
        """Damage the next commit or welcome that somebody is sent."""
        self._corrupt.add(user_id)

    # Rules

    def _wanted(self) -> dict[int, KeyPackage]:
        return {user_id: each for user_id, each in self._users.items() if each is not None}

    def _settle(self) -> list[Envelope]:
        """Proposes what is missing between who is in the call and who is in the group."""
        if not self._wanted_version or self.transitions:
            return []
        if len(self._users) == 1 and self.epoch:
            return self._start_over()
        wanted = self._wanted()
        if self.epoch and not self._group.current(wanted):
            # Nobody is left who could commit; all have new key packages or are about to send one.
            self._group.reset()
        return [each for news in self._group.propose(wanted) for each in _proposals(news)]

    def _start_over(self) -> list[Envelope]:
        """Tells all to make a new group: whitepaper, "Sole Member Reset"."""
        if self._users:
            self._record("dave: a new group begins")
        self._group.reset()
        self._users = dict.fromkeys(self._users)
        epoch = {"protocol_version": PROTOCOL_VERSION, "epoch": 1}
        found = self._to_all(DaveOpcode.PREPARE_EPOCH, epoch)
        found += self._introduce(self._users)
        if len(self._users) < 2:
            self._version = PROTOCOL_VERSION
            content = {"protocol_version": PROTOCOL_VERSION, "transition_id": 0}
            found += self._to_all(DaveOpcode.PREPARE_TRANSITION, content)
        return found

    def _upgrade(self) -> list[Envelope]:
        """Goes back to encryption, with a new group."""
        found: list[Envelope] = []
        for each in self.transitions:  # a downgrade that nobody has executed yet
            found += self.expire(each.id)
        return found + self._start_over()

    def _execute(self, transition: Transition) -> list[Envelope]:
        self._version = transition.protocol_version
        self._record(
            f"dave: transition {transition.id} executed, version {transition.protocol_version}"
        )
        if not transition.protocol_version:
            self._group.reset()
            self._users = dict.fromkeys(self._users)
            for older in self.transitions:  # executed later, one would bring encryption back
                self._transitions.expire(older.id)
        content = {"transition_id": transition.id}
        return [
            Envelope(user_id, DaveOpcode.EXECUTE_TRANSITION, content)
            for user_id in transition.users
            if user_id in self._users
        ]

    def _to_all(self, opcode: DaveOpcode, content: Mapping[str, Any]) -> list[Envelope]:
        return [Envelope(user_id, opcode, content) for user_id in self._users]


def _proposals(news: Proposing) -> list[Envelope]:
    """Returns opcode 27, revocations first."""
    found = []
    if news.revoked:
        body = uint(_REVOKE, 1) + vector(b"".join(vector(each) for each in news.revoked))
        found.append(Envelope(news.user_id, DaveOpcode.MLS_PROPOSALS, body))
    if news.proposals:
        body = uint(_APPEND, 1) + vector(b"".join(news.proposals))
        found.append(Envelope(news.user_id, DaveOpcode.MLS_PROPOSALS, body))
    return found


def _names(user_ids: Iterable[int]) -> str:
    return ", ".join(str(each) for each in user_ids) or "nobody"
