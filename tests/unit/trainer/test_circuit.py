"""Whether a provider that failed may be asked, on a scripted clock."""

from __future__ import annotations

import pytest

from voicemesh_trainer.domain.providers import CircuitState
from voicemesh_trainer.provider.circuit import Allowed, Circuit, CircuitLimits, Refused

pytestmark = pytest.mark.unit

LIMITS = CircuitLimits(failures=3, pause_s=10, longest_pause_s=30)


def passed(circuit: Circuit, now_s: float = 0) -> Allowed:
    permission = circuit.ask(now_s)
    assert isinstance(permission, Allowed)
    return permission


def opened(now_s: float = 0) -> Circuit:
    circuit = Circuit(LIMITS)
    for _ in range(LIMITS.failures):
        circuit.failed(passed(circuit, now_s), now_s)
    assert circuit.state is CircuitState.OPEN
    return circuit


def test_a_few_failures_do_not_open_it() -> None:
    circuit = Circuit(LIMITS)
    for _ in range(10):
        circuit.failed(passed(circuit), 0)
        circuit.failed(passed(circuit), 0)
        circuit.succeeded(passed(circuit))

    assert circuit.state is CircuitState.CLOSED


def test_an_open_one_says_when_to_come_again() -> None:
    circuit = opened(now_s=100)

    assert circuit.ask(104) == Refused(6)


def test_one_call_tries_and_the_others_are_refused() -> None:
    circuit = opened()
    passed(circuit, 10)

    assert circuit.state is CircuitState.HALF_OPEN
    assert isinstance(circuit.ask(10), Refused)


def test_a_try_that_succeeds_closes_it() -> None:
    circuit = opened()
    circuit.succeeded(passed(circuit, 10))

    assert circuit.state is CircuitState.CLOSED
    circuit.failed(passed(circuit), 11)
    assert circuit.state is CircuitState.CLOSED, "failures are counted anew"


def test_each_failed_try_doubles_the_pause_up_to_the_longest() -> None:
    circuit, now_s = opened(), 0.0
    for pause_s in (10, 20, 30, 30):
        assert circuit.ask(now_s) == Refused(pause_s)
        now_s += pause_s
        circuit.failed(passed(circuit, now_s), now_s)

    now_s += 30
    circuit.succeeded(passed(circuit, now_s))
    for _ in range(LIMITS.failures):
        circuit.failed(passed(circuit, now_s), now_s)
    assert circuit.ask(now_s) == Refused(10), "a success forgets the long pauses"


def test_a_try_that_nobody_waited_for_is_made_by_the_next_call() -> None:
    circuit = opened()
    circuit.abandoned(passed(circuit, 10), 11)

    passed(circuit, 11)
    assert circuit.state is CircuitState.HALF_OPEN


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "abandoned"])
def test_what_began_before_says_nothing_about_now(outcome: str) -> None:
    circuit = Circuit(LIMITS)
    late = passed(circuit)
    for _ in range(LIMITS.failures):
        circuit.failed(passed(circuit), 0)
    {
        "succeeded": lambda: circuit.succeeded(late),
        "failed": lambda: circuit.failed(late, 5),
        "abandoned": lambda: circuit.abandoned(late, 5),
    }[outcome]()

    assert circuit.state is CircuitState.OPEN
    assert circuit.ask(5) == Refused(5)
