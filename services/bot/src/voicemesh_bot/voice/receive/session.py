"""What the messages of the voice gateway say about a call: who is who, and how it is encrypted.

Only JSON messages are seen here. discord.py deals with the binary ones, and with the group itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from voicemesh_bot.voice.receive.speakers import SpeakerDirectory

__all__ = ("CallChange", "CallMessages")


class _Opcode(IntEnum):
    """The opcodes that matter here."""

    READY = 2
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    CLIENTS_CONNECT = 11
    VIDEO = 12
    CLIENT_DISCONNECT = 13
    PREPARE_TRANSITION = 21
    EXECUTE_TRANSITION = 22


@dataclass(frozen=True, slots=True)
class CallChange:
    """What a message changed."""

    begins_anew: bool = False
    """Whether it is another session: other sources, another key."""
    stale_sources: tuple[int, ...] = ()
    """Sources that are nobody's any more, or somebody else's."""
    gone: tuple[int, ...] = ()
    """Users who have left."""
    group_changed: bool = False
    """Whether other keys are used from now on."""


class CallMessages:
    """Follows the messages of one voice connection."""

    def __init__(self) -> None:
        """Know nothing."""
        self.speakers = SpeakerDirectory()
        """Whose audio a source is."""
        self.present: set[int] = set()
        """Users who are said to be in the call."""
        self.encryption_version = 0
        """Version of DAVE by which people send; 0 if they do not encrypt end to end."""
        self.last_transition_id: int | None = None
        """The latest transition that was announced and has a number of its own."""
        self._described = False
        self._prepared: dict[int, int] = {}

    def take(self, opcode: int, data: object) -> CallChange:
        """Takes a message.

        Raises:
            ValueError: the message lacks what it should have.
        """
        match opcode:
            case _Opcode.READY:
                return self._begin()
            case _Opcode.SESSION_DESCRIPTION:
                version = _number(_fields(data).get("dave_protocol_version", 0))
                # A second description without a new session is another key all the same.
                change = self._begin() if self._described else CallChange(group_changed=True)
                self._described, self.encryption_version = True, version
                return change
            case _Opcode.SPEAKING:
                fields = _fields(data)
                return self._bind(fields.get("ssrc"), fields.get("user_id"))
            case _Opcode.CLIENTS_CONNECT:
                user_ids = _fields(data).get("user_ids")
                if not isinstance(user_ids, list):
                    msg = "the message names nobody"
                    raise ValueError(msg)
                self.present.update(map(_number, user_ids))
                return CallChange()
            case _Opcode.VIDEO:
                fields = _fields(data)
                # Without a microphone the source is 0.
                return self._bind(fields.get("audio_ssrc"), fields.get("user_id"))
            case _Opcode.CLIENT_DISCONNECT:
                user_id = _number(_fields(data).get("user_id"))
                self.present.discard(user_id)
                return CallChange(stale_sources=self.speakers.remove(user_id), gone=(user_id,))
            case _Opcode.PREPARE_TRANSITION:
                fields = _fields(data)
                return self._prepare(
                    _number(fields.get("transition_id")), _number(fields.get("protocol_version"))
                )
            case _Opcode.EXECUTE_TRANSITION:
                return self._execute(_number(_fields(data).get("transition_id")))
            case _:
                return CallChange()

    def _begin(self) -> CallChange:
        self.speakers.clear()
        self.present.clear()
        self._prepared.clear()
        self._described = False
        self.last_transition_id = None
        return CallChange(begins_anew=True, group_changed=True)

    def _bind(self, ssrc: object, user_id: object) -> CallChange:
        source = _number(ssrc)
        if not source:
            return CallChange()
        self.present.add(_number(user_id))
        return CallChange(stale_sources=self.speakers.bind(source, _number(user_id)))

    def _prepare(self, transition_id: int, version: int) -> CallChange:
        if transition_id == 0:  # Executed at once: there is nobody to wait for.
            self.encryption_version = version
            return CallChange(group_changed=True)
        self._prepared[transition_id] = version
        self.last_transition_id = transition_id
        return CallChange()

    def _execute(self, transition_id: int) -> CallChange:
        # Transitions of commits and welcomes are announced in binary, and keep the version.
        version = self._prepared.pop(transition_id, None)
        if version is not None:
            self.encryption_version = version
        if transition_id:
            self.last_transition_id = transition_id
        return CallChange(group_changed=True)


def _fields(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        msg = "the message has no fields"
        raise ValueError(msg)
    return data


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        msg = f"{value!r} is no number"
        raise ValueError(msg)
    return int(value)
