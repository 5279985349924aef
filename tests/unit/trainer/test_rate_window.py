"""How long a provider asks to be left alone."""

from __future__ import annotations

import pytest

from voicemesh_trainer.provider.rate import RateWindow, retry_after_s

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, 0),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9s"}, 9),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m12.5s"}, 72.5),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "120ms"}, 0.12),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "tomorrow"}, 0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "400d"}, 0),
        ({"x-ratelimit-remaining-tokens": "0"}, 0),
    ],
)
def test_what_is_used_up_is_waited_for(headers: dict[str, str], wait_s: float) -> None:
    window = RateWindow()
    window.answered(headers, now_s=100)

    assert window.wait_s(100) == pytest.approx(wait_s)


def test_a_refusal_counts_until_its_time_is_over() -> None:
    window = RateWindow()
    window.refused(5, now_s=100)
    window.answered({}, now_s=101)

    assert window.wait_s(102) == 3
    assert window.wait_s(105) == 0


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "99999999"}, None),
        ({}, None),
    ],
)
def test_a_refusal_may_say_how_long(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers) == wait_s
