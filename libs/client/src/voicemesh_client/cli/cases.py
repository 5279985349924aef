"""Files of test cases: prompts with their expected answers."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from voicemesh_client.errors import InvalidArgumentError
from voicemesh_client.evaluation import EvaluationCase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ("cases_in",)

_PROMPTS = ("prompt", "question")
_ANSWERS = ("expected", "completion", "answer")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def cases_in(file: Path) -> tuple[EvaluationCase, ...]:
    """The cases of a file: CSV or TSV with a header, JSON with a list of objects, or JSONL.

    The prompt is named `prompt` or `question`, the answer `expected`, `completion` or `answer`, so
    that an exported dataset can be used as it is.

    Raises:
        OSError: if the file cannot be read.
        InvalidArgumentError: names the first place that does not fit.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        cases = tuple(
            EvaluationCase(_value(row, _PROMPTS, place), _value(row, _ANSWERS, place))
            for place, row in _rows(file, text)
        )
    except UnicodeDecodeError as error:
        raise _refused(f"{file} is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise _refused(f"{file} is not JSON: {error}") from error
    except csv.Error as error:
        raise _refused(f"{file} is not CSV: {error}") from error
    if not cases:
        raise _refused(f"{file} has no cases")
    return cases


def _rows(file: Path, text: str) -> Iterator[tuple[str, Any]]:
    """Each row, and where it is."""
    ending = file.suffix.casefold()
    if ending in _DELIMITERS:
        lines = csv.DictReader(text.splitlines(keepends=True), delimiter=_DELIMITERS[ending])
        for row in lines:
            yield f"{file}, line {lines.line_num}", row
    elif ending in {".jsonl", ".ndjson"}:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield f"{file}, line {number}", _object(line, f"{file}, line {number}")
    else:
        whole = json.loads(text)
        if not isinstance(whole, list):
            raise _refused(f"{file} has no list of cases")
        yield from ((f"{file}, case {number}", row) for number, row in enumerate(whole, 1))


def _object(line: str, place: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _refused(f"{place}: not JSON: {error}") from error


def _value(row: Any, names: Iterable[str], place: str) -> str:
    fields = row if isinstance(row, dict) else {}
    value = next((fields[name] for name in names if fields.get(name)), None)
    if not isinstance(value, str) or not value.strip():
        raise _refused(f"{place}: no {' or '.join(names)}")
    return value


def _refused(sentence: str) -> InvalidArgumentError:
    return InvalidArgumentError(sentence, field="cases")
