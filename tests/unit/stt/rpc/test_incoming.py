"""The messages of a live stream as they are handed on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh_stt.domain import Encoding, FinishTurn, LiveItem
from voicemesh_stt.rpc.incoming import live_items

pytestmark = pytest.mark.unit

HALF_A_SECOND = 16_384


async def handed_on(*messages: pb.StreamTranscribeRequest) -> list[LiveItem]:
    async def sent() -> AsyncIterator[pb.StreamTranscribeRequest]:
        for message in messages:
            yield message

    return [item async for item in live_items(sent(), Encoding.PCM_S16LE)]


async def test_a_long_message_is_heard_piece_by_piece_so_that_others_are_heard_in_between() -> None:
    audio = bytes(range(256)) * 4_096

    *pieces, last = await handed_on(
        pb.StreamTranscribeRequest(audio=audio),
        pb.StreamTranscribeRequest(finish_turn=pb.FinishTurn()),
    )

    heard = [piece for piece in pieces if isinstance(piece, bytes)]
    assert len(heard) == len(pieces) == len(audio) / HALF_A_SECOND
    assert b"".join(heard) == audio
    assert isinstance(last, FinishTurn)
