"""Which words of successive partials are stable."""

from __future__ import annotations

from itertools import pairwise

import pytest

from voicemesh_stt.live.agreement import LocalAgreement

pytestmark = pytest.mark.unit


def stable_after(*hypotheses: str) -> list[str]:
    agreement = LocalAgreement()
    return [agreement.update(hypothesis).stable for hypothesis in hypotheses]


@pytest.mark.parametrize(
    ("hypotheses", "stable"),
    [
        (["what is the"], [""]),
        (["what is", "what is the"], ["", "what"]),
        (["what is the", "what is the time"], ["", "what is"]),
        (["what is the", "What is, the time"], ["", "What is,"]),
        (["a b c d", "x b c d"], ["", ""]),
        (["a b c d", "a b c d", "a x y z w"], ["", "a b c", "a b c"]),
        (["a", "", "a b"], ["", "", ""]),
        (["今日は天気", "今日は天気がいい"], ["", "今日は天"]),
    ],
)
def test_words_are_stable_once_two_hypotheses_agree_on_them(
    hypotheses: list[str], stable: list[str]
) -> None:
    assert stable_after(*hypotheses) == stable


def test_stable_text_never_changes_whatever_comes() -> None:
    hypotheses = ["one two three", "one two three four", "One, two six seven", "nine", "one two"]

    found = stable_after(*hypotheses)

    assert all(later.startswith(earlier) for earlier, later in pairwise(found))


def test_both_parts_together_are_the_hypothesis() -> None:
    agreement = LocalAgreement()
    agreement.update("he might even")

    text = agreement.update("he might even have been")

    assert text.stable + text.unstable == "he might even have been"


def test_stability_falls_when_words_change() -> None:
    steady, shaky = LocalAgreement(), LocalAgreement()
    for count in range(1, 6):
        kept = steady.update(" ".join("abcdefg"[: count + 1]))
        changed = shaky.update(f"x{count} y{count}")

    assert kept.stability > 0.9
    assert changed.stability < 0.1


def test_settled_words_are_stable_and_what_follows_is_agreed_on_anew() -> None:
    agreement = LocalAgreement()
    agreement.update("what is the")
    agreement.update("what is the time now")

    agreement.settle("What is the time now?")
    first = agreement.update(" I must go")
    second = agreement.update(" I must go home")

    assert first.stable == "what is the time now?"
    assert first.stable + first.unstable == "what is the time now? I must go"
    assert second.stable == "what is the time now? I must"
    assert second.unstable == " go home"


@pytest.mark.parametrize(
    ("stable", "settled", "expected"),
    [
        ("", "What is it?", "What is it?"),
        ("one two", "one two three", "one two three"),
        ("one too", "one two three four", "one too three four"),  # misheard at first
        ("one two three", "two three four", "one two three four"),
        ("alpha beta", "gamma delta epsilon", "alpha beta epsilon"),  # nothing to align by
        ("one two", "one two", "one two"),
    ],
)
def test_settling_never_changes_what_was_stable(stable: str, settled: str, expected: str) -> None:
    agreement = LocalAgreement()
    agreement.update(f"{stable} x y" if stable else "x")
    assert agreement.update(f"{stable} x y" if stable else "z").stable.startswith(stable)
    shown = agreement.update(f"{stable} z" if stable else "z").stable

    agreement.settle(settled)

    assert agreement.update(" w").stable.startswith(shown)
    if shown == stable:
        assert agreement.update(" w").stable == expected
