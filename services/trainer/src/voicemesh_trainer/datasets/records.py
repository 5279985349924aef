"""One row of a file, by its names and values, to the examples in it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_trainer.datasets.chats import chat_of, is_chat
from voicemesh_trainer.datasets.columns import Column, columns_named, polarity_named
from voicemesh_trainer.datasets.lines import flaw_of
from voicemesh_trainer.domain.datasets import Draft
from voicemesh_trainer.domain.lessons import Polarity

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("RecordReader", "UnusableRowError", "has_answers")

_RETURNS = re.compile(r"\r\n?")
_ASKING = frozenset({Column.PROMPT, Column.INSTRUCTION, Column.INPUT})
_ANSWERS = (Column.COMPLETION, Column.TEXT, Column.CHOSEN, Column.REJECTED)


class UnusableRowError(Exception):
    """A row cannot be used; the message says why, for people."""


def has_answers(columns: Mapping[Column, str]) -> bool:
    """Whether rows with these columns can be examples."""
    return any(column in columns for column in _ANSWERS)


@dataclass(frozen=True)
class RecordReader:
    """Makes examples of rows."""

    polarity: Polarity
    """Of rows that do not say it themselves."""
    author_id: str
    """Who gives them."""
    field_characters: int
    """Most characters of a field."""

    def drafts(self, record: Mapping[str, object], source: str) -> list[Draft]:
        """The examples in a row, at least one.

        Args:
            record: values by name.
            source: where the row stands.

        Raises:
            UnusableRowError: if there is none.
        """
        try:
            columns = columns_named(record)
        except ValueError as error:
            raise UnusableRowError(str(error)) from None
        polarity = self._polarity(record, columns)
        if is_chat(record):
            try:
                examples = chat_of(record, self.field_characters)
            except ValueError as error:
                raise UnusableRowError(str(error)) from None
            return [
                self._draft(
                    {
                        "system_prompt": each.system_prompt,
                        "context": each.context,
                        "prompt": each.prompt,
                        "completion": each.completion,
                    },
                    polarity if each.polarity is None else each.polarity,
                    source,
                )
                for each in examples
            ]
        return self._flat(record, columns, polarity, source)

    def _flat(
        self,
        record: Mapping[str, object],
        columns: Mapping[Column, str],
        polarity: Polarity,
        source: str,
    ) -> list[Draft]:
        def text(column: Column) -> str:
            return _text(record, columns[column]) if column in columns else ""

        if not has_answers(columns):
            found = ", ".join(repr(name[:40]) for name in list(record)[:10])
            msg = f"none of its names is known as an answer's; it has {found or 'none'}"
            raise UnusableRowError(msg)
        prompt = text(Column.PROMPT)
        if Column.INSTRUCTION in columns:
            parts = (text(Column.INSTRUCTION), text(Column.INPUT))
            prompt = "\n\n".join(part.strip() for part in parts if part.strip())
        elif Column.INPUT in columns:
            prompt = text(Column.INPUT)
        around = {
            "system_prompt": text(Column.SYSTEM),
            "context": text(Column.CONTEXT),
            "prompt": prompt,
        }
        if Column.CHOSEN in columns or Column.REJECTED in columns:
            answers = [
                (text(Column.CHOSEN), Polarity.POSITIVE),
                (text(Column.REJECTED), Polarity.NEGATIVE),
            ]
            answers = [(answer, of) for answer, of in answers if answer.strip()]
        else:
            only = Column.COMPLETION if Column.COMPLETION in columns else Column.TEXT
            answers = [(text(only), polarity)] if text(only).strip() else []
        if not answers and not prompt.strip() and text(Column.TEXT).strip():
            answers = [(text(Column.TEXT), polarity)]
        elif not prompt.strip() and _ASKING.intersection(columns):
            msg = "it has no question"
            raise UnusableRowError(msg)
        if not answers:
            msg = "it has no answer"
            raise UnusableRowError(msg)
        return [self._draft({**around, "completion": said}, of, source) for said, of in answers]

    def _polarity(self, record: Mapping[str, object], columns: Mapping[Column, str]) -> Polarity:
        value = record.get(columns[Column.POLARITY]) if Column.POLARITY in columns else None
        if value is None or (isinstance(value, str) and not value.strip()):
            return self.polarity
        polarity = polarity_named(value)
        if polarity is None:
            name = columns[Column.POLARITY]
            msg = f"{name!r} is neither positive nor negative: {str(value)[:40]!r}"
            raise UnusableRowError(msg)
        return polarity

    def _draft(self, texts: Mapping[str, str], polarity: Polarity, source: str) -> Draft:
        clean: dict[str, str] = {}
        for name, raw in texts.items():
            spoken = name.replace("_", " ")
            if flaw := flaw_of(raw):
                msg = f"the {spoken} cannot be used: {flaw}"
                raise UnusableRowError(msg)
            text = _RETURNS.sub("\n", raw).strip() if "\r" in raw else raw.strip()
            if len(text) > self.field_characters:
                msg = (
                    f"the {spoken} has {len(text)} characters; "
                    f"at most {self.field_characters} are taken"
                )
                raise UnusableRowError(msg)
            clean[name] = text
        if not clean["completion"]:
            msg = "it has no answer"
            raise UnusableRowError(msg)
        return Draft(
            prompt=clean["prompt"],
            completion=clean["completion"],
            polarity=polarity,
            system_prompt=clean["system_prompt"],
            context=clean["context"],
            author_id=self.author_id,
            source=source,
        )


def _text(record: Mapping[str, object], name: str) -> str:
    value = record[name]
    match value:
        case str():
            return value
        case None:
            return ""
        case bool() | int() | float():
            return str(value)
        case _:
            msg = f"{name!r} is not text"
            raise UnusableRowError(msg)
