"""The messages of a live stream in their one allowed order: config, then audio."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.domain import Encoding, FinishTurn, LiveItem, Packet
from voicemesh_stt.errors import MessageOrderError, UnreadableAudioError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

    from voicemesh.common.v1 import audio_pb2
    from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

__all__ = ("check_is_config", "config_of", "live_items")

_MOST_BYTES = 1 << 20
_PIECE_BYTES = 1 << 14
"""Bytes that are heard at once: half a second of 16 kHz. All live streams share the audio threads,
and one that sends two minutes in one message must not have one of them for so long."""
_MOST_PACKET_BYTES = 7_664
"""Six frames of 20 ms of 1,275 bytes each, with their lengths (RFC 6716 section 3.2.5)."""
_SEQUENCES = 1 << 16
_TIMESTAMPS = 1 << 32


def config_of(first: pb.StreamTranscribeRequest) -> pb.StreamTranscribeConfig:
    """The config that must come first.

    Raises:
        MessageOrderError: if something else did.
    """
    check_is_config(first.WhichOneof("payload"))
    return first.config


def check_is_config(payload: str | None) -> None:
    """What the first message of any stream carries.

    Raises:
        MessageOrderError: if it is anything but `config`.
    """
    if payload != "config":
        msg = f"the first message must have config, not {payload or 'nothing'}"
        raise MessageOrderError(msg, field="config")


async def live_items(
    requests: AsyncIterator[pb.StreamTranscribeRequest], encoding: Encoding
) -> AsyncGenerator[LiveItem]:
    """What follows the config.

    Raises:
        InvalidArgumentError: naming the field of a message that does not fit.
    """
    packets = encoding is Encoding.OPUS_PACKETS
    async for request in requests:
        match request.WhichOneof("payload"):
            case "audio" if not packets:
                for piece in _pieces(request.audio):
                    yield piece
            case "packet" if packets:
                yield _packet(request.packet)
            case "finish_turn":
                yield FinishTurn()
            case "audio" | "packet" as payload:
                wanted = "packet" if packets else "audio"
                msg = f"{payload}: a stream of {encoding} carries {wanted}"
                raise UnreadableAudioError(msg, field=payload)
            case "config":
                msg = "config: it was sent already; a stream has one"
                raise MessageOrderError(msg, field="config")
            case _:
                msg = "payload: the message carries nothing"
                raise InvalidArgumentError(msg, field="payload")


def _pieces(data: bytes) -> Iterator[bytes]:
    if len(data) > _MOST_BYTES:
        _refuse("audio", f"{len(data)} bytes are more than {_MOST_BYTES}; send smaller pieces")
    for start in range(0, len(data), _PIECE_BYTES):
        yield data[start : start + _PIECE_BYTES]


def _packet(message: audio_pb2.OpusPacket) -> Packet:
    if not 1 <= len(message.data) <= _MOST_PACKET_BYTES:
        _refuse("packet.data", f"must have 1 to {_MOST_PACKET_BYTES} bytes")
    if not 0 <= message.sequence < _SEQUENCES:
        _refuse("packet.sequence", f"must be from 0 to {_SEQUENCES - 1}")
    if not 0 <= message.rtp_timestamp < _TIMESTAMPS:
        _refuse("packet.rtp_timestamp", f"must be from 0 to {_TIMESTAMPS - 1}")
    return Packet(message.data, message.sequence, message.rtp_timestamp)


def _refuse(field: str, why: str) -> NoReturn:
    msg = f"{field}: {why}"
    raise InvalidArgumentError(msg, field=field)
