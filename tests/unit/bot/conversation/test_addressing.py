"""Whether a name is said, and whether words go on with the bot's last answer."""

from __future__ import annotations

import pytest

from voicemesh_bot.conversation.addressing import (
    Attention,
    is_question,
    letters_of,
    without_name,
)
from voicemesh_bot.conversation.options import ConversationOptions
from voicemesh_bot.conversation.phrases import phrases_for
from voicemesh_bot.conversation.words import words_of
from voicemesh_bot.domain import Address

pytestmark = pytest.mark.unit

NAMES = letters_of(("Max", "Voice Mesh", "Zoë", "ボット", " "))


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Max, what is the time?", "what is the time"),
        ("Hey Max what is the time", "what is the time"),
        ("Oh hey there Max", "oh hey there"),
        ("Oh hey there Max, hello", None),  # "there" is no call.
        ("Okay, so, hey Max: go on", "go on"),
        ("What is the time, Max?", "what is the time"),
        ("What is the time, Max, please?", "what is the time"),
        ("Thank you Max", "thank you"),
        ("Max?", ""),
        ("voicemesh, hello", "hello"),
        ("Voice mesh, hello", "hello"),
        ("Hello voice-mesh", ""),
        ("zoë, hallo", "hallo"),
        ("ボット、今何時ですか。", "今何時ですか"),
        ("I like the Max", None),
        ("Ask your Max", None),
        ("I asked Max yesterday", None),
        ("Maxine, hello", None),
        ("Marx, hello", None),
        ("mesh, hello", None),
        ("", None),
    ],
)
def test_a_name_counts_at_the_start_and_at_the_end_and_letter_by_letter(
    text: str, rest: str | None
) -> None:
    found = without_name(words_of(text), NAMES, phrases_for(""))

    assert (None if found is None else " ".join(found)) == rest


def test_only_the_start_is_certain_while_more_words_may_follow() -> None:
    phrases = phrases_for("en")

    assert without_name(words_of("what does Max"), NAMES, phrases, whole=False) is None
    assert without_name(words_of("hey Max what"), NAMES, phrases, whole=False) == ("what",)


def test_without_names_nothing_is_a_name() -> None:
    assert without_name(words_of("Max, hello"), letters_of(()), phrases_for("en")) is None


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Which city?", True),
        ("He asked: “which city?”", True),
        ("どこですか？ ", True),
        ("Which city? I mean Rome.", False),
        ("", False),
    ],
)
def test_a_question_is_what_ends_with_its_mark(text: str, asks: bool) -> None:
    assert is_question(text) is asks


@pytest.mark.parametrize(
    ("speaker", "began_s", "text", "reason"),
    [
        ("ann", 107.9, "It is noon.", Address.FOLLOW_UP),
        ("ann", 99.0, "It is noon.", Address.FOLLOW_UP),  # Still during the answer.
        ("ann", 108.1, "It is noon.", None),
        ("bob", 101.0, "It is noon.", None),
        ("bob", 101.0, "Which city?", Address.ANSWER),
        ("bob", 109.0, "Which city?", None),
    ],
)
def test_words_go_on_with_the_last_answer_for_a_while(
    speaker: str, began_s: float, text: str, reason: Address | None
) -> None:
    attention = Attention()
    assert attention.reason(speaker, began_s, ConversationOptions()) is None
    attention.note_answer({"ann"}, text, 100.0)

    assert attention.reason(speaker, began_s, ConversationOptions()) is reason


def test_nothing_goes_on_with_it_once_people_talk_to_each_other() -> None:
    attention = Attention()
    attention.note_answer({"ann"}, "It is noon.", 100.0)
    attention.note_aside(99.0)
    assert attention.reason("ann", 101.0, ConversationOptions()) is Address.FOLLOW_UP
    attention.note_aside(100.5)

    assert attention.reason("ann", 101.0, ConversationOptions()) is None
