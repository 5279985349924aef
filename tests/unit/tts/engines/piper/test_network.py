"""Sound in pieces is the sound of the whole; the first piece is short."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from voicemesh_tts.engines.piper.decoders import Crowd, Decoder, OnnxDecoder, OnnxModel
from voicemesh_tts.engines.piper.network import (
    LONGEST_S,
    Network,
    Plan,
    Scales,
    SplitNetwork,
    WholeNetwork,
)
from voicemesh_tts.engines.piper.splits import make_split

pytestmark = pytest.mark.unit

PutVoice = Callable[..., Path]
SCALES = Scales(0, 1, 0)
RATE, HOP = 8_000, 32
FIRST_S = 0.15


class CountedDecoder:
    """Another decoder that wants its frames in certain numbers, and tells what it got."""

    def __init__(self, decoder: Decoder, sizes: tuple[int, ...]) -> None:
        self._decoder = decoder
        self.sizes = sizes
        self.got: list[int] = []

    def decode(self, frames: NDArray[np.float32], speaker: int) -> NDArray[np.float32]:
        self.got.append(frames.shape[2])
        return self._decoder.decode(frames, speaker)


def opened(model: Path | bytes) -> OnnxModel:
    session = onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, providers=["CPUExecutionProvider"]
    )
    return OnnxModel(session, session, Crowd())


def both(voice: Path, sizes: tuple[int, ...] = ()) -> tuple[SplitNetwork, Network, CountedDecoder]:
    halves = make_split(voice)
    assert halves is not None
    encoder = opened(halves.encoder)
    decoder = CountedDecoder(OnnxDecoder(opened(halves.decoder)), sizes)
    split = SplitNetwork(encoder, decoder, Plan.of(encoder.facts), RATE)
    return split, WholeNetwork(opened(voice), HOP), decoder


@pytest.mark.parametrize("sizes", [(), (40, 56, 80, 200)])
@pytest.mark.parametrize("speaker", [None, 0, 1])
def test_pieces_are_the_whole_bit_for_bit(
    put_voice: PutVoice,
    make_model: Callable[..., object],
    phoneme_ids: NDArray[np.int64],
    speaker: int | None,
    sizes: tuple[int, ...],
) -> None:
    count = 1 if speaker is None else 2
    split, whole, decoder = both(put_voice(model=make_model(speakers=count)), sizes)
    ids = np.tile(phoneme_ids, 8).tolist()

    pieces = split.say(ids, SCALES, speaker, FIRST_S)
    parts = list(pieces.parts)
    (sound,) = whole.say(ids, SCALES, speaker, FIRST_S).parts

    assert len(parts) >= 4
    assert not sizes or set(decoder.got) <= set(sizes)
    assert (np.concatenate(parts) == sound).all()
    assert pieces.sample_count == len(sound)
    assert pieces.lengths is not None
    assert pieces.lengths.sum() == len(sound)
    assert all(part.base is None for part in parts)


def test_the_first_piece_is_short_only_for_who_waits(
    put_voice: PutVoice, phoneme_ids: NDArray[np.int64]
) -> None:
    split, *_ = both(put_voice())
    ids = np.tile(phoneme_ids, 8).tolist()

    first, *_ = split.say(ids, SCALES, None, FIRST_S).parts
    later, *_ = split.say(ids, SCALES, None, LONGEST_S).parts

    assert len(first) < 0.5 * RATE < len(later)


def test_a_longer_scale_is_longer(put_voice: PutVoice, phoneme_ids: NDArray[np.int64]) -> None:
    split, *_ = both(put_voice())

    ids = phoneme_ids.tolist()
    once = split.say(ids, Scales(0, 1, 0), None, FIRST_S).sample_count
    twice = split.say(ids, Scales(0, 2, 0), None, FIRST_S).sample_count

    assert 1.3 * once < twice < 2.2 * once


def test_only_one_of_a_crowd_is_alone() -> None:
    crowd = Crowd()

    with crowd.joined() as first, crowd.joined() as second:
        pass
    with crowd.joined() as again:
        pass

    assert (first, second, again) == (True, False, True)
