"""Training data in the formats of OpenAI's fine-tuning, and its rules.

A job has up to two stages: examples are learnt by supervised fine-tuning, then pairs by DPO, from
the model that the first stage made. Each stage wants at least 10 records
(https://developers.openai.com/api/docs/guides/supervised-fine-tuning and
/direct-preference-optimization).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from voicemesh_trainer.datasets.chats import turns_of
from voicemesh_trainer.errors import TrainingDataError

if TYPE_CHECKING:
    from voicemesh_trainer.domain.jobs import TrainingSettings
    from voicemesh_trainer.domain.training_data import (
        PreferencePair,
        TrainingData,
        TrainingExample,
    )

__all__ = ("LEAST_RECORDS", "Plan", "Stage", "planned")

LEAST_RECORDS = 10
_MOST_BYTES = 512 * 1024 * 1024
_MOST_BETA = 2.0
_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Stage:
    """One job at the provider."""

    method: str
    """`supervised` or `dpo`."""
    records: bytes
    """The file to upload: JSON lines."""
    record_count: int
    """How many there are."""


@dataclass(frozen=True)
class Plan:
    """What is to be done at the provider."""

    stages: tuple[Stage, ...]
    """One or two, in order."""
    warnings: tuple[str, ...]
    """What people should know; one line each."""


def planned(data: TrainingData, settings: TrainingSettings) -> Plan:
    """Makes the files to upload; takes a second for 100,000 examples.

    Raises:
        TrainingDataError: if OpenAI would refuse them, or the settings.
    """
    _check(settings)
    warnings = _unused(settings)
    asked = [each for each in data.examples if each.prompt.strip()]
    if plain := len(data.examples) - len(asked):
        warnings.append(f"{plain} plain texts without a question are left out")
    stages: list[Stage] = []
    if len(asked) >= LEAST_RECORDS:
        stages.append(_stage("supervised", [_supervised(each) for each in asked]))
    elif asked and len(data.pairs) >= LEAST_RECORDS:
        warnings.append(f"{len(asked)} examples are too few for a stage of their own")
    if len(data.pairs) >= LEAST_RECORDS:
        stages.append(_stage("dpo", [_preference(each) for each in data.pairs]))
    elif data.pairs:
        warnings.append(
            f"{len(data.pairs)} pairs of a good and a bad answer are left out: OpenAI wants "
            f"{LEAST_RECORDS} of them"
        )
    if not stages:
        msg = (
            f"OpenAI wants at least {LEAST_RECORDS} examples with a question; the dataset has "
            f"{len(asked)}"
        )
        raise TrainingDataError(msg)
    return Plan(tuple(stages), tuple(warnings))


def _check(settings: TrainingSettings) -> None:
    strength = settings.preference_strength
    if strength is not None and strength > _MOST_BETA:
        msg = f"settings.preference_strength is {strength:g}; OpenAI takes at most {_MOST_BETA:g}"
        raise TrainingDataError(msg)
    if settings.seed is not None and not 0 <= settings.seed <= _LARGEST_SEED:
        msg = f"settings.seed is {settings.seed}; OpenAI takes 0 to {_LARGEST_SEED}"
        raise TrainingDataError(msg)


def _unused(settings: TrainingSettings) -> list[str]:
    names = ("learning_rate", "lora_rank", "max_example_tokens", "paraphrase_count")
    return [
        f"settings.{name} is not used: OpenAI chooses it"
        for name in names
        if getattr(settings, name) is not None
    ]


def _stage(method: str, records: list[dict[str, Any]]) -> Stage:
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    content = ("\n".join(lines) + "\n").encode("utf-8", "replace")
    if len(content) > _MOST_BYTES:
        msg = f"the examples take {len(content) >> 20} MiB; OpenAI takes {_MOST_BYTES >> 20} MiB"
        raise TrainingDataError(msg)
    return Stage(method, content, len(records))


def _supervised(example: TrainingExample) -> dict[str, Any]:
    before = _before(example.system_prompt, example.context, example.prompt)
    return {"messages": [*before, _message("assistant", example.completion)]}


def _preference(pair: PreferencePair) -> dict[str, Any]:
    return {
        "input": {"messages": _before(pair.system_prompt, pair.context, pair.prompt)},
        "preferred_output": [_message("assistant", pair.chosen)],
        "non_preferred_output": [_message("assistant", pair.rejected)],
    }


def _before(system_prompt: str, context: str, prompt: str) -> list[dict[str, str]]:
    """What comes before the answer."""
    system = [_message("system", system_prompt)] if system_prompt.strip() else []
    before = [_message(role, text) for role, text in turns_of(context)]
    return [*system, *before, _message("user", prompt)]


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
