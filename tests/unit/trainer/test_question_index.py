"""Lessons are found by the words of their questions."""

from __future__ import annotations

import pytest

from voicemesh_trainer.domain.lessons import Lesson, LessonKind, Polarity
from voicemesh_trainer.memory.question_index import QuestionIndex

pytestmark = pytest.mark.unit


def lesson(name: str, question: str, *, group: str = "") -> Lesson:
    return Lesson(
        name, LessonKind.EXAMPLE, Polarity.POSITIVE, question, f"answer {name}", group_id=group
    )


@pytest.fixture
def index() -> QuestionIndex:
    index = QuestionIndex()
    index.add(
        [
            lesson("a", "Who leads the guild?", group="d1"),
            lesson("b", "Where is the fortress of the guild?", group="d1"),
            lesson("c", "What does the red banner mean?", group="d2"),
            lesson("d", "公会的首领是谁？"),
        ]
    )
    index.commit()
    return index


def names(index: QuestionIndex, question: str, most: int = 3) -> list[str]:
    return [found.lesson.lesson_id for found in index.find(question, most)]


def test_the_nearest_comes_first_with_how_near_it_is(index: QuestionIndex) -> None:
    found = index.find("who leads the guild", 2)
    assert [each.lesson.lesson_id for each in found] == ["a", "b"]
    assert found[0].similarity == pytest.approx(1.0)
    assert 0 < found[1].similarity < 0.5
    assert found[0].lesson == lesson("a", "Who leads the guild?", group="d1")


def test_rare_words_weigh_more(index: QuestionIndex) -> None:
    assert names(index, "the guild's banner")[0] == "c"


def test_scripts_without_spaces_are_found(index: QuestionIndex) -> None:
    assert names(index, "首领是谁")[0] == "d"


def test_nothing_is_found_for_words_that_nobody_asked(index: QuestionIndex) -> None:
    assert names(index, "xylophone") == []
    assert names(index, "") == []
    assert names(index, "?!") == []


def test_what_is_removed_is_not_found(index: QuestionIndex) -> None:
    index.remove(lesson_id="a")
    index.commit()
    assert "a" not in names(index, "who leads the guild")
    index.remove(group_id="d1")
    index.commit()
    assert len(index) == 2
    assert names(index, "fortress") == []


def test_what_is_added_after_its_removal_is_found(index: QuestionIndex) -> None:
    index.remove(lesson_id="a")
    index.add([lesson("a", "Who leads the guild?")])
    index.commit()
    assert names(index, "who leads the guild")[0] == "a"
    assert len(index) == 4


def test_query_syntax_is_only_words(index: QuestionIndex) -> None:
    assert names(index, 'guild" AND (NOT leads) words:* [a TO z] lesson_id:a')[0] in {"a", "b"}


def test_known_words_are_those_of_any_question(index: QuestionIndex) -> None:
    assert index.knows("banner")
    assert not index.knows("bannr")
