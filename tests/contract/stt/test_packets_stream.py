"""Opus packets over a network that loses, delays, doubles and damages them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

FILES = ("librivox-0870.wav", "librivox-0920.wav", "jfk.flac")
SHORT = "librivox-0930.wav"
STOPS = [b"\xf8\xff\xfe"] * 5
"""What Discord's clients send before they stop."""
Encode = Callable[..., list[bytes]]
Wer = Callable[[str, str], float]
Load = Callable[[str], Any]


@dataclass(frozen=True)
class Sent:
    """A packet, numbered from the start of the stream, at its time in packets."""

    data: bytes
    sequence: int
    place: int

    def message(self, first: int = 65_500, begins: int = (1 << 32) - 48_000) -> Any:
        """As it is sent; both counters wrap within the first second."""
        packet = audio_pb2.OpusPacket(
            data=self.data,
            sequence=(first + self.sequence) % 65_536,
            rtp_timestamp=(begins + self.place * 960) % (1 << 32),
        )
        return pb.StreamTranscribeRequest(packet=packet)


def config() -> Any:
    audio_format = audio_pb2.AudioFormat(encoding=audio_pb2.AUDIO_ENCODING_OPUS_PACKETS)
    return pb.StreamTranscribeRequest(config=pb.StreamTranscribeConfig(format=audio_format))


def stream(packets: Iterable[Sent]) -> Iterable[Any]:
    yield config()
    for packet in packets:
        yield packet.message()


def utterance(data: list[bytes], *, sequence: int = 0, place: int = 0) -> list[Sent]:
    return [Sent(each, sequence + i, place + i) for i, each in enumerate([*data, *STOPS])]


def finals(events: list[Any]) -> list[Any]:
    return [event.final for event in events if event.WhichOneof("event") == "final"]


def text(events: list[Any]) -> str:
    return " ".join(final.text for final in finals(events))


async def mean_wer(
    stt: Any, voice: Load, opus: Encode, wer: Wer, harm: Callable[[list[Sent]], list[Sent]]
) -> float:
    """Of all files, each as packets with in-band FEC, as they come through the network."""
    rates = []
    for name in FILES:
        packets = utterance(opus(voice(name), fec=True))
        rates.append(wer(name, text(await stt.listen(stream(harm(packets))))))
    return float(np.mean(rates))


async def test_a_tenth_of_the_packets_lost_costs_hardly_a_word(
    stt: Any, voice: Load, opus: Encode, wer: Wer
) -> None:
    chance = random.Random(4)

    clean = await mean_wer(stt, voice, opus, wer, lambda packets: packets)
    lossy = await mean_wer(
        stt, voice, opus, wer, lambda packets: [p for p in packets if chance.random() > 0.1]
    )

    assert clean <= 0.1
    assert lossy <= clean + 0.1


async def test_losses_in_bursts_of_three_leave_most_words(
    stt: Any, voice: Load, opus: Encode, wer: Wer
) -> None:
    def harm(packets: list[Sent]) -> list[Sent]:
        return [packet for packet in packets if packet.sequence % 30 not in {10, 11, 12}]

    assert await mean_wer(stt, voice, opus, wer, harm) <= 0.25


async def test_packets_out_of_order_and_twice_give_the_words_of_packets_in_order(
    stt: Any, voice: Load, opus: Encode
) -> None:
    chance = random.Random(4)
    packets = utterance(opus(voice(FILES[1])))
    first, *others = packets
    mixed = sorted([*others, *others[::7]], key=lambda p: p.sequence + chance.uniform(0, 3))

    clean = await stt.listen(stream(packets))
    shuffled = await stt.listen(stream([first, *mixed]))

    assert text(clean)
    assert text(shuffled) == text(clean)


async def test_damaged_packets_are_a_moment_that_is_made_up(
    stt: Any, voice: Load, opus: Encode, wer: Wer
) -> None:
    chance = random.Random(4)

    def harm(packets: list[Sent]) -> list[Sent]:
        damaged = b"\xff\xff\xff\x07" * 5
        return [
            Sent(damaged, p.sequence, p.place) if chance.random() < 0.05 else p for p in packets
        ]

    assert await mean_wer(stt, voice, opus, wer, harm) <= 0.2


@pytest.mark.parametrize("gap_s", [1, 30, 3_000])
async def test_turns_are_at_their_time_however_long_nobody_spoke(
    stt: Any, voice: Load, opus: Encode, wer: Wer, gap_s: int
) -> None:
    first = utterance(opus(voice(SHORT)))
    place = len(first) + gap_s * 50
    second = utterance(opus(voice(SHORT)), sequence=len(first), place=place)

    one, two = finals(await stt.listen(stream([*first, *second])))

    began = [final.speech_start_offset.ToMilliseconds() / 1_000 for final in (one, two)]
    assert began[1] - began[0] == pytest.approx(place * 0.02, abs=0.1)
    assert two.segments[0].start_offset.ToMilliseconds() / 1_000 > began[1] - 0.5
    assert wer(SHORT, one.text) <= 0.2
    assert wer(SHORT, two.text) <= 0.2


async def test_a_sender_that_begins_anew_is_heard_on(
    stt: Any, voice: Load, opus: Encode, wer: Wer
) -> None:
    data = opus(np.concatenate([voice(SHORT), np.zeros(16_000, dtype=np.float32)]))
    requests = [config()]
    requests += [packet.message(100, 5_000) for packet in utterance(data)]
    requests += [packet.message(40_000, 3_000_000_000) for packet in utterance(data)]

    one, two = finals(await stt.listen(requests))

    assert wer(SHORT, one.text) <= 0.2
    assert wer(SHORT, two.text) <= 0.2
    assert two.speech_start_offset.ToMilliseconds() > one.speech_end_offset.ToMilliseconds()


async def test_packets_in_bursts_are_one_turn_that_ends_without_another_packet(
    stt: Any, voice: Load, opus: Encode, wer: Wer
) -> None:
    """Live: six packets every 120 ms, then nothing, with the stream open."""
    packets = utterance(opus(voice(SHORT)))
    over = asyncio.Event()

    async def sending() -> AsyncIterator[Any]:
        yield config()
        for start in range(0, len(packets), 6):
            for packet in packets[start : start + 6]:
                yield packet.message()
            await asyncio.sleep(0.12)
        async with asyncio.timeout(10):
            await over.wait()

    events = []
    async for event in stt.stub.StreamTranscribe(sending()):
        events.append(event)
        if event.WhichOneof("event") == "final":
            over.set()

    (final,) = finals(events)
    assert final.reason == pb.END_OF_TURN_REASON_SILENCE
    assert wer(SHORT, final.text) <= 0.2
