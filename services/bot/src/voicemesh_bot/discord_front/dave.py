"""What receiving sees of discord.py's voice connection: its key, its mode, and its DAVE session.

davey tells its failures apart only by the words of a `ValueError` (0.1.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import davey

from voicemesh_bot.voice.receive.ports import FrameRefusal, FrameRefusedError
from voicemesh_bot.voice.receive.transport import TransportMode
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from discord.voice_state import VoiceConnectionState

    from voicemesh_bot.voice.receive.ports import GroupEncryption

__all__ = ("DaveGroup", "DiscordCall", "GuardedSession")

_KEY_BYTES = 32

_logger = get_logger(__name__)


class DaveGroup:
    """`voice.receive.ports.GroupEncryption` over a session of davey.

    davey may be called from several threads at once: the interpreter's lock is held by each call.
    """

    def __init__(self, session: davey.DaveSession) -> None:
        """See `session`, which discord.py keeps for all its reconnects."""
        self._session = session

    @property
    def ready(self) -> bool:
        """Whether there is a group."""
        return self._session.ready

    @property
    def epoch(self) -> int | None:
        """Which group it is."""
        return self._session.epoch

    def decrypt(self, user_id: int, frame: bytes) -> bytes:
        """The Opus packet in a frame, as the port says."""
        try:
            return self._session.decrypt(user_id, davey.MediaType.audio, frame)
        except ValueError as error:
            raise FrameRefusedError(_refusal(str(error))) from error

    def member_ids(self) -> Collection[int]:
        """Users in the group."""
        return tuple(int(each) for each in self._session.get_user_ids())


class GuardedSession:
    """A session of davey that lets nobody into the group whom the call has not announced.

    The white paper wants that of every client ("Unexpected members"), davey can do it, and
    discord.py 2.7.1 does not ask it to. What discord.py gets is this in the place of the session.
    """

    def __init__(self, session: davey.DaveSession, expected: Callable[[], Collection[int]]) -> None:
        """Guard `session`; `expected` says who is known to be in the call."""
        self.session = session
        self._expected = expected

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def process_proposals(
        self, operation: davey.ProposalsOperationType, proposals: bytes
    ) -> davey.CommitWelcome | None:
        """The commit for proposals that are as they should be; None for others.

        A commit that somebody else makes of those can then not be followed, so that discord.py asks
        to be added anew. What is damaged in any other way is left alone in the same manner: an
        error would end discord.py's reader.
        """
        expected = list(self._expected())
        try:
            return self.session.process_proposals(operation, proposals, expected)
        except ValueError as error:
            _logger.warning("proposals for the encrypted group are refused", reason=str(error))
            return None


class DiscordCall:
    """`voice.receive.ports.Call` over discord.py 2.7.1, which has no public view of these."""

    def __init__(self, state: VoiceConnectionState) -> None:
        """See `state` as it is whenever something is asked."""
        self._state = state
        self._numbers: Sequence[int] = ()
        self._key: bytes | None = None
        self._session: davey.DaveSession | None = None
        self._group: DaveGroup | None = None

    @property
    def mode(self) -> TransportMode | None:
        """The mode that was agreed upon; None for modes that Discord no longer has."""
        try:
            return TransportMode(self._state.mode)
        except ValueError:
            return None

    @property
    def secret_key(self) -> bytes | None:
        """The key of the transport."""
        numbers = self._state.secret_key
        if numbers is not self._numbers:  # A new list with every new key.
            self._numbers = numbers
            self._key = bytes(numbers) if numbers and len(numbers) == _KEY_BYTES else None
        return self._key

    @property
    def encryption(self) -> GroupEncryption | None:
        """The end-to-end encryption."""
        held: Any = self._state.dave_session
        session: davey.DaveSession | None = (
            held.session if isinstance(held, GuardedSession) else held
        )
        if session is not self._session:
            self._session = session
            self._group = None if session is None else DaveGroup(session)
        return self._group

    @property
    def transition_pending(self) -> bool:
        """Whether a change of the group was announced and not yet executed."""
        # 0 stands for changes that need no execution, and is never taken out.
        return any(self._state.dave_pending_transitions)


def _refusal(words: str) -> FrameRefusal:
    if "NoDecryptorForUser" in words:
        return FrameRefusal.NO_DECRYPTOR
    if "UnencryptedWhenPassthroughDisabled" in words:
        return FrameRefusal.UNENCRYPTED
    return FrameRefusal.UNDECRYPTABLE
