"""Where a recording may be cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicemesh_stt.chunks import Chunk, ChunkPlanner, plan_chunks
from voicemesh_stt.ports import FRAME_S

pytestmark = pytest.mark.unit

SECOND = round(1 / FRAME_S)


def frames(*parts: tuple[float, float]) -> list[float]:
    """Probabilities from pairs of probability and seconds."""
    return [probability for probability, seconds in parts for _ in range(round(seconds / FRAME_S))]


def test_silence_has_no_chunks() -> None:
    assert plan_chunks(frames((0.1, 20))) == []
    assert plan_chunks([]) == []


def test_a_click_is_not_speech() -> None:
    assert plan_chunks([0.1] * 50 + [0.9] * 2 + [0.1] * 50) == []


def test_speech_is_kept_with_a_margin() -> None:
    (chunk,) = plan_chunks(frames((0.1, 5), (0.9, 2), (0.1, 5)))

    assert chunk.first_frame * FRAME_S == pytest.approx(4.7, abs=0.1)
    assert chunk.end_frame * FRAME_S == pytest.approx(7.3, abs=0.1)
    assert chunk.voiced_frames * FRAME_S == pytest.approx(2.0, abs=0.1)


def test_short_pauses_stay_inside_a_chunk_and_long_ones_divide() -> None:
    speech = (0.9, 2.0)

    near = plan_chunks(frames(speech, (0.1, 1.0), speech))
    far = plan_chunks(frames(speech, (0.1, 6.0), speech))

    assert (len(near), len(far)) == (1, 2)


@pytest.mark.parametrize("pause_s", [0.3, 0.5, 0.1])
def test_chunks_are_short_enough_cover_all_speech_and_do_not_overlap(pause_s: float) -> None:
    probabilities = frames(*[(0.9, 7.0), (0.1, pause_s)] * 20)

    chunks = plan_chunks(probabilities)

    covered = {frame for c in chunks for frame in range(c.first_frame, c.end_frame)}
    assert covered >= {index for index, p in enumerate(probabilities) if p > 0.5}
    assert sum(c.end_frame - c.first_frame for c in chunks) == len(covered)
    assert all((c.end_frame - c.first_frame) * FRAME_S <= 28.0 for c in chunks)


def test_speech_without_a_pause_is_cut_where_the_voice_is_weakest() -> None:
    probabilities = frames((0.9, 60))
    weak = 24 * SECOND
    probabilities[weak] = 0.4

    chunks = plan_chunks(probabilities)

    assert chunks[1].first_frame <= weak + 10
    assert abs(chunks[0].end_frame - weak) <= 10


# Runs of frames of one probability: long enough that pieces end, stretches are cut and gaps close.
RUNS = st.lists(
    st.tuples(
        st.sampled_from([0.1, 0.3, 0.4, 0.6, 0.9]), st.sampled_from([1, 2, 8, 9, 62, 63, 950])
    ),
    max_size=30,
)


@given(runs=RUNS, sizes=st.lists(st.integers(1, 900), min_size=1, max_size=20))
def test_the_same_pieces_come_however_the_recording_comes_in(
    runs: list[tuple[float, int]], sizes: list[int]
) -> None:
    probabilities = [probability for probability, count in runs for _ in range(count)]
    planner = ChunkPlanner()
    chunks: list[Chunk] = []
    place = 0
    while place < len(probabilities):
        for size in sizes:
            needed = planner.needed_from
            came = planner.push(probabilities[place : place + size])
            assert all(chunk.first_frame >= needed for chunk in came)
            chunks += came
            place += size

    assert chunks + planner.finish() == plan_chunks(probabilities)


@given(runs=RUNS)
def test_every_piece_is_short_and_holds_all_the_speech_there_is(
    runs: list[tuple[float, int]],
) -> None:
    probabilities = [probability for probability, count in runs for _ in range(count)]

    chunks = plan_chunks(probabilities)

    covered = [frame for c in chunks for frame in range(c.first_frame, c.end_frame)]
    assert covered == sorted(set(covered))
    assert all((c.end_frame - c.first_frame) * FRAME_S <= 28.0 for c in chunks)
    loud = {i for i, p in enumerate(probabilities) if p == 0.9}
    clicks = {i for i in loud if not {i - 1, i + 1} & loud} | {
        i for i in loud if not {i - 2, i - 1, i + 1, i + 2} <= loud
    }
    assert loud - clicks <= set(covered)


def test_a_piece_comes_soon_after_its_speech_and_silence_is_forgotten() -> None:
    planner = ChunkPlanner()

    assert planner.push(frames((0.1, 5), (0.9, 2), (0.1, 1.9))) == []
    (chunk,) = planner.push(frames((0.1, 0.4)))
    planner.push(frames((0.1, 600)))

    assert chunk.end_frame * FRAME_S == pytest.approx(7.3, abs=0.1)
    assert planner.needed_from * FRAME_S == pytest.approx(609.0, abs=0.5)


def test_no_piece_begins_before_the_first_frame() -> None:
    planner = ChunkPlanner(first_frame=100)
    chunks = planner.push(frames((0.9, 2), (0.1, 3)))

    assert chunks[0].first_frame == 100
