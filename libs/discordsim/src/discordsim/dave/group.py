"""An MLS group as its delivery service sees it: who sits at which leaf, and what is proposed.

Pure. The group is told whom it should have (`wanted`), and works out what has to be proposed,
revoked and said to whom. That is one rule instead of one for each order of joining, leaving,
coming back and recovering.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from discordsim.dave.messages import (
    Commit,
    KeyPackage,
    Proposal,
    add_proposal,
    make_proposal,
    remove_proposal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ("Accepted", "Group", "Proposing")


@dataclass(frozen=True, slots=True)
class _Pending:
    """A proposal of the present epoch that no commit has carried out yet."""

    proposal: Proposal
    package: KeyPackage
    """Whom it adds, or who sits at the leaf that it removes."""
    leaf: int | None = None
    """The leaf that it removes; None if it adds."""


@dataclass(frozen=True, slots=True)
class Proposing:
    """What one member has to hear, in this order."""

    user_id: int
    revoked: tuple[bytes, ...] = ()
    """References of proposals that hold no longer."""
    proposals: tuple[bytes, ...] = field(default=(), repr=False)
    """Messages of new ones; all in one, because davey refuses to add somebody whom it has not yet
    been told to remove (`DuplicateSignatureKey`)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The commit that ended an epoch."""

    commit: Commit
    welcome: bytes | None = field(repr=False)
    existing: tuple[int, ...]
    """Members before and after, who need the commit; its author is one of them."""
    added: tuple[int, ...]
    """New members, who need the welcome."""


class Group:
    """The members of one call."""

    def __init__(self, group: bytes, sign: Callable[[str, bytes], bytes]) -> None:
        """Start without members.

        Args:
            group: id of the group.
            sign: signs as the group's external sender, see `ExternalSender.sign`.
        """
        self._group = group
        self._sign = sign
        self.epoch = 0
        """0 until a first commit is accepted."""
        self._leaves: list[KeyPackage | None] = []
        self._pending: dict[bytes, _Pending] = {}
        self._told: dict[bytes, set[bytes]] = {}  # references by the key package of who heard them

    @property
    def members(self) -> tuple[int, ...]:
        """User ids of all members, those included who should be removed."""
        return tuple(leaf.user_id for leaf in self._leaves if leaf is not None)

    def current(self, wanted: Mapping[int, KeyPackage]) -> tuple[int, ...]:
        """Return those members who are wanted with the very key package they were added by."""
        return tuple(
            leaf.user_id
            for leaf in self._leaves
            if leaf is not None and wanted.get(leaf.user_id) == leaf
        )

    def reset(self) -> None:
        """Forget everything; the next commit makes a new group."""
        self.epoch = 0
        self._leaves.clear()
        self._pending.clear()
        self._told.clear()

    def propose(self, wanted: Mapping[int, KeyPackage]) -> list[Proposing]:
        """Bring the proposals in line with who is wanted, and say what each member has to hear.

        Args:
            wanted: who should be in the group, with key packages.
        """
        self._renew(wanted)
        listeners = self.current(wanted) if self.epoch else tuple(wanted)
        found = []
        for user_id in listeners:
            package = wanted[user_id]
            told = self._told.setdefault(package.encoded, set())
            gone = tuple(reference for reference in told if reference not in self._pending)
            # Nobody is told about themselves: who commits cannot add or remove themselves.
            news = [
                pending.proposal
                for reference, pending in self._pending.items()
                if reference not in told and pending.package.user_id != user_id
            ]
            told.difference_update(gone)
            told.update(proposal.reference for proposal in news)
            if gone or news:
                messages = tuple(proposal.message for proposal in news)
                found.append(Proposing(user_id, gone, messages))
        return found

    def _renew(self, wanted: Mapping[int, KeyPackage]) -> None:
        """Drops proposals that hold no longer and makes those that are missing, removals first."""
        kept = {}
        for reference, pending in self._pending.items():
            is_wanted = wanted.get(pending.package.user_id) == pending.package
            if is_wanted == (pending.leaf is None):
                kept[reference] = pending
        self._pending = kept
        removing = {pending.leaf for pending in kept.values() if pending.leaf is not None}
        adding = {pending.package for pending in kept.values() if pending.leaf is None}
        for index, leaf in enumerate(self._leaves):
            if leaf is None or index in removing or wanted.get(leaf.user_id) == leaf:
                continue
            self._add_pending(remove_proposal(index), leaf, index)
        seated = {leaf for leaf in self._leaves if leaf is not None}
        for package in wanted.values():
            if package not in seated and package not in adding:
                self._add_pending(add_proposal(package), package, None)

    def _add_pending(self, body: bytes, package: KeyPackage, leaf: int | None) -> None:
        proposal = make_proposal(self._group, self.epoch, body, self._sign)
        self._pending[proposal.reference] = _Pending(proposal, package, leaf)

    def accept(
        self, user_id: int, commit: Commit, welcome: bytes | None, wanted: Mapping[int, KeyPackage]
    ) -> Accepted | str:
        """Carry out a commit, or say why not.

        The first valid commit of an epoch wins; all others are of an epoch that is over. Valid is
        only what carries out all proposals that the author may know.

        Args:
            user_id: who sent it.
            commit: the commit.
            welcome: what came with it.
            wanted: who should be in the group, with key packages.
        """
        if refusal := self._refusal(user_id, commit, welcome, wanted):
            return refusal
        done = [self._pending[reference] for reference in commit.references]
        if not self.epoch:
            self._leaves = [wanted[user_id]]
        for pending in done:
            if pending.leaf is not None:
                self._leaves[pending.leaf] = None
        existing = self.current(wanted)
        while self._leaves and self._leaves[-1] is None:
            self._leaves.pop()
        added = [pending.package for pending in done if pending.leaf is None]
        self._seat(added)
        self.epoch += 1
        self._pending.clear()
        self._told.clear()
        return Accepted(commit, welcome, existing, tuple(each.user_id for each in added))

    def _refusal(
        self,
        user_id: int,
        commit: Commit,
        welcome: bytes | None,
        wanted: Mapping[int, KeyPackage],
    ) -> str | None:
        if commit.group != self._group:
            return "of another group"
        if commit.epoch != self.epoch:
            return f"of epoch {commit.epoch}, and epoch {self.epoch} is running"
        if user_id not in (self.current(wanted) if self.epoch else wanted):
            return "by somebody who is no member"
        author = self._leaves[commit.leaf] if commit.leaf < len(self._leaves) else None
        if self.epoch and (author is None or author.user_id != user_id):
            return "in somebody else's name"
        standing = {
            reference
            for reference, pending in self._pending.items()
            if pending.package.user_id != user_id
        }
        if not commit.references or not standing.issuperset(commit.references):
            return "of proposals that do not stand"
        if not standing.issubset(commit.references):
            # RFC 9420, section 12.4, wants all of them. A client that has just been told of another
            # makes a second commit, and davey believes that one accepted when the first one is.
            return "without all proposals that stand"
        adds = any(self._pending[reference].leaf is None for reference in commit.references)
        if adds and welcome is None:
            return "without the welcome for those whom it adds"
        return None

    def _seat(self, packages: Iterable[KeyPackage]) -> None:
        """Gives each the leftmost free leaf (RFC 9420, section 7.7)."""
        for package in packages:
            if None in self._leaves:
                self._leaves[self._leaves.index(None)] = package
            else:
                self._leaves.append(package)
