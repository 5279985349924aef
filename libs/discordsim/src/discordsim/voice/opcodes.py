"""The voice gateway's opcodes and close codes.

Source: Discord's documentation, "Opcodes and Status Codes", voice. Opcodes 21 to 31 are
`discordsim.dave.opcodes.DaveOpcode`.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ("VoiceCloseCode", "VoiceOpcode")


class VoiceOpcode(IntEnum):
    """What a message is. The last two are in no table of Discord's and are sent all the same."""

    IDENTIFY = 0
    SELECT_PROTOCOL = 1
    READY = 2
    HEARTBEAT = 3
    SESSION_DESCRIPTION = 4
    SPEAKING = 5
    HEARTBEAT_ACK = 6
    RESUME = 7
    HELLO = 8
    RESUMED = 9
    CLIENTS_CONNECT = 11
    VIDEO = 12
    CLIENT_DISCONNECT = 13
    CLIENT_FLAGS = 18
    CLIENT_PLATFORM = 20


class VoiceCloseCode(IntEnum):
    """Why the server ends a connection."""

    UNKNOWN_OPCODE = 4001
    FAILED_TO_DECODE = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    SESSION_INVALID = 4006
    SESSION_TIMEOUT = 4009
    SERVER_NOT_FOUND = 4011
    UNKNOWN_PROTOCOL = 4012
    DISCONNECTED = 4014
    SERVER_CRASHED = 4015
    UNKNOWN_ENCRYPTION_MODE = 4016
    DAVE_REQUIRED = 4017
    BAD_REQUEST = 4020
    RATE_LIMITED = 4021
    CALL_TERMINATED = 4022

    @property
    def resumable(self) -> bool:
        """Whether the client may come back with opcode 7 and miss nothing."""
        return self in {VoiceCloseCode.SERVER_CRASHED, VoiceCloseCode.SESSION_TIMEOUT}
