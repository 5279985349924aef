"""Sound in pieces is the sound of the whole; the first piece is short, the next longer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voicemesh_tts.engines.piper.network import (
    LONGEST_S,
    Crowd,
    Network,
    Scales,
    SplitNetwork,
    WholeNetwork,
    stretches,
)
from voicemesh_tts.engines.piper.splits import make_split

pytestmark = pytest.mark.unit

PutVoice = Callable[..., Path]
SCALES = Scales(0, 1, 0)
RATE, HOP = 8_000, 32
FIRST_S = 0.15


def session(model: Path | bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(
        str(model) if isinstance(model, Path) else model, providers=["CPUExecutionProvider"]
    )


def both(voice: Path) -> tuple[Network, Network]:
    halves = make_split(voice)
    assert halves is not None
    decoder = session(halves.decoder)
    split = SplitNetwork(session(halves.encoder), decoder, decoder, Crowd(), RATE)
    return split, WholeNetwork(session(voice), HOP)


@pytest.mark.parametrize("speaker", [None, 0, 1])
def test_pieces_are_the_whole_bit_for_bit(
    put_voice: PutVoice,
    make_model: Callable[..., object],
    phoneme_ids: NDArray[np.int64],
    speaker: int | None,
) -> None:
    count = 1 if speaker is None else 2
    split, whole = both(put_voice(model=make_model(speakers=count)))
    ids = np.tile(phoneme_ids, 8).tolist()

    pieces = split.say(ids, SCALES, speaker, FIRST_S)
    parts = list(pieces.parts)
    (sound,) = whole.say(ids, SCALES, speaker, FIRST_S).parts

    assert len(parts) >= 4
    assert (np.concatenate(parts) == sound).all()
    assert pieces.sample_count == len(sound)
    assert pieces.lengths is not None
    assert pieces.lengths.sum() == len(sound)
    assert all(part.base is None for part in parts)


def test_the_first_piece_is_short_only_for_who_waits(
    put_voice: PutVoice, phoneme_ids: NDArray[np.int64]
) -> None:
    split, _ = both(put_voice())
    ids = np.tile(phoneme_ids, 8).tolist()

    first, *_ = split.say(ids, SCALES, None, FIRST_S).parts
    later, *_ = split.say(ids, SCALES, None, LONGEST_S).parts

    assert len(first) < 0.5 * RATE < len(later)


def test_a_longer_scale_is_longer(put_voice: PutVoice, phoneme_ids: NDArray[np.int64]) -> None:
    split, _ = both(put_voice())

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


@given(st.integers(0, 3000), st.integers(1, 100), st.integers(1, 400))
def test_stretches_follow_one_another_and_grow(count: int, first: int, longest: int) -> None:
    found = list(stretches(count, first, longest))

    assert [start for start, _ in found] == [0, *(end for _, end in found)][: len(found)]
    assert (found[-1][1] if found else 0) == count
    sizes = [end - start for start, end in found]
    assert all(0 < size <= longest + longest // 4 for size in sizes)
    assert all(one <= other for one, other in itertools.pairwise(sizes[:-1]))
