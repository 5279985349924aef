"""Short things that people say, and what they mean."""

from __future__ import annotations

import pytest

from voicemesh_bot.conversation.phrases import LANGUAGES, phrases_for
from voicemesh_bot.conversation.words import contains_words, same_words, words_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("language", "text", "listens"),
    [
        ("en", "Mm-hmm.", True),
        ("en", "Yeah, yeah, right", True),
        ("en", "Oh, I see.", True),
        ("en", "Yeah yeah yeah okay", False),  # More than three words.
        ("en", "Yeah but", False),
        ("en", "I see a cat", False),
        ("en", "ja", False),
        ("de-CH", "Ja, genau!", True),
        ("ja", "うんうん", True),
        ("ja", "なるほど、そうですか。", True),
        ("zh", "好的", True),
        ("", "ouais d'accord", True),
        ("tlh", "okay", True),  # A language that is not known has the phrases of all.
        ("en", "", False),
    ],
)
def test_signs_of_listening(language: str, text: str, listens: bool) -> None:
    assert phrases_for(language).is_backchannel(words_of(text), most=3) is listens


@pytest.mark.parametrize(
    ("language", "text", "stops"),
    [
        ("en", "Stop!", True),
        ("en", "Stop, stop, stop, please.", True),
        ("en", "Please stop talking", False),
        ("en", "Wait a minute", True),
        ("en", "Shut up now", True),
        ("en", "Stop at the shop", False),
        ("en", "I can't wait", False),
        ("de", "Halt den Mund!", True),
        ("fr", "S'il vous plaît", False),
        ("es", "¡Para, para!", True),
        ("", "待って", True),
        ("en", "", False),
    ],
)
def test_wishes_to_be_quiet(language: str, text: str, stops: bool) -> None:
    assert phrases_for(language).is_stop(words_of(text)) is stops


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_no_phrase_is_both_a_sign_of_listening_and_a_wish_to_be_quiet(language: str) -> None:
    phrases = phrases_for(language)

    assert phrases.backchannels.isdisjoint(phrases.stops)
    assert () not in phrases.backchannels | phrases.stops


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's  NOON, it’s!", ("its", "noon", "its")),
        ("[BLANK_AUDIO]", ()),
        ("(coughs) hello *laughs*", ("hello",)),
        ("♪ ...", ()),
        ("Straße", ("strasse",)),
    ],
)
def test_words_are_what_was_said(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_words_are_compared_whole() -> None:
    assert same_words("It's noon.", "its  noon")
    assert contains_words("One, two, three.", ("two", "three"))
    assert not contains_words("Twenty-two threes", ("two", "three"))
