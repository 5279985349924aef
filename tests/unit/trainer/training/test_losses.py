"""The curve of a run's loss."""

from __future__ import annotations

import pytest

from voicemesh_trainer.training.losses import curve_png, with_loss

pytestmark = pytest.mark.unit


def test_a_curve_stays_short_and_keeps_its_shape() -> None:
    losses: tuple[tuple[int, float], ...] = ()
    for step in range(1, 5001):
        losses = with_loss(losses, step, 1 / step)

    assert len(losses) <= 400
    assert losses[-1] == (5000, 1 / 5000)
    steps = [step for step, _ in losses]
    assert steps == sorted(set(steps))
    assert steps[0] == 1


def test_a_resumed_run_replaces_what_was_lost() -> None:
    losses = ((1, 3.0), (2, 2.0), (3, 1.0))

    assert with_loss(losses, 2, 2.5) == ((1, 3.0), (2, 2.5))


@pytest.mark.parametrize(("step", "loss"), [(0, 1.0), (5, float("nan")), (5, float("inf"))])
def test_what_is_no_loss_is_left_out(step: int, loss: float) -> None:
    assert with_loss(((1, 3.0),), step, loss) == ((1, 3.0),)


def test_a_curve_becomes_a_picture() -> None:
    picture = curve_png(((1, 3.0), (2, 1.0)), "a $title$ with_signs")

    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) > 5000
