"""What was said before a question is learnt as it was said, wherever training runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from voicemesh_trainer.domain.conversations import Turn
from voicemesh_trainer.domain.jobs import TrainingSettings
from voicemesh_trainer.domain.training_data import PreferencePair, TrainingData
from voicemesh_trainer.engines.lora.order import Order, Recipe
from voicemesh_trainer.engines.lora.samples import Samples
from voicemesh_trainer.engines.openai_tuning.records import LEAST_RECORDS, planned

pytestmark = pytest.mark.unit

CASES = [
    (
        "user: Who?\nassistant: Ann,\nof us: all.",
        [("user", "Who?"), ("assistant", "Ann,\nof us: all.")],
    ),
    ("Note: it is late", [("user", "Note: it is late")]),
    ("User: Hi\nAssistant: Hello", [("user", "Hi"), ("assistant", "Hello")]),
    ("", []),
]


def pair(context: str) -> PreferencePair:
    return PreferencePair("And why?", "So.", "No.", context=context)


class Heard:
    """Stands where conversations become tokens, and keeps what came."""

    def __init__(self) -> None:
        self.histories: list[list[tuple[str, str]]] = []

    def sequence(self, history: Sequence[Turn], _system_prompt: str | None, _answer: str) -> None:
        self.histories.append([(turn.role.value, turn.text) for turn in history])


@pytest.mark.parametrize(("context", "turns"), CASES)
def test_a_local_run_reads_the_turns_before_a_question(
    context: str, turns: list[tuple[str, str]]
) -> None:
    heard: Any = Heard()
    order = Order("base", "directory", Recipe(), "0" * 64, pairs=(pair(context),))

    Samples(order, heard).pairs()

    assert heard.histories == 2 * [[*turns, ("user", "And why?")]]


@pytest.mark.parametrize(("context", "turns"), CASES)
def test_a_provider_is_sent_the_turns_before_a_question(
    context: str, turns: list[tuple[str, str]]
) -> None:
    data = TrainingData((), (pair(context),) * LEAST_RECORDS, 0, "0" * 64)

    (stage,) = planned(data, TrainingSettings()).stages

    sent = json.loads(stage.records.splitlines()[0])["input"]["messages"]
    assert [(each["role"], each["content"]) for each in sent] == [*turns, ("user", "And why?")]
