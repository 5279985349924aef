"""The MLS messages that a server makes or has to look into.

Pure. Layouts are RFC 9420's, sections 6, 7, 12 and 17.3; what DAVE allows of them is the
whitepaper's, "MLS Parameters" and "Voice Gateway Opcodes".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from discordsim.dave.wire import Reader, uint, vector
from discordsim.errors import MalformedMessageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = (
    "Commit",
    "KeyPackage",
    "Proposal",
    "add_proposal",
    "group_id",
    "make_proposal",
    "remove_proposal",
    "split_commit_welcome",
)

MLS_VERSION = 1
CIPHERSUITE = 2  # MLS_128_DHKEMP256_AES128GCM_SHA256_P256
BASIC_CREDENTIAL = 1
_USER_ID_SIZE = 8

_PUBLIC_MESSAGE, _KEY_PACKAGE = 1, 5
_SENDER_MEMBER, _SENDER_EXTERNAL = 1, 2
_CONTENT_PROPOSAL, _CONTENT_COMMIT = 2, 3
_PROPOSAL_ADD, _PROPOSAL_REMOVE = 1, 3
_PROPOSAL_BY_REFERENCE = 2
_LEAF_FROM_KEY_PACKAGE, _LEAF_FROM_COMMIT = 1, 3


def group_id(channel_id: int) -> bytes:
    """Return the id of a channel's MLS group."""
    return uint(channel_id, 8)


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """What a client publishes in order to be added to a group."""

    user_id: int
    encoded: bytes = field(repr=False)
    """A bare KeyPackage, without the header of an MLSMessage."""

    @classmethod
    def parse(cls, body: bytes) -> KeyPackage:
        """Read the body of opcode 26.

        The whitepaper says MLSMessage; davey sends a bare KeyPackage. Both are taken.

        Raises:
            MalformedMessageError: it is neither, or of another ciphersuite or credential.
        """
        header = uint(MLS_VERSION, 2) + uint(_KEY_PACKAGE, 2)
        encoded = body.removeprefix(header)
        reader = Reader(encoded)
        reader.expect(2, MLS_VERSION, "MLS version")
        reader.expect(2, CIPHERSUITE, "ciphersuite")
        reader.vector()  # init_key
        reader.vector()  # encryption_key
        reader.vector()  # signature_key
        return cls(_read_identity(reader), encoded)


def _read_identity(reader: Reader) -> int:
    """Reads a credential, whose identity is the user's id."""
    reader.expect(2, BASIC_CREDENTIAL, "credential type")
    identity = reader.vector()
    if len(identity) != _USER_ID_SIZE:
        raise MalformedMessageError(f"has an identity of {len(identity)} bytes, not 8")
    return int.from_bytes(identity, "big")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A signed change of a group's members, as it stands in opcode 27."""

    reference: bytes
    """How commits and revocations name it."""
    message: bytes = field(repr=False)


def add_proposal(package: KeyPackage) -> bytes:
    """Return the unsigned proposal that adds a client."""
    return uint(_PROPOSAL_ADD, 2) + package.encoded


def remove_proposal(leaf: int) -> bytes:
    """Return the unsigned proposal that removes the member at a leaf."""
    return uint(_PROPOSAL_REMOVE, 2) + uint(leaf, 4)


def make_proposal(
    group: bytes, epoch: int, body: bytes, sign: Callable[[str, bytes], bytes]
) -> Proposal:
    """Sign a proposal as the group's external sender.

    Args:
        group: id of the group.
        epoch: the group's present epoch.
        body: `add_proposal` or `remove_proposal`.
        sign: signs content under a label (RFC 9420, section 5.1.2).
    """
    content = (
        vector(group)
        + uint(epoch, 8)
        + uint(_SENDER_EXTERNAL, 1)
        + uint(0, 4)  # the first and only external sender
        + vector(b"")  # authenticated_data
        + uint(_CONTENT_PROPOSAL, 1)
        + body
    )
    wire_format = uint(_PUBLIC_MESSAGE, 2)
    # External senders sign without a GroupContext and send no membership tag (section 6.1).
    signature = vector(sign("FramedContentTBS", uint(MLS_VERSION, 2) + wire_format + content))
    authenticated = wire_format + content + signature
    digest = hashlib.sha256(vector(b"MLS 1.0 Proposal Reference") + vector(authenticated))
    return Proposal(digest.digest(), uint(MLS_VERSION, 2) + authenticated)


@dataclass(frozen=True, slots=True)
class Commit:
    """A change of a group's members that one of them has carried out."""

    group: bytes
    epoch: int
    """The epoch that it ends."""
    leaf: int
    """Its author."""
    references: tuple[bytes, ...]
    """The proposals in it, in order."""
    message: bytes = field(repr=False)


def split_commit_welcome(body: bytes) -> tuple[Commit, bytes | None]:
    """Read the body of opcode 28: a commit as MLSMessage, right after it a bare Welcome or nothing.

    Nothing marks the seam, so the commit has to be read to its end.

    Raises:
        MalformedMessageError: it is no such thing, or has proposals that DAVE forbids.
    """
    reader = Reader(body)
    reader.expect(2, MLS_VERSION, "MLS version")
    reader.expect(2, _PUBLIC_MESSAGE, "wire format")
    group = reader.vector()
    epoch = reader.uint(8)
    reader.expect(1, _SENDER_MEMBER, "sender type")
    leaf = reader.uint(4)
    reader.vector()  # authenticated_data
    reader.expect(1, _CONTENT_COMMIT, "content type")
    references = _read_references(reader.vector())
    if reader.uint(1):  # optional<UpdatePath>
        _skip_leaf_node(reader)
        reader.vector()  # nodes
    reader.vector()  # signature
    reader.vector()  # confirmation_tag
    reader.vector()  # membership_tag
    commit = Commit(group, epoch, leaf, references, body[: reader.offset])
    return commit, body[reader.offset :] or None


def _read_references(proposals: bytes) -> tuple[bytes, ...]:
    reader = Reader(proposals)
    references = []
    while not reader.at_end:
        # A proposal written out would be the member's own, and DAVE allows only the server's.
        reader.expect(1, _PROPOSAL_BY_REFERENCE, "proposal type")
        references.append(reader.vector())
    return tuple(references)


def _skip_leaf_node(reader: Reader) -> None:
    """Reads past a LeafNode (RFC 9420, section 7.2)."""
    reader.vector()  # encryption_key
    reader.vector()  # signature_key
    _read_identity(reader)
    for _ in range(5):  # capabilities
        reader.vector()
    source = reader.uint(1)
    if source == _LEAF_FROM_KEY_PACKAGE:
        reader.take(16)  # lifetime
    elif source == _LEAF_FROM_COMMIT:
        reader.vector()  # parent_hash
    reader.vector()  # extensions
    reader.vector()  # signature
