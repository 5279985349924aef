"""Finds the lessons whose questions are most like a question: BM25 by tantivy, in memory."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import tantivy

from voicemesh_trainer.domain.lessons import Found, Lesson, LessonKind, Polarity
from voicemesh_trainer.memory.questions import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ("QuestionIndex",)

_HEAP_BYTES = 16 * 1024 * 1024
_MOST_WORDS = 64
_TAUGHT_BEFORE = 50
"""Questions that are taken to have been taught before, with none of the words of the others."""
_KEPT_CHARACTERS = 2_000
"""Of an answer; longer ones would leave a model no room for the question."""


class QuestionIndex:
    """The lessons of one tenant, by their questions. Blocks; not for several threads at once."""

    def __init__(self) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("words", tokenizer_name="whitespace")
        # By these a lesson, or a whole dataset, is taken out again.
        builder.add_text_field("lesson_id", tokenizer_name="raw")
        builder.add_text_field("group_id", tokenizer_name="raw")
        builder.add_bytes_field("lesson", stored=True, indexed=False)
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema)
        # `commit` reloads; with tantivy's own watcher beside it, that takes 100 ms now and then.
        self._index.config_reader(reload_policy="manual")
        self._writer = self._index.writer(heap_size=_HEAP_BYTES, num_threads=1)

    def __len__(self) -> int:
        """How many lessons it knows."""
        return int(self._index.searcher().num_docs)

    def add(self, lessons: Iterable[Lesson]) -> None:
        """Takes lessons in; they are found after `commit`."""
        for lesson in lessons:
            document = tantivy.Document()
            document.add_text("words", " ".join(words_of(lesson.question)[:_MOST_WORDS]))
            document.add_text("lesson_id", lesson.lesson_id)
            document.add_text("group_id", lesson.group_id)
            document.add_bytes("lesson", _packed(lesson))
            self._writer.add_document(document)

    def remove(self, *, lesson_id: str = "", group_id: str = "") -> None:
        """Takes out a lesson, or all of a dataset, as of `commit`."""
        if lesson_id:
            self._writer.delete_documents_by_term("lesson_id", lesson_id)
        if group_id:
            self._writer.delete_documents_by_term("group_id", group_id)

    def commit(self) -> None:
        """Lets `find` see what was added and removed; takes some milliseconds."""
        self._writer.commit()
        self._index.reload()

    def knows(self, word: str) -> bool:
        """Whether a word stands in any question."""
        return bool(self._index.searcher().doc_freq("words", word))

    def get(self, lesson_ids: Sequence[str]) -> dict[str, Lesson]:
        """Lessons by their ids, of those it knows."""
        searcher = self._index.searcher()
        found = {}
        for lesson_id in lesson_ids:
            query = tantivy.Query.term_query(self._schema, "lesson_id", lesson_id)
            for _score, address in searcher.search(query, 1, count=False).hits:
                found[lesson_id] = _unpacked(searcher.doc(address))
        return found

    def find(self, question: str, most: int) -> Sequence[Found]:
        """The lessons nearest to a question, nearest first.

        Args:
            question: as it was asked.
            most: how many at most.
        """
        asked = list(dict.fromkeys(words_of(question)[:_MOST_WORDS]))
        if not asked:
            return []
        searcher = self._index.searcher()
        any_of = [
            (
                tantivy.Occur.Should,
                tantivy.Query.term_query(self._schema, "words", word),
            )
            for word in asked
        ]
        # More than are wanted, as BM25 and the share of words in common order differently.
        hits = searcher.search(tantivy.Query.boolean_query(any_of), most * 4, count=False).hits
        total = max(1, searcher.num_docs)
        weights: dict[str, float] = {}

        def weight(word: str) -> float:
            if word not in weights:
                weights[word] = _rarity(searcher.doc_freq("words", word), total)
            return weights[word]

        found = []
        for _score, address in hits:
            document = searcher.doc(address)
            lesson = _unpacked(document)
            words = set(words_of(lesson.question)[:_MOST_WORDS])
            common = sum(weight(word) for word in asked if word in words)
            either = sum(weight(word) for word in words.union(asked))
            found.append(Found(lesson, common / either if either else 0.0))
        found.sort(key=lambda each: each.similarity, reverse=True)
        return found[:most]


def _rarity(frequency: int, total: int) -> float:
    """Weight of a word: 1 for one that is nowhere, little for one that is everywhere.

    Where little was taught, a word that stands in all of it may still be a rare one.
    """
    share: float = frequency / (total + _TAUGHT_BEFORE)
    return 1.0 - 0.9 * math.sqrt(share)


def _packed(lesson: Lesson) -> bytes:
    texts = (lesson.question, lesson.answer, lesson.rejected_answer)
    fields = [
        lesson.kind.value,
        lesson.polarity.value,
        *(text[:_KEPT_CHARACTERS] for text in texts),
    ]
    return json.dumps([lesson.lesson_id, lesson.group_id, *fields]).encode()


def _unpacked(document: tantivy.Document) -> Lesson:
    stored: Any = document.get_first("lesson")
    lesson_id, group_id, kind, polarity, question, answer, rejected_answer = json.loads(
        bytes(stored)
    )
    return Lesson(
        lesson_id,
        LessonKind(kind),
        Polarity(polarity),
        question,
        answer,
        group_id=group_id,
        rejected_answer=rejected_answer,
    )
