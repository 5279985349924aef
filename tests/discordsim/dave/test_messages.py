"""MLS's presentation language, and what cannot be read."""

from __future__ import annotations

import davey
import pytest
from hypothesis import given
from hypothesis import strategies as st

from discordsim.dave.messages import (
    KeyPackage,
    add_proposal,
    group_id,
    make_proposal,
    remove_proposal,
    split_commit_welcome,
)
from discordsim.dave.sender import ExternalSender
from discordsim.dave.transitions import Transitions
from discordsim.dave.wire import Reader, uint, vector
from discordsim.errors import MalformedMessageError

pytestmark = pytest.mark.unit

CHANNEL = 900_020


@given(st.integers(0, 20_000))
def test_a_vector_of_any_length_can_be_read_again(length: int) -> None:
    reader = Reader(vector(bytes(length)) + b"rest")

    assert reader.vector() == bytes(length)
    assert reader.take(4) == b"rest"
    assert reader.at_end


@pytest.mark.parametrize(
    ("length", "prefix"),
    [(0, "00"), (63, "3f"), (64, "4040"), (16_383, "7fff"), (16_384, "80004000")],
)
def test_a_vector_begins_with_its_length_as_rfc_9420_writes_it(length: int, prefix: str) -> None:
    assert vector(bytes(length)).hex().startswith(prefix)
    assert len(vector(bytes(length))) == length + len(prefix) // 2


def test_a_length_of_the_reserved_kind_is_refused() -> None:
    with pytest.raises(MalformedMessageError):
        Reader(b"\xff" * 20).vector()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (KeyPackage.parse, split_commit_welcome):
        with pytest.raises(MalformedMessageError):
            read(body)


def test_a_commit_cut_off_anywhere_is_refused() -> None:
    commit, welcome = _commit()

    for size in range(len(commit)):
        with pytest.raises(MalformedMessageError):
            split_commit_welcome(commit[:size])
    found, rest = split_commit_welcome(commit + welcome)
    assert (found.message, rest) == (commit, welcome)
    assert split_commit_welcome(commit)[1] is None


def test_a_commit_names_the_proposals_by_the_references_that_the_server_knows() -> None:
    commit, _ = _commit()

    found, _ = split_commit_welcome(commit)

    assert (found.group, found.epoch, found.leaf) == (group_id(CHANNEL), 0, 0)
    assert found.references == (_commit.reference,)  # type: ignore[attr-defined]


def _commit() -> tuple[bytes, bytes]:
    """A commit of davey's that adds user 2 to user 1's group, and its welcome."""
    sender = ExternalSender()
    first, second = (davey.DaveSession(1, user_id, CHANNEL) for user_id in (1, 2))
    first.set_external_sender(sender.package)
    package = KeyPackage.parse(second.get_serialized_key_package())
    proposal = make_proposal(group_id(CHANNEL), 0, add_proposal(package), sender.sign)
    _commit.reference = proposal.reference  # type: ignore[attr-defined]
    first.get_serialized_key_package()
    result = first.process_proposals(davey.ProposalsOperationType.append, vector(proposal.message))
    assert result is not None
    assert result.welcome is not None
    return result.commit, result.welcome


def test_a_proposal_of_another_signer_is_refused_by_clients() -> None:
    known, foreign = ExternalSender(), ExternalSender()
    session = davey.DaveSession(1, 1, CHANNEL)
    session.set_external_sender(known.package)
    session.get_serialized_key_package()
    proposal = make_proposal(group_id(CHANNEL), 0, remove_proposal(0), foreign.sign)

    with pytest.raises(ValueError, match="InvalidSignature"):
        session.process_proposals(davey.ProposalsOperationType.append, vector(proposal.message))


def test_a_transition_is_executed_once_when_the_last_is_ready() -> None:
    transitions = Transitions()
    made = transitions.prepare([1, 2], 1)

    assert transitions.ready(1, made.id) is None
    done = transitions.ready(2, made.id)

    assert done is not None
    assert done.id == made.id
    assert transitions.ready(2, made.id) is None
    assert transitions.pending == ()


def test_who_left_holds_nobody_up() -> None:
    transitions = Transitions()
    first, second = transitions.prepare([1, 2], 1), transitions.prepare([2, 3], 0)
    transitions.ready(1, first.id)

    assert [each.id for each in transitions.forget(2)] == [first.id]
    assert [each.waiting for each in transitions.pending] == [frozenset({3})]
    assert second.id == first.id + 1


def test_ids_of_transitions_begin_again_without_the_reserved_zero() -> None:
    transitions = Transitions()
    ids = [transitions.prepare([1], 1).id for _ in range(65_536)]

    assert ids[0] == 1
    assert ids[-2:] == [65_535, 1]


def test_uint_is_big_endian() -> None:
    assert uint(258, 4) == b"\x00\x00\x01\x02"
