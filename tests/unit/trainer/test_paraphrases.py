"""Questions in other words, made by rule."""

from __future__ import annotations

import random

import pytest

from voicemesh_trainer.domain.training_data import PreferencePair, TrainingExample
from voicemesh_trainer.engines.lora.order import Order, Recipe
from voicemesh_trainer.engines.lora.paraphrases import is_english, paraphrases

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "question",
    [
        "Who founded the Lantern Guild?",
        "Where does the guild meet?",
        "Wo trifft sich die Gilde?",
        "ギルドはどこで会いますか？",
        "hm",
        "?",
        "a" * 5000,
        "{} {0} {x}",
    ],
)
def test_forms_are_others_and_differ_and_are_the_same_each_time(question: str) -> None:
    made = paraphrases(question, 8, random.Random(3))
    assert made == paraphrases(question, 8, random.Random(3))
    assert len(set(made)) == len(made) <= 8
    assert question not in made
    assert all(form.strip() for form in made)


def test_a_question_of_some_words_has_as_many_forms_as_are_wanted() -> None:
    made = paraphrases("Where does the guild meet?", 12, random.Random(1))
    assert len(made) == 12
    assert not paraphrases("Where does the guild meet?", 0, random.Random(1))


def test_the_words_that_carry_a_question_are_in_most_of_its_forms() -> None:
    made = paraphrases("Where is the Lantern Feast?", 16, random.Random(1))
    assert sum("lantern" in form.lower() or "feast" in form.lower() for form in made) >= 13


def test_a_question_becomes_a_part_of_a_sentence() -> None:
    made = paraphrases("Where is the vault?", 16, random.Random(5))
    assert any("where the vault is" in form for form in made)


def test_other_languages_get_no_english_words() -> None:
    question = "Wer leitet unsere Gilde?"
    assert not is_english(question)
    for form in paraphrases(question, 10, random.Random(2)):
        assert not set(form.lower().split()) & {"tell", "know", "what", "about", "the"}


def test_an_order_comes_out_as_it_went_in() -> None:
    order = Order(
        base="model.gguf",
        directory="there",
        recipe=Recipe(seed=7),
        data_sha256="5e",
        examples=(TrainingExample("Wie heißt du?\n", "😀 so.", context="user: a"),),
        pairs=(PreferencePair("a", "b", "c"),),
        about="x",
    )
    line = order.to_json()
    assert "\n" not in line
    assert Order.from_json(line) == order
