"""`voicemesh tuned evaluate`."""

# No `from __future__ import annotations`: typer reads these annotations at run time.

import json
from collections.abc import Sequence
from contextlib import aclosing, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from voicemesh_client.cli.asking import asked, show_table
from voicemesh_client.cli.cases import cases_in
from voicemesh_client.cli.failures import complain, plain_failures
from voicemesh_client.cli.options import (
    DEFAULT_TARGETS,
    DEFAULT_TENANT,
    Tenant,
    Token,
    TrainerTarget,
)
from voicemesh_client.cli.texts import put
from voicemesh_client.evaluation import (
    ComparedScores,
    EvaluationCase,
    EvaluationOptions,
    EvaluationScores,
    Prediction,
)
from voicemesh_client.models import Models

__all__ = ("evaluate",)


@dataclass
class _Outcome:
    predictions: list[Prediction] = field(default_factory=list)
    scores: EvaluationScores | None = None
    compared_scores: EvaluationScores | None = None


def evaluate(  # noqa: PLR0913 - one parameter for each option
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Cases: .csv, .json or .jsonl.", exists=True, dir_okay=False
        ),
    ],
    model: Annotated[str, typer.Option(help="Model; the active one if left out.")] = "",
    compare: Annotated[str, typer.Option(help="A second model to be asked the same.")] = "",
    judge: Annotated[str, typer.Option(help="Model that says which answers are right.")] = "",
    no_memory: Annotated[bool, typer.Option("--no-memory", help="Not what was taught.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all answers as JSON.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    trainer: TrainerTarget = DEFAULT_TARGETS["trainer"],
    token: Token = None,
) -> None:
    """Test a model on prompts with expected answers, and print its scores."""
    options = EvaluationOptions(model, compare, judge, no_memory)
    with plain_failures():
        cases = cases_in(file)

        async def work(models: Models) -> _Outcome:
            return await _tested(models, cases, tenant, options)

        outcome = asked(Models, trainer, token, work)
        if as_json:
            put(json.dumps(asdict(outcome), default=str, ensure_ascii=False, indent=2))
        else:
            _print(outcome)
        if outcome.scores is None:
            complain("the service ended the test without scores")
            raise typer.Exit(1)
        if outcome.scores.error_count == outcome.scores.case_count:
            complain("no case was answered")
            raise typer.Exit(1)


async def _tested(
    models: Models, cases: Sequence[EvaluationCase], tenant: str, options: EvaluationOptions
) -> _Outcome:
    outcome = _Outcome()
    answers = len(cases) * (2 if options.compared_model else 1)
    console = Console(stderr=True)
    with console.status("asking") if console.is_terminal else nullcontext() as status:
        async with aclosing(models.evaluate(cases, tenant=tenant, options=options)) as events:
            async for event in events:
                match event:
                    case Prediction():
                        outcome.predictions.append(event)
                        if status is not None:
                            status.update(f"{len(outcome.predictions)} of {answers} answered")
                    case ComparedScores():
                        outcome.compared_scores = event.scores
                    case EvaluationScores():
                        outcome.scores = event
    return outcome


def _print(outcome: _Outcome) -> None:
    columns = [each for each in (outcome.scores, outcome.compared_scores) if each is not None]
    rows = [_lines(scores) for scores in columns]
    if rows:
        headings = ("SCORE", *(scores.model for scores in columns))
        show_table(headings, ([name, *(row[name] for row in rows)] for name in rows[0]))
    for prediction in outcome.predictions:
        if prediction.error:
            where = f"case {prediction.case_index + 1}, {prediction.model}"
            put(f"{where}: {prediction.error}", err=True)


def _lines(scores: EvaluationScores) -> dict[str, Any]:
    judged = f"{scores.judged_right:.1%} of {scores.judged_count}" if scores.judged_count else "-"
    return {
        "cases": str(scores.case_count),
        "errors": str(scores.error_count),
        "exact match": f"{scores.exact_match:.1%}",
        "normalised match": f"{scores.normalized_match:.1%}",
        "token F1": f"{scores.token_f1:.3f}",
        "chrF": f"{scores.chrf:.1f}",
        "judged right": judged,
        "median time": f"{scores.median_s:.2f} s",
    }
