"""How soon a silence makes a soft stop."""

from __future__ import annotations

import pytest

from voicemesh_stt.live.soft_stop import SoftStopPacing

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("words_s", "soft_stop_s"),
    [(0.05, 0.096), (0.154, 0.096), (0.2, 0.05), (0.218, 0.032), (1.0, 0.032)],
)
def test_the_slower_words_are_the_sooner_they_are_asked_for(
    words_s: float, soft_stop_s: float
) -> None:
    pacing = SoftStopPacing()
    for _ in range(50):
        pacing.words_took(words_s)

    assert pacing.soft_stop_s == pytest.approx(soft_stop_s, abs=0.001)


def test_it_starts_patient_and_one_slow_answer_does_not_change_everything() -> None:
    pacing = SoftStopPacing()
    assert pacing.soft_stop_s == 0.096

    pacing.words_took(0.3)

    assert 0.032 < pacing.soft_stop_s < 0.096
